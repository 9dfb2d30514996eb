import Foundation
import Kernel

/// An event of a calendar.
public struct CalendarEvent: Sendable {
    /// The same for one session for ever, and for no other anywhere.
    public let uid: String
    /// How often it has been changed, and with it its site and its programme.
    public let sequence: Int
    public let changedAt: Date
    public let startsAt: Date
    public let endsAt: Date
    public let summary: String
    public let location: String
    public let isCancelled: Bool

    public init(
        uid: String, sequence: Int, changedAt: Date, startsAt: Date, endsAt: Date, summary: String, location: String,
        isCancelled: Bool
    ) {
        self.uid = uid
        self.sequence = sequence
        self.changedAt = changedAt
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.summary = summary
        self.location = location
        self.isCancelled = isCancelled
    }
}

/// Writes iCalendar (RFC 5545): CRLF, lines of 75 octets at most, times in UTC. The same events are the same bytes.
public enum TourCalendar {
    public static let contentType = "text/calendar; charset=utf-8"

    /// - Parameter village: whose events they are, which a subscriber's program shows.
    public static func text(_ events: [CalendarEvent], village: String, _ language: Language) -> [UInt8] {
        let name = Bilingual(zh: "\(village)研学", en: "\(village): study tours")[language]
        var lines = [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Taoyuan//Study tours//ZH", "CALSCALE:GREGORIAN",
            "METHOD:PUBLISH", "X-WR-CALNAME:\(escaped(name))", "X-PUBLISHED-TTL:PT1H",
        ]
        for event in events {
            // Many programs pass over the status: the title says it too, and the time is free again.
            let mark = event.isCancelled ? cancelled[language] : ""
            lines += [
                "BEGIN:VEVENT", "UID:\(escaped(event.uid))", "DTSTAMP:\(utc(event.changedAt))",
                "LAST-MODIFIED:\(utc(event.changedAt))", "SEQUENCE:\(event.sequence)",
                "DTSTART:\(utc(event.startsAt))", "DTEND:\(utc(event.endsAt))",
                "SUMMARY:\(escaped(mark + event.summary))", "LOCATION:\(escaped(event.location))",
                "STATUS:\(event.isCancelled ? "CANCELLED" : "CONFIRMED")",
                "TRANSP:\(event.isCancelled ? "TRANSPARENT" : "OPAQUE")", "END:VEVENT",
            ]
        }
        lines.append("END:VCALENDAR")
        return lines.flatMap(folded)
    }

    private static let cancelled = Bilingual(zh: "已取消：", en: "Cancelled: ")

    /// Section 3.1: a line goes on after CRLF and a space, and no character is cut in two.
    private static func folded(_ line: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var width = 0
        for scalar in line.unicodeScalars {
            let encoded = Array(String(scalar).utf8)
            if width + encoded.count > 75 {
                bytes += [13, 10, 32]
                width = 1
            }
            bytes += encoded
            width += encoded.count
        }
        return bytes + [13, 10]
    }

    /// Section 3.3.11. Control characters have no place in a text.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", ";", ",": escaped += "\\\(scalar)"
            case "\n": escaped += "\\n"
            default: if scalar.properties.generalCategory != .control { escaped.unicodeScalars.append(scalar) }
            }
        }
        return escaped
    }

    /// Such as `20251206T010000Z`.
    private static func utc(_ instant: Date) -> String {
        let seconds = Int(instant.timeIntervalSince1970.rounded(.down))
        let day = CivilDay(daysSince1970: Int((Double(seconds) / 86_400).rounded(.down)))
        let time = seconds - day.daysSince1970 * 86_400
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return day.description.replacing("-", with: "") + "T\(two(time / 3600))\(two(time / 60 % 60))\(two(time % 60))Z"
    }
}
