import Foundation
import Kernel

/// How the values of one type look outside, wherever they stand: in JSON, as a person reads them, and as somebody types them.
public struct Look<Value>: Sendable {
    public let schema: Schema
    /// Reads what somebody typed.
    /// - Throws: a `Refusal` that says how it is written.
    public let read: @Sendable (String) throws -> Value
    /// What it may be, where that is one of a few words.
    public let words: [String]
    public let json: @Sendable (Value) -> JSON
    let text: @Sendable (Value, Language) -> String
    /// Whether they stand under each other as numbers do.
    let alignsRight: Bool

    public init(
        _ schema: Schema, alignsRight: Bool = false, json: @escaping @Sendable (Value) -> JSON,
        text: @escaping @Sendable (Value, Language) -> String, words: [String] = [],
        read: @escaping @Sendable (String) throws -> Value = { _ in throw Refusal.notTyped }
    ) {
        self.schema = schema
        self.json = json
        self.text = text
        self.alignsRight = alignsRight
        self.words = words
        self.read = read
    }
}

extension Look where Value == String {
    public static func text(_ length: ClosedRange<Int> = 1...200, _ kind: Schema.Text = .line) -> Self {
        Look(.string(length, kind), json: JSON.string, text: { text, _ in text }, read: { $0 })
    }

    /// Who did something, such as `account:li`.
    public static var actor: Self {
        Look(.string(), json: JSON.string) { actor, language in Recorded(language).actor(actor) }
    }

    /// Figures and words of an event by their names, an object in JSON.
    public static var figures: Self {
        Look(.figures, json: Recorded.object) { figures, language in Recorded(language).figures(figures, day: nil) }
    }

    /// One of a few words that have no type of their own.
    public static func oneOf(_ names: String...) -> Self {
        Look(.enumeration(names), json: JSON.string) { text, _ in text }
    }
}

extension Look where Value == Bool {
    public static var flag: Self {
        Look(.boolean, json: JSON.bool) { isSo, language in
            Bilingual(zh: isSo ? "是" : "否", en: isSo ? "yes" : "no")[language]
        }
    }
}

extension Look where Value == Int {
    public static func count(_ range: ClosedRange<Int64> = 0...Int64.max) -> Self {
        Look(
            .integer(range), alignsRight: true, json: { JSON($0) }, text: { count, _ in "\(count)" },
            read: { try Int(typed: $0) })
    }
}

extension Look where Value == Int64 {
    /// A number by which something is known.
    public static func number(_ range: ClosedRange<Int64> = 1...Int64.max) -> Self {
        Look(
            .integer(range), alignsRight: true, json: JSON.integer, text: { number, _ in "\(number)" },
            read: { try Int64(typed: $0) })
    }

    /// An area in hundredths of a mu, read in mu.
    public static var area: Self {
        Look(.integer(1...10_000_000), alignsRight: true, json: JSON.integer) { area, _ in "\(Money(fen: area))" }
    }
}

extension Look {
    /// The number by which something is known.
    public static func id<Entity>(_ range: ClosedRange<Int64> = 1...Int64.max) -> Self
    where Value == Identifier<Entity> {
        Look(.integer(range), alignsRight: true, json: { JSON($0) }) { id, _ in "\(id)" }
    }
}

extension Look where Value == CivilDay {
    public static var day: Self {
        Look(.day, json: { JSON($0) }, text: { day, _ in "\(day)" }, read: { try CivilDay($0) })
    }
}

extension Look where Value == TimeOfDay {
    public static var timeOfDay: Self { Look(.string(4...5), json: { .string("\($0)") }) { time, _ in "\(time)" } }
}

extension Look where Value == Date {
    /// An instant in UTC, to the second; people read it in Asia/Shanghai, to the minute.
    public static var instant: Self { Look(.instant, json: { .instant($0) }) { date, _ in date.minute } }
}

extension Look where Value == Weight {
    public static func weight(_ grams: ClosedRange<Int64> = 0...Weight.limit) -> Self {
        Look(
            .weight(grams), alignsRight: true, json: { JSON($0) }, text: { weight, _ in "\(weight)" },
            read: { try Weight($0) })
    }
}

extension Look where Value == Money {
    /// People read it in yuan, which its title says.
    public static func money(_ fen: ClosedRange<Int64> = 0...Money.limit) -> Self {
        Look(
            .money(fen), alignsRight: true, json: { JSON($0) }, text: { money, _ in money.yuan },
            read: { try Money(yuan: $0) })
    }

