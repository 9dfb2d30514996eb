import ArgumentParser
import Documents
import Kernel

/// The options that the user typed, beside those that the command has: what the argument parser passes over in silence, or
/// finds less telling than what else is missing.
struct TypedOptions {
    private struct Known {
        let takesValue: Bool
        let mayBeRepeated: Bool
    }

    /// Each option that was typed, without its value.
    private let typed: [String]
    private let known: [String: Known]

    init(_ arguments: Arguments = .ofThisRun) throws {
        var command = try JSON(parsing: Array(Taoyuan._dumpHelp().utf8))["command"]
        var left = arguments.rest.prefix { $0 != "--" }
        while let word = left.first,
            let next = try command["subcommands"].orNil?.array.first(where: { try $0["commandName"].string == word })
        {
            command = next
            left.removeFirst()
        }
        var known: [String: Known] = [:]
        for argument in try command["arguments"].orNil?.array ?? [] {
            let option = Known(
                takesValue: try argument["kind"].string == "option", mayBeRepeated: try argument["isRepeating"].bool)
            for name in try argument["names"].orNil?.array ?? [] {
                known[(try name["kind"].string == "short" ? "-" : "--") + (try name["name"].string)] = option
            }
        }
        var typed: [String] = []
        while let argument = left.popFirst() {
            guard argument.hasPrefix("--") else { continue }
            let name = String(argument.prefix { $0 != "=" })
            typed.append(name)
            if name == argument, known[name]?.takesValue == true { left = left.dropFirst() }
        }
        self.typed = typed
        self.known = known
    }

    /// The complaint about an option that the command has not.
    var unknown: String? {
        guard let name = typed.first(where: { known[$0] == nil }) else { return nil }
        guard let meant = CloseNames(known.keys).first(closeTo: name) else {
            return words("没有选项 \(name)", "Unknown option '\(name)'")
        }
        return words("没有选项 \(name)；是不是 \(meant)？", "Unknown option '\(name)'. Did you mean '\(meant)'?")
    }

    /// The complaint about an option whose value would be forgotten for a later one.
    var repeated: String? {
        typed.first { name in
            known[name].map { $0.takesValue && !$0.mayBeRepeated } == true && typed.count { $0 == name } > 1
        }.map { words("\($0) 只能给一次", "'\($0)' is given once only") }
    }
}
