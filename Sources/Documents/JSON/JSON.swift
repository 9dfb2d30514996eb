import Kernel

/// A JSON value (RFC 8259) whose objects keep the order of their members.
public enum JSON: Sendable, Hashable {
    case object([Member])
    case array([JSON])
    case string(String)
    case integer(Int64)
    /// A number that is no integer of 64 bits. Money and weights never are.
    case number(Double)
    case bool(Bool)
    case null

    public struct Member: Sendable, Hashable {
        public let key: String
        public let value: JSON

        public init(_ key: String, _ value: JSON) {
            self.key = key
            self.value = value
        }
    }

    public init(_ money: Money) { self = ["fen": .integer(money.fen)] }
    public init(_ weight: Weight) { self = ["grams": .integer(weight.grams)] }
    public init(_ day: CivilDay) { self = .string(day.description) }
    public init(_ number: Int) { self = .integer(Int64(number)) }
    public init<Entity>(_ identifier: Identifier<Entity>) { self = .integer(identifier.value) }

    /// An object with one member more; of anything else, the same.
    public func adding(_ key: String, _ value: JSON) -> JSON {
        guard case .object(let members) = self else { return self }
        return .object(members + [Member(key, value)])
    }

    /// The member of that name; null when there is none, or when this is no object.
    public subscript(_ key: String) -> JSON {
        guard case .object(let members) = self else { return .null }
        for member in members where member.key == key { return member.value }
        return .null
    }

    /// nil for null and for what is missing: `try body["note"].orNil?.string`.
    public var orNil: JSON? { self == .null ? nil : self }
}

/// Reading values out. A value that its `Schema` has accepted has the type asked for; otherwise a `Refusal` is thrown.
extension JSON {
    public var string: String {
        get throws {
            guard case .string(let text) = self else { throw mismatch("文本", "a string") }
            return text
        }
    }

    public var int64: Int64 {
        get throws {
            guard case .integer(let number) = self else { throw mismatch("整数", "an integer") }
            return number
        }
    }

    public var int: Int {
        get throws { Int(try int64) }
    }

    public var bool: Bool {
        get throws {
            guard case .bool(let value) = self else { throw mismatch("true 或 false", "true or false") }
            return value
        }
    }

    public var array: [JSON] {
        get throws {
            guard case .array(let items) = self else { throw mismatch("数组", "an array") }
            return items
        }
    }

    public var members: [Member] {
        get throws {
            guard case .object(let members) = self else { throw mismatch("对象", "an object") }
            return members
        }
    }

    public var day: CivilDay {
        get throws {
            guard case .string(let text) = self, let day = CivilDay(iso: text) else {
                throw mismatch("日期，如 \"2025-08-03\"", "a day such as \"2025-08-03\"")
            }
            return day
        }
    }

    public var money: Money {
        get throws { Money(fen: try self["fen"].int64) }
    }

    public var weight: Weight {
        get throws { Weight(grams: try self["grams"].int64) }
    }

    /// What a value is refused with that is not what it should be.
    public func mismatch(_ zh: String, _ en: String) -> Refusal {
        Refusal(.invalid, "wrong-type", zh: "须为\(zh)，而收到的是\(kind.zh)", en: "must be \(en), not \(kind.en)")
    }

    private var kind: Bilingual {
        switch self {
        case .object: Bilingual(zh: "对象", en: "an object")
        case .array: Bilingual(zh: "数组", en: "an array")
        case .string: Bilingual(zh: "文本", en: "a string")
        case .integer: Bilingual(zh: "整数", en: "an integer")
        case .number: Bilingual(zh: "小数", en: "a fraction")
        case .bool: Bilingual(zh: "true 或 false", en: "true or false")
        case .null: Bilingual(zh: " null", en: "null")
        }
    }
}

extension JSON: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}
