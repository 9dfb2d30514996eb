import ArgumentParser
import Foundation
import Kernel

/// How the command line tells a refusal: of the option that the user typed, and with the command that lists what there is.
struct RefusalTalk {
    /// The command's options and arguments as its help spells them: `--weight`, `<batch>`.
    private let spellings: Set<String>
    private let arguments: Arguments

    init(_ command: any ParsableCommand.Type, arguments: Arguments = .ofThisRun) {
        let help = Taoyuan.helpMessage(for: command, columns: 10_000)
        let spelling = /^  (?:-\w, )?(--[a-z-]+|<[a-z-]+>)/.anchorsMatchLineEndings()
        spellings = Set(help.matches(of: spelling).map { String($0.1) })
        self.arguments = arguments
    }

    /// The refusal in one sentence.
    func sentence(_ refusal: Refusal, in language: Language) -> String {
        let told = refusal.renamed(field: refusal.field.flatMap { spelling(of: $0, in: language) })
        guard let list = Self.lists[refusal.code] else { return told.sentence(in: language) }
        return told.sentence(in: language)
            + (language == .chinese ? "（全部见 taoyuan \(list)）" : " (all of them: taoyuan \(list))")
    }

    /// A field as this command spells it; nil when the command has no such option. Columns of registers and variables
    /// of the environment are named by who reads them, and stay.
    private func spelling(of field: String, in language: Language) -> String? {
        let last = field.split(separator: ".").last.map(String.init) ?? field
        let names = [last] + (Self.otherNames[last] ?? [])
        for name in names.map(Self.hyphenated) {
            if spellings.contains("<\(name)>") { return "<\(name)>" }
            guard spellings.contains("--\(name)") else { continue }
            guard let place = Self.place(in: field), arguments.count(of: "--\(name)") > 1 else { return "--\(name)" }
            return language == .chinese ? "第 \(place) 个 --\(name)" : "--\(name) no. \(place)"
        }
        let isOurs = field.utf8.allSatisfy { $0 < 0x80 } && field.contains { $0.isLowercase }
        return isOurs ? nil : field
    }

    /// Of `lines[1].weight` 2.
    private static func place(in field: String) -> Int? {
        guard let open = field.firstIndex(of: "["), let close = field.firstIndex(of: "]"), open < close else {
            return nil
        }
        return Int(field[field.index(after: open)..<close]).map { $0 + 1 }
    }

    /// Of `minGroup` `min-group`.
    private static func hyphenated(_ name: String) -> String {
        name.reduce(into: "") { text, character in
            if character.isUppercase { text.append("-") }
            text += character.lowercased()
        }
    }

    /// What the API calls differently.
    private static let otherNames = [
        "paidHow": ["paid", "how"], "unitKind": ["kind"], "sessions": ["session"], "extras": ["extra"],
        "resources": ["resource"], "version": ["seen"], "reference": ["booking"], "grams": ["weight"],
        "harvestedOn": ["harvested"], "soldOn": ["day"],
    ]

    /// By the refusal's code, the command that lists what could have been named.
    private static let lists = [
        "unknown-plot": "plot list", "unknown-product": "product list", "unknown-variety": "product list",
        "unknown-grade": "grade list", "unknown-cooperative": "cooperative list",
        "no-such-cooperative": "cooperative list", "unknown-site": "tour site list",
        "unknown-programme": "tour programme list", "unknown-resource": "tour resource list",
        "unknown-session": "tour session list", "unknown-key": "key list", "no-such-token": "token list",
        "no-such-account": "account list",
    ]
}
