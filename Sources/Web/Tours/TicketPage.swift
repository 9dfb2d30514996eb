import Codes
import Documents
import Kernel
import Signing
import Tours

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
            // Of an older ticket, the one that it was signed for.
            "origin": backend.keys.origin(of: (try? SignedTicket(payload: payload))?.body.keyID).text,
        ]
        return .html(
            try pages.render("verify", title: words.heading[language], values, village: backend.village, language))
    }
}
