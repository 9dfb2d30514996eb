import Documents
import Kernel

/// Something that is entered: what it is called, what it may be, and how it is read from what somebody types.
public struct Entry: Sendable {
    public enum Need: Sendable {
        case required, optional
        /// Whoever types may leave it out, and it is today.
        case todayIfTyped
        /// The command's argument that stands without a name.
        case argument
    }

    /// In JSON.
    public let name: String
    /// On the command line, without its dashes.
    public let option: String
    public let title: Bilingual
    /// A sentence that helps whoever types it.
    public let help: Bilingual
    public let need: Need
    public let schema: Schema
    /// What the API says of it, where its name does not say it.
    public let note: String
    /// Whether it is said or not, and has no value beside.
    public let isFlag: Bool
    /// What it may be, where that is one of a few words.
    public let words: [String]
    /// - Throws: a `Refusal` that says how it is written.
    public let read: @Sendable (String) throws -> JSON

    public init<Value>(
        _ name: String, option: String? = nil, _ zh: String, _ en: String, _ look: Look<Value>,
        _ need: Need = .required,
        help: Bilingual? = nil, note: String = ""
    ) {
        self.name = name
        self.option = option ?? name.hyphenated
        title = Bilingual(zh: zh, en: en)
        self.help = help ?? Bilingual(zh: zh + "。", en: en + ".")
        self.need = need
        self.note = note
        schema = look.schema
        isFlag = look.schema == .boolean
        words = look.words
        read = { look.json(try look.read($0)) }
    }

    /// As a member of the API's body.
    public var field: Field {
        switch need {
        case .optional: .optional(name, schema, note)
        case .required, .todayIfTyped, .argument: Field(name, schema, note)
        }
    }
}

extension String {
    /// Of `minGroup` `min-group`.
    fileprivate var hyphenated: String {
        reduce(into: "") { text, character in
            if character.isUppercase { text.append("-") }
            text += character.lowercased()
        }
    }
}
