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
                "day": visit.day.written[language], "weekday": weekday(visit.day)[language], "hours": visit.hours,
                "site": visit.site, "programme": visit.programme,
            ]
        }
        return try Pages().render(
            "ticket", title: "\(texts["heading"]?[language] ?? "") \(booking.number)", values, village: village,
            language)
    }

    static func weekday(_ day: CivilDay) -> Bilingual {
        // 1970-01-01 was a Thursday.
        let index = ((day.daysSince1970 + 3) % 7 + 7) % 7
        let zh = ["一", "二", "三", "四", "五", "六", "日"]
        let en = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        return Bilingual(zh: "周\(zh[index])", en: en[index])
    }
}

extension Answer {
    /// A page under `/api/`, whose own policy would forbid its style.
    static func printed(_ html: String) -> Answer {
        .bytes(
            html.utf8, "text/html; charset=utf-8",
            headers: [
                .contentSecurityPolicy:
                    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
            ])
    }
}

extension Site {
    /// What a phone shows that scans a ticket: that it is one, and for when. Neither who comes, nor anything that
    /// would need the database.
    /// - Returns: nil for what is no ticket at all.
    func ticketPage(_ payload: String, _ call: Call) throws -> Answer? {
        let words: (tone: String, mark: String, heading: Bilingual, explanation: Bilingual)
        var facts: [[String: Any]] = []
        let language = call.language
        switch backend.keys.check(ticket: payload) {
        case .malformed: return nil
        case .unknownKey:
            words = (
                "warn", "?", Bilingual(zh: "签发方不明", en: "Unknown issuer"),
                Bilingual(
                    zh: "这是一张研学凭证，但签发密钥不明或已停用。到达时请报预约号。",
                    en: "This is a tour ticket, but its key is unknown or no longer trusted. Give the reference at the "
                        + "gate.")
            )
        case .forged:
            words = (
                "bad", "✕", Bilingual(zh: "假凭证", en: "Forged ticket"),
                Bilingual(
                    zh: "签名不符，这不是我们签发的研学凭证。", en: "The signature is not ours: we did not issue this ticket.")
            )
        case .signed(let body):
            words = (
                "good", "✓", Bilingual(zh: "研学凭证", en: "Tour ticket"),
                Bilingual(
                    zh: "这是 \(body.day.written.zh) 的研学凭证，预约编号 \(body.booking)。请在入口出示。",
                    en: "This is a ticket for \(body.day.written.en), booking number \(body.booking), to be shown at "
                        + "the gate.")
            )
            facts = [
                [
                    "name": Bilingual(zh: "日期", en: "Day")[language], "value": body.day.written[language],
                    "day": body.day.description,
                ],
                ["name": Bilingual(zh: "预约编号", en: "Booking number")[language], "value": "\(body.booking)"],
            ]
        }
        let values: [String: Any] = [
            "tone": words.tone, "mark": words.mark, "heading": words.heading[language],
            "explanation": words.explanation[language], "facts": facts, "hasFacts": !facts.isEmpty,
            "addressLabel": Bilingual(zh: "请核对地址栏：真的查验页只在", en: "Check your address bar: the true page is at")[
                language],
            "origin": backend.village.origin,
        ]
        return .html(
            try pages.render("verify", title: words.heading[language], values, village: backend.village, language))
    }
}
