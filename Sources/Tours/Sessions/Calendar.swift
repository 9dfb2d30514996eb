import Foundation
import Kernel

/// An event of a calendar.
public struct CalendarEvent: Sendable {
    /// The same for one session for ever, and for no other anywhere.
    public let uid: String
    /// How often it has been changed.
    public let sequence: Int
    public let startsAt: Date
    public let endsAt: Date
    public let summary: String
    public let location: String
    public let isCancelled: Bool

    public init(
        uid: String, sequence: Int, startsAt: Date, endsAt: Date, summary: String, location: String, isCancelled: Bool
    ) {
        self.uid = uid
        self.sequence = sequence
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.summary = summary
        self.location = location
        self.isCancelled = isCancelled
    }
}

/// Writes iCalendar (RFC 5545): CRLF, lines of 75 octets at most, times in UTC.
public enum TourCalendar {
    public static let contentType = "text/calendar; charset=utf-8"

    /// - Parameters:
    ///   - name: what a subscriber's program shows.
    ///   - now: when the text is made.
    public static func text(_ events: [CalendarEvent], name: String, now: Date) -> [UInt8] {
        var lines = [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Taoyuan//Study tours//ZH", "CALSCALE:GREGORIAN",
            "METHOD:PUBLISH", "X-WR-CALNAME:\(escaped(name))", "X-PUBLISHED-TTL:PT1H",
        ]
        for event in events {
            lines += [
                "BEGIN:VEVENT", "UID:\(escaped(event.uid))", "DTSTAMP:\(utc(now))", "SEQUENCE:\(event.sequence)",
                "DTSTART:\(utc(event.startsAt))", "DTEND:\(utc(event.endsAt))", "SUMMARY:\(escaped(event.summary))",
                "LOCATION:\(escaped(event.location))", "STATUS:\(event.isCancelled ? "CANCELLED" : "CONFIRMED")",
                "END:VEVENT",
            ]
        }
        lines.append("END:VCALENDAR")
        return lines.flatMap(folded)
    }

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
