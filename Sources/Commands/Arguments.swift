import Kernel

/// What the user typed. `--lang` is told apart before the parser sees it: help and complaints are in that language too,
/// and it may stand where the parser knows no options, as in `taoyuan help batch --lang en`.
struct Arguments: Sendable {
    static let ofThisRun = Arguments(Array(CommandLine.arguments.dropFirst()))

    /// What `--lang` asks for, the last time that it names a language.
    let language: Language?
    /// All others, for the parser: a `--lang` that names no language of ours among them.
    let rest: [String]

    init(_ arguments: [String]) {
        var language: Language?
        var rest: [String] = []
        var left = arguments[...]
        while let argument = left.popFirst() {
            if argument == "--" {
                rest += [argument] + left
                break
            }
            if argument == "--lang", let named = left.first.flatMap(Language.init(rawValue:)) {
                language = named
                left.removeFirst()
            } else if argument.hasPrefix("--lang="), let named = Language(rawValue: String(argument.dropFirst(7))) {
                language = named
            } else {
                rest.append(argument)
            }
        }
        self.language = language
        self.rest = rest
    }

    /// How often an option was given, as `--weight 5kg` or `--weight=5kg`.
    func count(of option: String) -> Int {
        rest.prefix { $0 != "--" }.count { $0 == option || $0.hasPrefix(option + "=") }
    }
}
