import Foundation
import Kernel

/// Where messages are posted as JSON, such as the gateway of an SMS provider.
public struct Webhook: Sendable {
    let url: String

    /// - Throws: a `Refusal` of field TAOYUAN_WEBHOOK_URL, which quotes nothing of the address: it may hold a secret.
    public init(url: String) throws {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), parts.host?.isEmpty == false,
            url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else {
            throw Refusal(
                .invalid, "bad-setting", field: "TAOYUAN_WEBHOOK_URL", zh: "须是 http 或 https 网址，特殊字符用百分号编码",
                en: "it must be an http or https address, special characters percent-encoded")
        }
        self.url = url
    }

    /// What is posted.
    struct Body: Encodable {
        struct Session: Encodable {
            let day: String
            let startsAt: Date
            let endsAt: Date
            let site: String
            let programme: String
        }

        let key: String
        let kind: String
        let booking: Int64
        let reference: String
        let unit: String
        let headcount: Int
        let leader: String
        let phone: String
        let email: String?
        let language: String
        let subject: String
        let text: String
        let sessions: [Session]

        init(_ notice: Notice, _ text: MessageText, identity: String) {
            key = identity
            kind = notice.kind.rawValue
            booking = notice.booking
            reference = notice.reference
            unit = notice.unit
            headcount = notice.headcount
            leader = notice.leader
            phone = notice.phone
            email = notice.email
            language = notice.language.rawValue
            subject = text.subject
            self.text = text.body
            sessions = notice.sessions.map { session in
                Session(
                    day: session.day.description, startsAt: session.startsAt, endsAt: session.endsAt,
                    site: session.site, programme: session.programme)
            }
        }

        var json: [UInt8] {
            get throws {
                let encoder = JSONEncoder()
                encoder.dateEncodingStrategy = .iso8601
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                return Array(try encoder.encode(self))
            }
        }
    }
}
