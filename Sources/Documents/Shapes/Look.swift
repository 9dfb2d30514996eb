import Foundation
import Kernel

/// How the values of one type look outside, wherever they stand: in JSON, and as a person reads them.
public struct Look<Value>: Sendable {
    public let schema: Schema
    let json: @Sendable (Value) -> JSON
    let text: @Sendable (Value, Language) -> String
    /// Whether they stand under each other as numbers do.
    let alignsRight: Bool

    public init(
        _ schema: Schema, alignsRight: Bool = false, json: @escaping @Sendable (Value) -> JSON,
        text: @escaping @Sendable (Value, Language) -> String
    ) {
        self.schema = schema
        self.json = json
        self.text = text
        self.alignsRight = alignsRight
    }
}

extension Look where Value == String {
    public static func text(_ length: ClosedRange<Int> = 1...200, _ kind: Schema.Text = .line) -> Self {
        Look(.string(length, kind), json: JSON.string) { text, _ in text }
    }

    /// Who did something, such as `account:li`.
    public static var actor: Self {
        Look(.string(), json: JSON.string) { actor, language in Recorded(language).actor(actor) }
    }

    /// One of a few words that have no type of their own.
    public static func oneOf(_ names: String...) -> Self {
        Look(.enumeration(names), json: JSON.string) { text, _ in text }
    }
}

extension Look where Value == Bool {
    public static var flag: Self {
        Look(.boolean, json: JSON.bool) { is_, language in
            Bilingual(zh: is_ ? "是" : "否", en: is_ ? "yes" : "no")[language]
        }
    }
}

extension Look where Value == Int {
    public static func count(_ range: ClosedRange<Int64> = 0...Int64.max) -> Self {
        Look(.integer(range), alignsRight: true, json: { JSON($0) }) { count, _ in "\(count)" }
    }
}

extension Look where Value == Int64 {
    /// A number by which something is known.
    public static func number(_ range: ClosedRange<Int64> = 1...Int64.max) -> Self {
        Look(.integer(range), alignsRight: true, json: JSON.integer) { number, _ in "\(number)" }
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
    public static var day: Self { Look(.day, json: { JSON($0) }) { day, _ in "\(day)" } }
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
        Look(.weight(grams), alignsRight: true, json: { JSON($0) }) { weight, _ in "\(weight)" }
    }
}

extension Look where Value == Money {
    /// People read it in yuan, which its title says.
    public static func money(_ fen: ClosedRange<Int64> = 0...Money.limit) -> Self {
        Look(.money(fen), alignsRight: true, json: { JSON($0) }) { money, _ in money.yuan }
    }
}

extension Look where Value == Price {
    public static var price: Self {
        Look(Shapes.price.schema, alignsRight: true, json: Shapes.price.json) { price, _ in "\(price)" }
    }
}

extension Look where Value: RawRepresentable<String>, Value: CaseIterable, Value: Sendable {
    private static var names: Schema { .enumeration(Value.allCases.map(\.rawValue)) }

    /// One of a few words that people read as they are written.
    public static var name: Self { Look(names, json: { .string($0.rawValue) }) { name, _ in name.rawValue } }
}

extension Look where Value: RawRepresentable<String>, Value: CaseIterable, Value: Labelled, Value: Sendable {
    /// One of a few words.
    public static var word: Self {
        Look(names, json: { .string($0.rawValue) }) { word, language in word.label[language] }
    }
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
