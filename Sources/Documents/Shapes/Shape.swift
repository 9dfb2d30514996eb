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
        /// Of what is told of several parts, each under a title of its own.
        var parts: (@Sendable (Value, Language) -> [(title: String, text: String?)])?
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
        told = members.compactMap { member in member.field.map { ($0.name, member.json) } }
    }

    public let schema: Schema
    public let members: [Member]
    public let list: [Member]
    public let facts: [Member]
    private let blank: String

    /// What JSON is made of: found once, because some of it is made thousands of times a second.
    private let told: [(name: String, json: @Sendable (Value) -> JSON)]

    public func json(_ value: Value) -> JSON { .object(told.map { JSON.Member($0.name, $0.json(value)) }) }

    /// What the schema says of each member.
    public var fields: [Field] { members.compactMap(\.field) }

    /// What is told of one value, under the titles; nil where there is nothing to tell.
    public func facts(of value: Value, _ language: Language) -> [(title: String, text: String?)] {
        facts.flatMap { member in
            member.parts?(value, language) ?? [(member.title[language], member.text(value, language))]
        }
    }

    /// What a list tells of one value.
    public func row(of value: Value, _ language: Language) -> [String] {
        list.map { $0.text(value, language) ?? blank }
    }

    /// The members that another value has by holding this one.
    /// - Parameter forReading: only people read them there; in JSON it has this one as a whole.
    public func members<Holder>(
        of held: @escaping @Sendable (Holder) -> Value, forReading: Bool = false
    ) -> [Shape<Holder>.Member] {
        members.map { member in
            var taken = Shape<Holder>.Member(
                name: member.name, title: member.title, alignsRight: member.alignsRight,
                field: forReading ? nil : member.field, json: { member.json(held($0)) },
                text: { member.text(held($0), $1) })
            if let parts = member.parts { taken.parts = { parts(held($0), $1) } }
            return taken
        }
    }

    /// The members of these names, in this order.
    public subscript(names: String...) -> [Member] { Self.chosen(names, of: members) }

    static func chosen(_ names: [String], of members: [Member]) -> [Member] {
        names.map { name in
            guard let member = members.first(where: { $0.name == name }) else {
                preconditionFailure("a shape lists “\(name)”, which it does not have")
            }
            return member
        }
    }
}

/// Values of one shape as people list them, whatever shape it is.
public struct Listing: Sendable {
    public let titles: [(text: Bilingual, alignsRight: Bool)]
    public let rows: @Sendable (Language) -> [[String]]

    public init<Value: Sendable>(_ shape: Shape<Value>, _ values: [Value]) {
        titles = shape.list.map { ($0.title, $0.alignsRight) }
        rows = { language in values.map { shape.row(of: $0, language) } }
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

    /// What only programs read.
    public init<Part>(
        _ name: String, _ look: Look<Part>, note: String = "", _ part: @escaping @Sendable (Value) -> Part
    ) {
        self.init(name, name, name, look, note: note, part)
    }

    /// What only programs read, of some values.
    public init<Part>(
        _ name: String, optional look: Look<Part>, note: String = "", _ part: @escaping @Sendable (Value) -> Part?
    ) {
        self.init(name, name, name, optional: look, note: note, part)
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

    /// What people read of each of several parts, under a title of its own; not in JSON.
    public static func each<Part>(
        _ name: String, of parts: @escaping @Sendable (Value) -> [Part],
        _ fact: @escaping @Sendable (Part, Language) -> (title: String, text: String?)
    ) -> Self {
        Self(
            name: name, title: Bilingual(zh: "", en: ""), alignsRight: false, field: nil, json: { _ in .null },
            text: { _, _ in nil }, parts: { value, language in parts(value).map { fact($0, language) } })
    }
}
