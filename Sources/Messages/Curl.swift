import Database
import Foundation

/// The `curl` program, which knows TLS, SMTP and HTTP better than we would. Its settings go in through standard input,
/// because everybody on the machine may read a program's arguments; what it sends goes through a pipe.
struct Curl: Sendable {
    /// How sending ended.
    enum Outcome: Sendable, Hashable {
        case sent
        /// Such as `smtp 550`, `http 503`, `curl 7`; and whether the server will never take it.
        case failed(String, forGood: Bool = false)
    }

    private var settings: [(name: String, value: String?)] = [
        // Its errors tell which of SMTP's commands was refused.
        ("silent", nil), ("show-error", nil), ("globoff", nil), ("output", "/dev/null"),
        ("write-out", "\n%{response_code}\n"),
        ("connect-timeout", "5"),
    ]
    private let document: [UInt8]
    private let protocolName: String
    private let accepts: ClosedRange<Int>

    static func mail(_ mail: Mail, to: String, through server: MailServer) -> Curl {
        var curl = Curl(document: mail.bytes, protocolName: "smtp", accepts: 200...299)
        let scheme = server.isEncrypted ? "smtps" : "smtp"
        curl.settings += [
            ("proto", "=smtp,smtps"), ("mail-from", server.from), ("mail-rcpt", to), ("upload-file", "/dev/fd/3"),
            // The path is the name by which we greet the server; without one it would be that of the uploaded file.
            ("url", "\(scheme)://\(server.host):\(server.port)/\(server.from.drop { $0 != "@" }.dropFirst())"),
        ]
        if server.needsTLS, !server.isEncrypted { curl.settings.append(("ssl-reqd", nil)) }
        if let user = server.user, let password = server.password {
            curl.settings.append(("user", "\(user):\(password)"))
        }
        return curl
    }

    static func post(_ json: [UInt8], identity: String, to webhook: Webhook) -> Curl {
        var curl = Curl(document: json, protocolName: "http", accepts: 200...299)
        curl.settings += [
            ("proto", "=http,https"), ("url", webhook.url), ("request", "POST"), ("data-binary", "@/dev/fd/3"),
            ("header", "Content-Type: application/json"), ("header", "Idempotency-Key: \(identity)"),
            ("header", "Expect:"), ("user-agent", "taoyuan"),
        ]
        return curl
    }

    private init(document: [UInt8], protocolName: String, accepts: ClosedRange<Int>) {
        self.document = document
        self.protocolName = protocolName
        self.accepts = accepts
    }

    /// One setting a line, each value in quotes.
    var configuration: String {
        settings.map { setting in
            setting.value.map { "\(setting.name) = \(Self.quoted($0))\n" } ?? "\(setting.name)\n"
        }.joined()
    }

    /// As curl's manual has it. A line end in a value would begin a setting of its own.
    static func quoted(_ value: String) -> String {
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0B}": text += "\\v"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

    /// Sends. In a task of its own that nobody cancels: what is on its way is waited for. When its time is over it is
    /// ended by us, because curl waits for a server that has gone silent after a mail's last line as long as that pleases.
    func run(within patience: Duration) async -> Outcome {
        let (input, document) = (Array(configuration.utf8), document)
        let outcome = await Task.detached {
            // -q comes first: it keeps the configuration of whoever runs us out.
            try? await Command(["curl", "-q", "-K", "-"]).run(input: input, document: document, within: patience)
        }.value
        guard let outcome else { return .failed("curl does not start") }
        if outcome.isLate { return .failed("no answer in time") }
        let code = outcome.output.split(separator: "\n").compactMap { Int($0) }.last ?? 0
        if outcome.status == 0, accepts.contains(code) { return .sent }
        let status = outcome.status >> 8 & 0xFF
        // Below 400, SMTP's last answer is not why it ended.
        if code >= 400 || outcome.status == 0 {
            let isFinal =
                protocolName == "smtp"
                ? MessageRules.isFinal(smtp: code, curl: status, talk: outcome.output)
                : MessageRules.isFinal(http: code)
            return .failed("\(protocolName) \(code)", forGood: isFinal)
        }
        // 127 is env's, when there is no such program.
        return .failed(status == 127 ? "curl is not installed" : "curl \(status)")
    }
}
