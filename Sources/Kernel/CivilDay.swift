import struct Foundation.Date

/// A day of the calendar in Asia/Shanghai, from 1900 to 2199.
public struct CivilDay: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let daysSince1970: Int

    public init(daysSince1970: Int) {
        self.daysSince1970 = daysSince1970
    }

    /// - Returns: nil for a day that the calendar does not have, such as 2025-02-30.
    public init?(year: Int, month: Int, day: Int) {
        guard (1900...2199).contains(year), (1...12).contains(month) else { return nil }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...lengths[month - 1]).contains(day) else { return nil }
        // Howard Hinnant's days_from_civil: years begin in March, so that the leap day is a year's last.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        self.daysSince1970 = era * 146_097 + dayOfEra - 719_468
    }

    /// Reads `2025-08-03`, `2025/8/3`, `2025.08.03`, `2025年8月3日` and `20250803`, full-width digits too.
    /// - Throws: a `Refusal` of kind `invalid`.
    public init(_ text: String) throws {
        if let day = CivilDay(iso: text) {
            self = day
            return
        }
        var numbers: [Int] = []
        var inNumber = false
        guard text.utf8.count <= CleanText.longest else { throw Self.unreadable(text) }
        let scalars = text.trimmed.unicodeScalars
        guard scalars.count <= 20 else { throw Self.unreadable(text) }
        for scalar in scalars {
            let plain = FixedDecimal.plain(scalar)
            if (48...57).contains(plain.value) {
                let digit = Int(plain.value - 48)
                numbers.append(inNumber ? (numbers.popLast() ?? 0) * 10 + digit : digit)
                guard numbers.last ?? 0 < 100_000_000 else { throw Self.unreadable(text) }
                inNumber = true
            } else {
                guard "-/.年月日".unicodeScalars.contains(plain), inNumber else { throw Self.unreadable(text) }
                inNumber = false
            }
        }
        if numbers.count == 1, numbers[0] > 10_000_000 {
            numbers = [numbers[0] / 10_000, numbers[0] / 100 % 100, numbers[0] % 100]
        }
        guard numbers.count == 3, let day = CivilDay(year: numbers[0], month: numbers[1], day: numbers[2]) else {
            throw Self.unreadable(text)
        }
        self = day
    }

    /// Reads a day as a spreadsheet writes it: as above, with a time of day behind it, or as the serial number by which it
    /// stores days (45872 and 45872.3756944444 are 2025-08-03), from 1990 to 2099.
    /// - Throws: a `Refusal` of kind `invalid`.
    public init(cell text: String) throws {
        if let day = CivilDay(iso: text) {
            self = day
            return
        }
        guard text.utf8.count <= CleanText.longest else { throw Self.unreadable(text) }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        if digits.utf8.count == 5, let serial = Int(digits), (32_874...73_050).contains(serial) {
            let time = text.utf8.dropFirst(5)
            if time.isEmpty
                || time.first == 0x2E && time.count > 1 && time.dropFirst().allSatisfy({ (48...57).contains($0) })
            {
                self.init(daysSince1970: serial - 25_569)
                return
            }
        }
        let parts = text.split(maxSplits: 1) { $0 == " " || $0 == "T" }
        let hasTime = parts.count == 2 && parts[1].first?.isNumber == true && parts[1].contains(":")
        try self.init(hasTime ? String(parts[0]) : text)
    }

    /// Reads `2025-08-03` and nothing else: the one spelling of JSON and the database.
    ///
    /// On bytes, because registers and answers have one in every row.
    public init?(iso text: String) {
        guard text.utf8.count == 10 else { return nil }
        var text = text
        let parts: (Int, Int, Int)? = text.withUTF8 { bytes in
            func number(_ range: Range<Int>) -> Int? {
                var number = 0
                for byte in bytes[range] {
                    guard (48...57).contains(byte) else { return nil }
                    number = number * 10 + Int(byte) - 48
                }
                return number
            }
            guard bytes[4] == 0x2D, bytes[7] == 0x2D, let year = number(0..<4), let month = number(5..<7),
                let day = number(8..<10)
            else { return nil }
            return (year, month, day)
        }
        guard let (year, month, day) = parts else { return nil }
        self.init(year: year, month: month, day: day)
    }

    static func unreadable(_ text: String) -> Refusal {
        Refusal(
            .invalid, "not-a-day", zh: "“\(text.shortened)”不是日期，请写如 2025-08-03",
            en: "“\(text.shortened)” is no day; write it like 2025-08-03")
    }

    /// Days since 2020-01-01, the count that a signed code carries.
    public var daysSince2020: Int { daysSince1970 - 18_262 }

    public init(daysSince2020: Int) {
        self.init(daysSince1970: daysSince2020 + 18_262)
    }

    public var components: (year: Int, month: Int, day: Int) {
        let shifted = daysSince1970 + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
        return (year, month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1)
    }

    public var year: Int { components.year }

    public func adding(days: Int) -> CivilDay { CivilDay(daysSince1970: daysSince1970 + days) }

    public static func < (left: CivilDay, right: CivilDay) -> Bool { left.daysSince1970 < right.daysSince1970 }

    /// ISO 8601, such as `2025-08-03`.
    public var description: String {
        let (year, month, day) = components
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }
}

extension CivilDay {
    /// The day at an instant; Asia/Shanghai has been UTC+8 without summer time since 1992.
    public init(of instant: Date) {
        self.init(daysSince1970: Int(((instant.timeIntervalSince1970 + 8 * 3600) / 86_400).rounded(.down)))
    }

    /// As people write it: 2025年8月3日, 3 Aug 2025.
    public var written: Bilingual {
        let (year, month, day) = components
        let name = Self.monthNames[month - 1]
        return Bilingual(zh: "\(year)年\(name.zh)\(day)日", en: "\(day) \(name.en.prefix(3)) \(year)")
    }

    /// January first.
    public static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ].enumerated().map { Bilingual(zh: "\($0 + 1)月", en: $1) }

    /// 1 for Monday to 7 for Sunday.
    public var weekday: Int { ((daysSince1970 + 3) % 7 + 7) % 7 + 1 }

    /// Monday first: 星期一, Monday.
    public static let weekdayNames = zip(
        "一二三四五六日", ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    ).map { Bilingual(zh: "星期\($0)", en: $1) }

    /// 周一, Mon.
    public var weekdayName: Bilingual {
        let name = Self.weekdayNames[weekday - 1]
        return Bilingual(zh: "周\(name.zh.suffix(1))", en: "\(name.en.prefix(3))")
    }
}

extension CivilDay {
    /// The months that a period touches, such as `2025-08`.
    public static func months(from: CivilDay, to: CivilDay) -> [String] {
        guard from <= to else { return [] }
        let (first, last) = (from.components, to.components)
        return (first.year * 12 + first.month - 1...last.year * 12 + last.month - 1).map { month in
            let digits = String(month % 12 + 1)
            return "\(month / 12)-\(digits.count == 1 ? "0" : "")\(digits)"
        }
    }
}
