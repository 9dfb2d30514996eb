import Foundation
import Kernel

/// Where mail is handed in: `smtp://user:password@host:587`, `smtps://…`, and for whom.
///
/// TLS is insisted upon, except on this very machine or where the address ends in `?tls=off`.
public struct MailServer: Sendable {
    let host: String
    let port: Int
    /// TLS from the first byte (`smtps`), not after STARTTLS.
    let isEncrypted: Bool
    let needsTLS: Bool
    let user: String?
    let password: String?
    /// The sender's bare address.
    let from: String

    /// - Throws: a `Refusal` of field TAOYUAN_SMTP_URL or TAOYUAN_MAIL_FROM, which quotes nothing of the address.
    public init(url text: String, from: String) throws {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            ["smtp", "smtps"].contains(scheme), let host = parts.host, Self.isHost(host),
            ["", "/"].contains(parts.path), parts.fragment == nil,
            (parts.queryItems ?? []).allSatisfy({ $0.name == "tls" && $0.value == "off" }),
            (parts.user == nil) == (parts.password == nil), Self.isLogin(parts.user), Self.isLogin(parts.password),
            parts.user?.contains(":") != true, (1...65_535).contains(parts.port ?? 587)
        else {
            throw Refusal(
                .invalid, "bad-setting", field: "TAOYUAN_SMTP_URL",
                zh: "须写成 smtp://用户:密码@主机:587 或 smtps://…，特殊字符用百分号编码，不加密时在末尾写 ?tls=off",
                en:
                    "write smtp://user:password@host:587 or smtps://…, special characters percent-encoded, and ?tls=off "
                    + "at the end to do without TLS")
        }
        guard let address = Self.address(from) else {
            throw Refusal(
                .invalid, "bad-setting", field: "TAOYUAN_MAIL_FROM", zh: "须是邮件地址，如 tours@example.cn",
                en: "it must be a mail address such as tours@example.cn")
        }
        self.host = host
        self.from = address
        isEncrypted = scheme == "smtps"
        port = parts.port ?? (isEncrypted ? 465 : 587)
        user = parts.user
        password = parts.password
        let isLocal = ["localhost", "127.0.0.1", "[::1]", "::1"].contains(host.lowercased())
        needsTLS = !isLocal && (parts.queryItems ?? []).isEmpty
    }

    private static func isHost(_ host: String) -> Bool {
        !host.isEmpty
            && host.utf8.allSatisfy { byte in
                (0x30...0x3A).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "-.[]".utf8.contains(byte)
            }
    }

    private static func isLogin(_ text: String?) -> Bool {
        text?.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } ?? true
    }

    /// The address if it is a plain one (`name@host` in ASCII, nothing that a header or a command could be broken
    /// with), else nil.
    static func address(_ text: String) -> String? {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let marks = Set("!#$%&'*+-/=?^_`{|}~.".utf8)
        func isPlain(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard parts.count == 2, (1...64).contains(parts[0].utf8.count), (1...190).contains(parts[1].utf8.count),
            parts[0].utf8.allSatisfy({ isPlain($0) || marks.contains($0) }), parts[0].first != "-",
            parts[1].utf8.allSatisfy({ isPlain($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }),
            parts[1].first != "-", parts[1].first != "."
        else { return nil }
        return text
    }
}

/// A message as mail (RFC 5322), all ASCII: whatever a name holds, it can't end a header or a line.
struct Mail {
    let bytes: [UInt8]

    /// - Parameters:
    ///   - identity: what makes it this message, `MessageIdentity`.
    ///   - name: the sender's, beside the address.
    init(_ text: MessageText, to: String, from: String, name: String, identity: String, at date: Date) {
        let host = from.split(separator: "@").last ?? "localhost"
        let headers = [
            "From: \(Self.encoded(MessageText.plain(name))) <\(from)>", "To: <\(to)>",
            "Subject: \(Self.encoded(text.subject))", "Date: \(Self.date(date))", "Message-ID: <\(identity)@\(host)>",
            "Idempotency-Key: \(identity)", "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64",
        ]
        let body = Data(text.body.replacingOccurrences(of: "\n", with: "\r\n").utf8).base64EncodedString(options: [
            .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
        ])
        bytes = Array((headers.joined(separator: "\r\n") + "\r\n\r\n" + body + "\r\n").utf8)
    }

    /// Encoded words of RFC 2047, each of whole characters and short enough for a line.
    private static func encoded(_ text: String) -> String {
        var words: [String] = []
        var current = ""
        for scalar in text.unicodeScalars {
            if current.utf8.count + String(scalar).utf8.count > 42 {
                words.append(current)
                current = ""
            }
            current.unicodeScalars.append(scalar)
        }
        words.append(current)
        return words.map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    /// RFC 5322, in Asia/Shanghai.
    private static func date(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 8 * 3600)
        formatter.dateFormat = "EEE, d MMM yyyy HH:mm:ss Z"
        return formatter.string(from: date)
    }
}

/// What makes a message one and the same, in letters that every header takes: its key and its row.
enum MessageIdentity {
    static func text(_ message: OutgoingMessage) -> String {
        var text = ""
        for byte in message.key.utf8 {
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == UInt8(ascii: "-")
            text += isPlain ? String(UnicodeScalar(byte)) : "=" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        // The same key in another database is another message.
        return "\(text).\(message.id).\(Int(message.createdAt.timeIntervalSince1970 * 1000))"
    }
}
