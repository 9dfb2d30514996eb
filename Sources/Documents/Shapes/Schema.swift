import Kernel

/// What a JSON value must look like: checked on every request, and written into the description of the API.
public indirect enum Schema: Sendable, Hashable {
    /// A text of so many Unicode characters.
    case string(_ length: ClosedRange<Int> = 1...200, Text = .line)
    case enumeration([String])
    case integer(ClosedRange<Int64>)
    case boolean
    /// `"2025-08-03"`.
    case day
    /// `"2025-08-03T01:30:00Z"`, always UTC.
    case instant
    /// `{"fen": 850}`.
    case money(_ fen: ClosedRange<Int64> = 0...Money.limit)
    /// `{"grams": 500}`.
    case weight(_ grams: ClosedRange<Int64> = 1...Weight.limit)
    case array(of: Schema, _ count: ClosedRange<Int> = 0...1000)
    /// Items that are answered one by one: what is wrong with one of them is told of that one, by whoever reads it.
    case items(of: Schema, _ count: ClosedRange<Int> = 0...1000)
    /// Figures of an event by their names, numbers and texts: `{"people": 30, "reason": "…"}`.
    case figures
    /// Fields that are not listed are refused.
    case object([Field])
    /// Described once, under `#/components/schemas`.
    case named(String, Schema)

    /// What a text may hold, which is never U+0000: PostgreSQL cannot store it.
    public enum Text: Sendable {
        /// One line in which something can be seen, without control characters.
        case line
        /// The same, but for ends of lines and tabs.
        case lines
        /// Anything: a secret, of which nothing is shown.
        case secret
    }

    /// Throws what is wrong with the value, with the field as a path such as `lines[0].weight.grams`.
    public func validate(_ value: JSON, at path: String = "") throws {
        if let flaw = flaw(in: value) { throw path.isEmpty ? flaw : flaw.under(path) }
    }

    /// Reads a value of a path or query, which is always text there, and validates it.
    public func validated(text: String, at name: String) throws -> JSON {
        var value = JSON.string(text)
        switch unnamed {
        case .integer: if let number = Int64(text) { value = .integer(number) }
        case .boolean: if let flag = Bool(text) { value = .bool(flag) }
        default: break
        }
        try validate(value, at: name)
        return value
    }

    /// Without its name.
    public var unnamed: Schema {
        if case .named(_, let schema) = self { schema.unnamed } else { self }
    }
}

/// One member of an object.
public struct Field: Sendable, Hashable {
    public let name: String
    public let schema: Schema
    public let description: String
    public let isRequired: Bool
    /// Whether null may stand for the value.
    public let isNullable: Bool

    public init(
        _ name: String, _ schema: Schema, _ description: String = "", required: Bool = true, nullable: Bool = false
    ) {
        self.name = name
        self.schema = schema
        self.description = description
        self.isRequired = required
        self.isNullable = nullable
    }

    /// May be missing, and null says the same as missing.
    public static func optional(_ name: String, _ schema: Schema, _ description: String = "") -> Field {
        Field(name, schema, description, required: false, nullable: true)
    }
}

extension Schema {
    /// Returned rather than thrown, so that the path of the field is put together only when something is wrong.
    private func flaw(in value: JSON) -> Refusal? {
        switch self {
        case .named(_, let schema): return schema.flaw(in: value)
        case .string(let length, let kind):
            guard case .string(let text) = value else { return value.mismatch("文本", "a string") }
            return Self.flaw(in: text, length: length, kind)
        case .enumeration(let names):
            guard case .string(let text) = value else { return value.mismatch("文本", "a string") }
            return names.contains(text) ? nil : Self.notOneOf(names)
        case .integer(let range):
            guard case .integer(let number) = value else { return value.mismatch("整数", "an integer") }
            return range.contains(number) ? nil : Self.outOfRange(range)
        case .boolean:
            guard case .bool = value else { return value.mismatch("true 或 false", "true or false") }
            return nil
        case .day:
            guard case .string(let text) = value else { return value.mismatch("日期文本", "a day as a string") }
            return CivilDay(iso: text) == nil ? Self.notADay(text) : nil
        case .instant:
            guard case .string(let text) = value else { return value.mismatch("时刻文本", "an instant as a string") }
            return Self.isInstant(text) ? nil : Self.notAnInstant(text)
        case .money(let range): return Schema.object([Field("fen", .integer(range))]).flaw(in: value)
        case .weight(let range): return Schema.object([Field("grams", .integer(range))]).flaw(in: value)
        case .array(let schema, let count):
            guard case .array(let items) = value else { return value.mismatch("数组", "an array") }
            guard count.contains(items.count) else { return Self.wrongCount(count) }
            for (index, item) in items.enumerated() {
                if let flaw = schema.flaw(in: item) { return flaw.under("[\(index)]") }
            }
            return nil
        case .items(_, let count):
            guard case .array(let items) = value else { return value.mismatch("数组", "an array") }
            return count.contains(items.count) ? nil : Self.wrongCount(count)
        case .figures:
            guard case .object = value else { return value.mismatch("对象", "an object") }
            return nil
        case .object(let fields):
            guard case .object(let members) = value else { return value.mismatch("对象", "an object") }
            return Self.flaw(in: members, fields: fields)
        }
    }