    /// Added to what something comes to, or below zero taken off.
    public static var adjustment: Self { .money(-1_000_000_000_000...1_000_000_000_000) }
}

extension Look where Value == Price {
    public static var price: Self {
        Look(
            Shapes.price.schema, alignsRight: true, json: Shapes.price.json, text: { price, _ in "\(price)" },
            read: { try Price($0) })
    }
}

extension Look where Value: RawRepresentable<String>, Value: CaseIterable, Value: Sendable {
    /// One of a few words that people read as they are written.
    public static var name: Self { names(Array(Value.allCases)) }

    /// The same, where there can be only some.
    public static func names(_ values: [Value]) -> Self {
        Look(.enumeration(values.map(\.rawValue)), json: { .string($0.rawValue) }) { name, _ in name.rawValue }
    }
}

extension Look where Value: RawRepresentable<String>, Value: CaseIterable, Value: Labelled, Value: Sendable {
    /// One of a few words, typed in English or in Chinese, whichever language the program speaks.
    public static var word: Self { words(Array(Value.allCases)) }

    /// The same, where there can be only some.
    public static func words(_ values: [Value]) -> Self {
        Look(
            .enumeration(values.map(\.rawValue)), json: { .string($0.rawValue) },
            text: { word, language in word.label[language] }, words: values.map(\.typed) + values.map(\.label.zh)
        ) { text in
            guard let word = Value(typed: text), values.contains(where: { $0.rawValue == word.rawValue }) else {
                let words = values.map { "\($0.typed)（\($0.label.zh)）" }.joined(separator: "、")
                throw Refusal(
                    .invalid, "out-of-range", zh: "须为其中之一：\(words)",
                    en: "it is one of \(values.map(\.typed).joined(separator: ", "))")
            }
            return word
        }
    }
}

extension CaseIterable where Self: RawRepresentable<String>, Self: Labelled {
    /// Reads `own-use`, `own_use` and `自用`; of a longer Chinese word its beginning too, where no other begins so: `退回` for
    /// `退回入库`.
    public init?(typed text: String) {
        let english = text.lowercased().replacing("-", with: "_")
        let whole = Self.allCases.first { $0.rawValue == english || $0.label.zh == text }
        let begun = text.count > 1 ? Self.allCases.filter { $0.label.zh.hasPrefix(text) } : []
        guard let word = whole ?? (begun.count == 1 ? begun.first : nil) else { return nil }
        self = word
    }

    public var typed: String { rawValue.replacing("_", with: "-") }
}

extension Look {
    public static func list<Item>(of item: Look<Item>, _ count: ClosedRange<Int> = 0...1000) -> Self
    where Value == [Item] {
        Look(.array(of: item.schema, count), json: { .array($0.map(item.json)) }) { items, language in
            items.map { item.text($0, language) }.joined(separator: language == .chinese ? "、" : ", ")
        }
    }

    /// A value with fields of its own.
    public static func object(_ shape: Shape<Value>) -> Self {
        Look(shape.schema, json: shape.json) { value, language in
            shape.facts(of: value, language).compactMap(\.text).joined(separator: " ")
        }
    }
}

extension Refusal {
    /// Of what is told and never typed.
    public static let notTyped = Refusal(.invalid, "not-typed", zh: "这里不能填写", en: "this is not entered here")
}

extension JSON {
    /// Such as `2025-08-03T01:30:00Z`.
    public static func instant(_ date: Date) -> JSON {
        let seconds = Int(date.timeIntervalSince1970.rounded(.down))
        let day = CivilDay(daysSince1970: Int((Double(seconds) / 86_400).rounded(.down)))
        let time = seconds - day.daysSince1970 * 86_400
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return .string("\(day)T\(two(time / 3600)):\(two(time / 60 % 60)):\(two(time % 60))Z")
    }
}

extension Money {
    /// Yuan with thousands separators, such as `1,234.50`.
    public var yuan: String {
        let text = description
        let whole = text.prefix { $0 != "." }
        var grouped = ""
        for (index, character) in whole.enumerated() {
            let left = whole.count - index
            if index > 0, left % 3 == 0, whole[whole.startIndex] != "-" || index > 1 { grouped += "," }
            grouped.append(character)
        }
        return grouped + text.dropFirst(whole.count)
    }
}
