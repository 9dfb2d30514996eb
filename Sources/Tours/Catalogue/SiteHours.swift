import Kernel

/// Some days of the week, at least one.
public struct Weekdays: Sendable, Hashable {
    /// Bit 0 is Monday, bit 6 is Sunday.
    public let bits: Int

    public static let all = Weekdays(bits: 127)

    init(bits: Int) {
        self.bits = bits
    }

    /// - Parameter days: 1 for Monday to 7 for Sunday.
    /// - Throws: a `Refusal` of kind `invalid` when there is none, or another number.
    public init(days: [Int]) throws {
        guard !days.isEmpty, days.allSatisfy({ (1...7).contains($0) }) else { throw Self.unreadable }
        bits = days.reduce(0) { $0 | 1 << ($1 - 1) }
    }

    /// Reads `6,7` and `1-5`: 1 is Monday, 7 is Sunday.
    /// - Throws: a `Refusal` of kind `invalid`.
    public init(_ text: String) throws {
        let days = try text.split(separator: ",", omittingEmptySubsequences: false).flatMap { part in
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0.trimmed) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
                (1...7).contains(first), (first...7).contains(last)
            else { throw Self.unreadable }
            return Array(first...last)
        }
        try self.init(days: days)
    }

    private static let unreadable = Refusal(
        .invalid, "not-weekdays", field: "weekdays", zh: "星期须写如 6,7 或 1-5，1 是星期一，7 是星期日",
        en: "write days of the week like 6,7 or 1-5: 1 is Monday, 7 is Sunday")

    /// 1 for Monday to 7 for Sunday, in order.
    public var days: [Int] { (1...7).filter { bits & 1 << ($0 - 1) != 0 } }

    public func contains(_ day: CivilDay) -> Bool { bits & 1 << (day.weekday - 1) != 0 }

    public var label: Bilingual {
        if self == .all { return Bilingual(zh: "每天", en: "every day") }
        let names = days.map { CivilDay.weekdayNames[$0 - 1] }
        return Bilingual(
            zh: "周" + names.map { String($0.zh.suffix(1)) }.joined(separator: "、"),
            en: names.map { String($0.en.prefix(3)) }.joined(separator: ", "))
    }
}
