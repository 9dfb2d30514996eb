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

    /// What is posted: the message's own content, and beside it whom it goes to and its words.
    static func body(_ message: OutgoingMessage, _ text: MessageText, identity: String) throws -> [UInt8] {
        var body = try JSONSerialization.jsonObject(with: Data(message.content.utf8)) as? [String: Any] ?? [:]
        body["key"] = identity
        body["kind"] = message.kind
        body["name"] = message.name
        body["phone"] = message.phone
        body["email"] = message.email
        body["language"] = message.language.rawValue
        body["subject"] = text.subject
        body["text"] = text.body
        body["links"] = text.links
        return Array(try JSONSerialization.data(withJSONObject: body, options: [.sortedKeys, .withoutEscapingSlashes]))
    }
}
