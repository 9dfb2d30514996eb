import Foundation

/// `timestamptz` in ISO style, such as `2025-08-03 04:05:06.789+00`.
///
/// Instants count from 2001, where `Date` counts from: its `Double` then holds microseconds exactly for 140 years
/// either way, which it would not if they went through 1970.
enum TimestampText {
    private static let microsecondsPerDay: Int64 = 86_400_000_000
    /// Days from 0000-03-01 to 2001-01-01.
    private static let epochDay: Int64 = 730_791

    static func write(_ date: Date) -> String {
        let exact = (date.timeIntervalSinceReferenceDate * 1_000_000).rounded()
        guard let total = Int64(exactly: exact) else {
            return exact > 0 ? "infinity" : exact < 0 ? "-infinity" : "invalid"
        }
        var day = total / microsecondsPerDay
        var rest = total % microsecondsPerDay
        if rest < 0 {
            day -= 1
            rest += microsecondsPerDay
        }
        let (year, month, dayOfMonth) = civil(day + epochDay)
        var text = padded(year > 0 ? year : 1 - year, 4) + "-" + padded(month, 2) + "-" + padded(dayOfMonth, 2) + " "
        text += padded(rest / 3_600_000_000, 2) + ":" + padded(rest / 60_000_000 % 60, 2) + ":"
        text += padded(rest / 1_000_000 % 60, 2) + "." + padded(rest % 1_000_000, 6) + "+00"
        return year > 0 ? text : text + " BC"
    }

    /// - Returns: nil for anything else, `infinity` and years before Christ among it.
    static func read(_ text: UnsafeBufferPointer<UInt8>) -> Date? {
        var scanner = Scanner(text: text)
        guard let year = scanner.number(), scanner.skip("-"), let month = scanner.number(), scanner.skip("-"),
            let day = scanner.number(), scanner.skip(" "), let hour = scanner.number(), scanner.skip(":"),
            let minute = scanner.number(), scanner.skip(":"), let second = scanner.number(),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var microseconds: Int64 = 0
        if scanner.skip(".") {
            let start = scanner.index
            guard var fraction = scanner.number(), scanner.index - start <= 6 else { return nil }
            for _ in (scanner.index - start)..<6 { fraction *= 10 }
            microseconds = fraction
        }
        var offset: Int64 = 0
        let isWest = scanner.skip("-")
        guard isWest || scanner.skip("+"), let hours = scanner.number() else { return nil }
        offset = hours * 3600
        if scanner.skip(":"), let minutes = scanner.number() { offset += minutes * 60 }
        if scanner.skip(":"), let seconds = scanner.number() { offset += seconds }
        guard scanner.isAtEnd else { return nil }
        let days = days(year: year, month: month, day: day) - epochDay
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - (isWest ? -offset : offset)
        return Date(timeIntervalSinceReferenceDate: Double(seconds * 1_000_000 + microseconds) / 1_000_000)
    }

    // Howard Hinnant's days_from_civil and back: years begin in March, so that the leap day is a year's last.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    }

    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
        return (year, month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return digits.utf8.count >= width ? digits : String(repeating: "0", count: width - digits.utf8.count) + digits
    }

    private struct Scanner {
        let text: UnsafeBufferPointer<UInt8>
        var index = 0

        var isAtEnd: Bool { index == text.count }

        mutating func number() -> Int64? {
            let start = index
            var value: Int64 = 0
            while index < text.count, (48...57).contains(text[index]), index - start < 9 {
                value = value * 10 + Int64(text[index] - 48)
                index += 1
            }
            return index > start ? value : nil
        }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard index < text.count, text[index] == UInt8(ascii: character) else { return false }
            index += 1
            return true
        }
    }
}
