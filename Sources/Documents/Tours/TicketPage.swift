import Foundation
import Kernel
import Orchard
import Signing
import Tours

/// Pages to be printed, for the web and the command line alike.
public enum PrintedPages {
    /// A ticket, for A5 or A4, its QR symbol in it.
    public static func ticket(_ ticket: Ticket, village: Village, language: Language) throws -> String {
        let booking = ticket.booking
        let texts: [String: Bilingual] = [
            "heading": Bilingual(zh: "研学凭证", en: "Tour ticket"),
            "unitLabel": Bilingual(zh: "单位", en: "Group"), "headsLabel": Bilingual(zh: "人数", en: "People"),
            "leaderLabel": Bilingual(zh: "带队人", en: "Leader"),
            "referenceLabel": Bilingual(zh: "预约号", en: "Reference"),
            "numberLabel": Bilingual(zh: "预约编号", en: "Booking"),
            "sessionsLabel": Bilingual(zh: "场次", en: "Sessions"),
            "hint": Bilingual(
                zh: "到达时请在入口出示此码；扫不出来时报预约号。请勿转发给他人。",
                en: "Show this code at the gate; if it can't be scanned, give the reference. Don't pass it on."),
        ]
        var values: [String: Any] = texts.mapValues { $0[language] }
        values["unit"] = booking.unit
        values["heads"] = "\(booking.headcount)"
        values["leader"] = booking.leader
        values["reference"] = booking.reference.description
        values["number"] = "\(booking.number)"
        values["qr"] = try QRCode(url: ticket.url).svg(title: texts["heading"]?[language])
        values["origin"] = ticket.origin.text
        values["sessions"] = booking.visits.map { visit in
            [
                "day": visit.day.written[language], "weekday": visit.day.weekdayName[language], "hours": visit.hours,
                "site": visit.site, "programme": visit.programme,
            ]
        }
        return try Pages().render(
            "ticket", title: "\(texts["heading"]?[language] ?? "") \(booking.number)", values, village: village,
            language)
    }
}
