import Foundation
import Kernel

/// A time of day in Asia/Shanghai, to the minute; 24:00 is a day's end.
public struct TimeOfDay: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Since midnight, from 0 to 1440.
    public let minute: Int

    public init(minute: Int) {
        self.minute = minute
    }

    /// Reads `09:00`, `9:00` and `14：00`.
    /// - Throws: a `Refusal` of kind `invalid`.
    public init(_ text: String) throws {
        let parts = text.trimmed.replacing("：", with: ":").split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...2).contains(parts[0].utf8.count), parts[1].utf8.count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour * 60 + minute <= 1440
        else { throw Self.unreadable(text) }
        self.minute = hour * 60 + minute
    }

    /// Reads a time at which something begins, so 24:00 is none.
    init(start text: String) throws {
        try self.init(text)
        guard minute < 1440 else { throw Self.unreadable(text) }
    }

    private static func unreadable(_ text: String) -> Refusal {
        Refusal(
            .invalid, "not-a-time", zh: "“\(text.shortened)”不是时间，请写如 09:00",
            en: "“\(text.shortened)” is no time of day; write it like 09:00")
    }

    /// The instant on that day; Asia/Shanghai has been UTC+8 without summer time since 1992.
    public func instant(on day: CivilDay) -> Date {
        Date(timeIntervalSince1970: Double(day.daysSince1970 * 86_400 + (minute - 480) * 60))
    }

    /// The time of day at an instant.
    public init(of instant: Date) {
        let minutes = Int((instant.timeIntervalSince1970 / 60).rounded(.down)) + 480
        self.minute = (minutes % 1440 + 1440) % 1440
    }

    public static func < (left: TimeOfDay, right: TimeOfDay) -> Bool { left.minute < right.minute }

    /// Such as `09:00`.
    public var description: String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(minute / 60)):\(two(minute % 60))"
    }
}

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
        let zh = ["一", "二", "三", "四", "五", "六", "日"]
        let en = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        return Bilingual(
            zh: "周" + days.map { zh[$0 - 1] }.joined(separator: "、"),
            en: days.map { en[$0 - 1] }.joined(separator: ", "))
    }
}

extension CivilDay {
    /// 1 for Monday to 7 for Sunday.
    public var weekday: Int { ((daysSince1970 + 3) % 7 + 7) % 7 + 1 }

    /// The day in Asia/Shanghai at an instant.
    public init(of instant: Date) {
        self = WallClock { instant }.today
    }
}