    private static func flaw(in members: [JSON.Member], fields: [Field]) -> Refusal? {
        var known = 0
        for field in fields {
            guard let member = members.first(where: { $0.key == field.name }) else {
                if field.isRequired {
                    return Refusal(.invalid, "missing-field", field: field.name, zh: "缺少此字段", en: "is missing")
                }
                continue
            }
            known += 1
            if field.isNullable, member.value == .null { continue }
            if let flaw = field.schema.flaw(in: member.value) { return flaw.under(field.name) }
        }
        guard known < members.count else { return nil }
        let unknown = members.first { member in !fields.contains { $0.name == member.key } }
        return Refusal(
            .invalid, "unknown-field", field: unknown?.key.shortened, zh: "没有此字段", en: "there is no such field")
    }

    private static func flaw(in text: String, length: ClosedRange<Int>, _ kind: Text) -> Refusal? {
        // Bytes bound characters from above, and counting characters takes time.
        if !length.contains(text.utf8.count) || length.lowerBound > 1, !length.contains(text.unicodeScalars.count) {
            let (low, high) = (length.lowerBound, length.upperBound)
            return Refusal(
                .invalid, "out-of-range", zh: "长度须为 \(low) 到 \(high) 个字符", en: "must have \(low) to \(high) characters")
        }
        guard !text.utf8.contains(0) else {
            return Refusal(.invalid, "out-of-range", zh: "不可含有空字符", en: "must not contain U+0000")
        }
        guard kind != .secret else { return nil }
        guard !CleanText.hasControls(text, lines: kind == .lines) else {
            return Refusal(
                .invalid, "bad-text", zh: kind == .lines ? "不可含有控制字符" : "不可含有控制字符，只能写一行",
                en: "must not contain control characters" + (kind == .lines ? "" : " and has one line"))
        }
        guard length.lowerBound == 0 || !CleanText.isInvisible(text) else {
            return Refusal(.invalid, "bad-text", zh: "须有看得见的字", en: "must have something in it that can be seen")
        }
        return nil
    }

    private static func notOneOf(_ names: [String]) -> Refusal {
        let list = names.joined(separator: ", ")
        return Refusal(.invalid, "out-of-range", zh: "须为其中之一：\(list)", en: "must be one of: \(list)")
    }

    private static func outOfRange(_ range: ClosedRange<Int64>) -> Refusal {
        let (low, high) = (range.lowerBound, range.upperBound)
        return Refusal(
            .invalid, "out-of-range", zh: "须在 \(low) 到 \(high) 之间", en: "must lie between \(low) and \(high)")
    }

    private static func wrongCount(_ range: ClosedRange<Int>) -> Refusal {
        let (low, high) = (range.lowerBound, range.upperBound)
        return Refusal(.invalid, "out-of-range", zh: "须有 \(low) 到 \(high) 项", en: "must have \(low) to \(high) items")
    }

    private static func notADay(_ text: String) -> Refusal {
        Refusal(
            .invalid, "not-a-day", zh: "“\(text.shortened)”不是日期，请写如 2025-08-03",
            en: "“\(text.shortened)” is no day; write it like 2025-08-03")
    }

    private static func notAnInstant(_ text: String) -> Refusal {
        Refusal(
            .invalid, "not-an-instant", zh: "“\(text.shortened)”不是时刻，请写如 2025-08-03T01:30:00Z",
            en: "“\(text.shortened)” is no instant; write it like 2025-08-03T01:30:00Z")
    }

    /// RFC 3339 in UTC with whole seconds.
    private static func isInstant(_ text: String) -> Bool {
        let parts = text.split(separator: "T", omittingEmptySubsequences: false)
        guard parts.count == 2, CivilDay(iso: String(parts[0])) != nil, parts[1].utf8.count == 9, parts[1].last == "Z"
        else { return false }
        let clock = parts[1].dropLast().split(separator: ":", omittingEmptySubsequences: false)
        let limits = [23, 59, 59]
        return clock.count == 3
            && zip(clock, limits).allSatisfy { part, limit in
                part.utf8.count == 2 && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
                    && Int(part).map { $0 <= limit } ?? false
            }
    }
}

extension Refusal {
    /// The same refusal, of a field that lies within the field or item `place`.
    public func under(_ place: String) -> Refusal {
        let inner = field.map { $0.hasPrefix("[") ? $0 : "." + $0 } ?? ""
        return Refusal(kind, code, field: place + inner, row: row, zh: message.zh, en: message.en)
    }
}
