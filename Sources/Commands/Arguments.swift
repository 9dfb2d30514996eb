import Kernel

/// What the user typed. `--lang` is told apart before the parser sees it: help and complaints are in that language too,
/// and it may stand where the parser knows no options, as in `taoyuan help batch --lang en`.
struct Arguments: Sendable {
    static let ofThisRun = Arguments(Array(CommandLine.arguments.dropFirst()))

    /// What `--lang` asks for, the last time that it names a language.
    let language: Language?
    /// What a `--lang` asks for that names no language of ours; empty when it names nothing.
    let unknownLanguage: String?
    /// All others, for the parser.
    let rest: [String]

    init(_ arguments: [String]) {
        var language: Language?
        var unknown: String?
        var rest: [String] = []
        var left = arguments[...]
        while let argument = left.popFirst() {
            if argument == "--" {
                rest += [argument] + left
                break
            }
            guard argument == "--lang" || argument.hasPrefix("--lang=") else {
                rest.append(argument)
                continue
            }
            let name = argument == "--lang" ? left.popFirst() ?? "" : String(argument.dropFirst(7))
            if let named = Language(rawValue: name) { language = named } else { unknown = name }
        }
        self.language = language
        unknownLanguage = unknown
        self.rest = rest
    }

    /// The refusal of a text with control characters in it, whatever it is for: it would not be shown as what it is.
    var unfit: Refusal? {
        var option: String?
        for argument in rest {
            let name = argument.hasPrefix("--") ? String(argument.prefix { $0 != "=" }) : option
            // A line end behind a text, as scanners put it, is no part of the text.
            if CleanText.hasControls(CleanText.text(argument), lines: name == "--note")
                || CleanText.hasControls(argument, lines: true)
            {
                return Refusal(
                    .invalid, "bad-text", field: name ?? words("参数", "argument"), zh: "不可含有控制字符（如换行、ESC）",
                    en: "must not contain control characters, such as a line break or ESC")
            }
            option = argument.hasPrefix("--") && !argument.contains("=") ? argument : nil
        }
        return nil
    }

    /// Whether anything that looks like an option stands there twice.
    var hasRepeated: Bool {
        let names = rest.prefix { $0 != "--" }.filter { $0.hasPrefix("--") }.map { $0.prefix { $0 != "=" } }
        return Set(names).count < names.count
    }

    /// How often an option was given, as `--weight 5kg` or `--weight=5kg`.
    func count(of option: String) -> Int {
        rest.prefix { $0 != "--" }.count { $0 == option || $0.hasPrefix(option + "=") }
    }
}
