import Kernel

/// How a value looks outside: each of its members once. From it come its JSON and the schema that describes it, its row in a
/// list, and its facts on a page or a terminal.
public struct Shape<Value>: Sendable {
    /// One thing that is told of a value.
    public struct Member: Sendable {
        public let name: String
        public let title: Bilingual
        /// Whether it stands under others as numbers do.
        public let alignsRight: Bool
        /// nil of what only people read.
        let field: Field?
        let json: @Sendable (Value) -> JSON
        let text: @Sendable (Value, Language) -> String?
    }

    /// Told by every value.
    /// - Parameter members: in the order of the JSON.
    /// - Parameter list: the names of the members that a list shows, in its order.
    /// - Parameter blank: what a list shows where there is nothing to tell.
    /// - Parameter facts: those that stand below each other where there is one value; all unless told.
    public init(
        _ name: String? = nil, _ members: [Member], list: [String] = [], blank: String = "", facts: [String]? = nil
    ) {
        let object = Schema.object(members.compactMap(\.field))
        schema = name.map { .named($0, object) } ?? object
        self.members = members
        self.list = Self.chosen(list, of: members)
        self.blank = blank
        self.facts = facts.map { Self.chosen($0, of: members) } ?? members
    }

    public let schema: Schema
    public let members: [Member]
    public let list: [Member]
    public let facts: [Member]
    private let blank: String

    public func json(_ value: Value) -> JSON {
        .object(members.compactMap { member in member.field.map { JSON.Member($0.name, member.json(value)) } })
    }

    /// What the schema says of each member.
    public var fields: [Field] { members.compactMap(\.field) }

    /// What is told of one value, under the titles; nil where there is nothing to tell.
    public func facts(of value: Value, _ language: Language) -> [(title: String, text: String?)] {
        facts.map { ($0.title[language], $0.text(value, language)) }
    }

    /// What a list tells of one value.
    public func row(of value: Value, _ language: Language) -> [String] {
        list.map { $0.text(value, language) ?? blank }
    }

    /// The members that another value has by holding this one.
    public func members<Holder>(
        of held: @escaping @Sendable (Holder) -> Value
    ) -> [Shape<Holder>.Member] {
        members.map { member in
            Shape<Holder>.Member(
                name: member.name, title: member.title, alignsRight: member.alignsRight, field: member.field,
                json: { member.json(held($0)) }, text: { member.text(held($0), $1) })
        }
    }

    private static func chosen(_ names: [String], of members: [Member]) -> [Member] {
        names.map { name in
            guard let member = members.first(where: { $0.name == name }) else {
                preconditionFailure("a shape lists “\(name)”, which it does not have")
            }
            return member
        }
    }
}

/// The shapes of all values that are told outside, each beside those of its capability.
public enum Shapes {}

extension Shape.Member {
    /// What every value has.
    /// - Parameter name: in JSON.
    public init<Part>(
        _ name: String, _ zh: String, _ en: String, _ look: Look<Part>, note: String = "",
        _ part: @escaping @Sendable (Value) -> Part
    ) {
        self.init(
            name: name, title: Bilingual(zh: zh, en: en), alignsRight: look.alignsRight,
            field: Field(name, look.schema, note), json: { look.json(part($0)) }, text: { look.text(part($0), $1) })
    }

    /// What some values have; the others have null.
    public init<Part>(
        _ name: String, _ zh: String, _ en: String, optional look: Look<Part>, note: String = "",
        _ part: @escaping @Sendable (Value) -> Part?
    ) {
        self.init(
            name: name, title: Bilingual(zh: zh, en: en), alignsRight: look.alignsRight,
            field: .optional(name, look.schema, note), json: { part($0).map(look.json) ?? .null },
            text: { value, language in part(value).map { look.text($0, language) } })
    }

    /// What people read instead of members that say it in parts; not in JSON.
    public static func reading(
        _ name: String, _ zh: String, _ en: String, alignsRight: Bool = false,
        _ text: @escaping @Sendable (Value, Language) -> String?
    ) -> Self {
        Self(
            name: name, title: Bilingual(zh: zh, en: en), alignsRight: alignsRight, field: nil, json: { _ in .null },
            text: text)
    }
}
