import Foundation

extension Date {
    /// Reads an instant of RFC 3339 as other programs write it: `2025-08-03T01:30:00Z`, with fractions of a second, or
    /// with an offset such as `+08:00`; nil for anything else.
    public init?(instant text: String) {
        let pattern =
            #/(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))/#
        guard text.utf8.count <= 40, text.utf8.allSatisfy({ $0 < 0x80 }),
            let parts = text.wholeMatch(of: pattern)?.output, let day = CivilDay(iso: String(parts.1)),
            let hour = Int(parts.2), hour < 24, let minute = Int(parts.3), minute < 60,
            let second = Int(parts.4), second < 60
        else { return nil }
        var seconds = Double(day.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second)
        if let digits = parts.5, let fraction = Double("0.\(digits)") { seconds += fraction }
        if let sign = parts.6, let hours = parts.7.flatMap({ Int($0) }), let minutes = parts.8.flatMap({ Int($0) }) {
            guard hours < 24, minutes < 60 else { return nil }
            let offset = Double(hours * 3600 + minutes * 60)
            seconds += sign == "+" ? -offset : offset
        }
        self.init(timeIntervalSince1970: seconds)
    }
}
