import Foundation

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
        guard text.utf8.count <= CleanText.longest else { throw Self.unreadable(text) }
        let parts = text.trimmed.replacing("：", with: ":").split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...2).contains(parts[0].utf8.count), parts[1].utf8.count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour * 60 + minute <= 1440
        else { throw Self.unreadable(text) }
        self.minute = hour * 60 + minute
    }

    /// Reads a time at which something begins, so 24:00 is none.
    public init(start text: String) throws {
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

    /// Such as `09:00–11:30`.
    public static func hours(_ start: Date, _ end: Date) -> String {
        "\(TimeOfDay(of: start))–\(TimeOfDay(of: end))"
    }
}

extension Date {
    /// Its day and time of day in Asia/Shanghai, such as `2025-08-03 14:05`.
    public var minute: String { "\(CivilDay(of: self)) \(TimeOfDay(of: self))" }
}
