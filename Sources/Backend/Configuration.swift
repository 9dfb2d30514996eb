import Foundation
import Kernel
import Logging
import Messages
import Orchard
import Signing
import Tours

/// The effective configuration, from the environment. Each secret may come from a file: `NAME_FILE` beside `NAME`.
public struct Configuration: Sendable {
    /// Where the embedded PostgreSQL and the keys lie.
    public var dataDirectory: String
    /// A PostgreSQL of one's own, as a user who may become the schema's owner: for migrations and commands, never for
    /// serving.
    public var databaseURL: String?
    /// The same as the roles taoyuan_service and taoyuan_public; both or none.
    public var serviceURL: String?
    public var publicURL: String?
    public var keyPassphrase: Passphrase?
    public var keysDirectory: String?
    /// What an empty database is to become, as far as that is said.
    public var village: String?
    public var brand: String?
    /// What codes are signed for and where their addresses point.
    public var origin: Origin?
    /// The address on which to listen.
    public var host: String
    public var port: Int
    /// Where those who run the program ask how it is; without a port of theirs, on the one that serves everybody.
    public var adminHost: String
    public var adminPort: Int?
    public var poolSize: Int
    public var requestLimits: RequestLimits
    /// Connections at most, in all and of one client; 0 for any number of one client.
    public var connections: Int
    public var connectionsPerClient: Int
    /// The field in which proxies in front name the client; nil without any.
    public var trustedProxyHeader: String?
    /// From whom that field is believed.
    public var trustedProxies: [IPNetwork]
    /// How many requests for tours one phone may have open.
    public var bookingLimits: BookingLimits
    /// By which messages to those who booked leave; without any nobody gets one.
    public var messageWays: MessageWays
    /// How many of them one address gets within 24 hours at most; 0 for any number.
    public var messagesPerDay: Int
    public var retention: Retention
    /// How much is logged.
    public var logLevel: Logger.Level
    /// Where PostgreSQL's programs are; nil looks in the usual places.
    public var postgresBinaries: String?

    private var listing: [(name: String, value: String)] = []
    /// Where a setting that is not the default comes from.
    private var sources: [String: Source] = [:]

    /// Where a setting comes from.
    public enum Source: String, Sendable {
        case commandLine = "command line"
        case environment
        case file
        case builtIn = "default"
        /// What an empty database is made into, it remains.
        case database

        public var label: Bilingual {
            switch self {
            case .commandLine: Bilingual(zh: "命令行", en: rawValue)
            case .environment: Bilingual(zh: "环境变量", en: rawValue)
            case .file: Bilingual(zh: "文件", en: rawValue)
            case .builtIn: Bilingual(zh: "默认", en: rawValue)
            case .database: Bilingual(zh: "数据库", en: rawValue)
            }
        }
    }

    /// - Throws: a `Refusal` naming the variable that is wrong.
    public init(environment: [String: String], dataDirectory: String? = nil) throws {
        var reader = Reader(environment: environment)
        self.dataDirectory =
            try dataDirectory ?? reader.text("TAOYUAN_DATA_DIR", default: ".taoyuan")
        databaseURL = try reader.secret("DATABASE_URL")
        serviceURL = try reader.secret("TAOYUAN_SERVICE_URL")
        publicURL = try reader.secret("TAOYUAN_PUBLIC_URL")
        guard (serviceURL == nil) == (publicURL == nil) else {
            throw Refusal(
                .invalid, "bad-setting", field: serviceURL == nil ? "TAOYUAN_SERVICE_URL" : "TAOYUAN_PUBLIC_URL",
                zh: "TAOYUAN_SERVICE_URL 与 TAOYUAN_PUBLIC_URL 须一起给出",
                en: "give TAOYUAN_SERVICE_URL and TAOYUAN_PUBLIC_URL together")
        }
        if dataDirectory != nil,
            let name = databaseURL != nil ? "DATABASE_URL" : serviceURL.map({ _ in "TAOYUAN_SERVICE_URL" }),
            FileManager.default.fileExists(atPath: self.dataDirectory + "/postgres")
        {
            throw Refusal(
                .invalid, "two-databases", field: name, zh: "--data-dir 里有内置数据库，而 \(name) 指向另一个：请去掉其中一个",
                en: "--data-dir has an embedded database and \(name) names another: leave one of them out")
        }
        keyPassphrase = try reader.secret("TAOYUAN_KEY_PASSPHRASE").map { try Passphrase($0) }
        keysDirectory = try reader.optional("TAOYUAN_KEYS_DIR")
        village = try reader.optional("TAOYUAN_VILLAGE")
        brand = try reader.optional("TAOYUAN_BRAND")
        do {
            origin = try reader.optional("TAOYUAN_ORIGIN").map { try Origin($0) }
        } catch let refusal as Refusal {
            throw refusal.of(field: "TAOYUAN_ORIGIN")
        }
        host = try reader.text("TAOYUAN_HOST", default: "127.0.0.1")
        port = try reader.number("TAOYUAN_PORT", in: 0...65_535, default: 8080)
        adminHost = try reader.text("TAOYUAN_ADMIN_HOST", default: "127.0.0.1")
        adminPort = try reader.optionalNumber("TAOYUAN_ADMIN_PORT", in: 0...65_535)
        poolSize = try reader.number("TAOYUAN_POOL_SIZE", in: 1...200, default: 16)
        requestLimits = try reader.requestLimits()
        connections = try reader.number("TAOYUAN_CONNECTIONS", in: 16...65_536, default: 4096)
        connectionsPerClient = try reader.number("TAOYUAN_CONNECTIONS_PER_CLIENT", in: 0...65_536, default: 256)
        trustedProxyHeader = try reader.fieldName("TAOYUAN_TRUSTED_PROXY_HEADER")
        trustedProxies = try reader.networks("TAOYUAN_TRUSTED_PROXIES", default: "127.0.0.0/8, ::1")
        bookingLimits = BookingLimits(
            requests: try reader.number(
                "TAOYUAN_OPEN_BOOKINGS", in: 0...1_000_000, default: BookingLimits.usual.requests),
            seats: try reader.number("TAOYUAN_OPEN_SEATS", in: 0...1_000_000, default: BookingLimits.usual.seats))
        messageWays = try reader.messageWays()
        messagesPerDay = try reader.number(
            "TAOYUAN_MESSAGES_PER_DAY", in: 0...1_000_000, default: MessageRules.perDay)
        retention = Retention(
            answerHours: try reader.number(
                "TAOYUAN_KEEP_ANSWERS_HOURS", in: 24...8760, default: Retention.usual.answerHours),
            tokenDays: try reader.number(
                "TAOYUAN_KEEP_SESSIONS_DAYS", in: 7...3650, default: Retention.usual.tokenDays),
            contactDays: try reader.number(
                "TAOYUAN_KEEP_CONTACTS_DAYS", in: 365...36_500, default: Retention.usual.contactDays),
            scanMonths: try reader.number(
                "TAOYUAN_KEEP_SCANS_MONTHS", in: 12...1200, default: Retention.usual.scanMonths))
        logLevel = try reader.logLevel()
        postgresBinaries = try reader.optional("TAOYUAN_POSTGRES_BIN")
        listing = reader.listing
        sources = reader.sources
        if dataDirectory != nil { sources["TAOYUAN_DATA_DIR"] = .commandLine }
    }

    public func source(of name: String) -> Source { sources[name] ?? .builtIn }

    /// The settings that were given and can't take effect, because the database was made with others.
    public func withoutEffect(in village: Village) -> [(name: String, given: String, inEffect: String)] {
        let settings: [(name: String, given: String?, inEffect: String)] = [
            ("TAOYUAN_VILLAGE", self.village, village.name), ("TAOYUAN_BRAND", brand, village.brand),
            ("TAOYUAN_ORIGIN", origin?.text, village.origin),
        ]
        return settings.compactMap { name, given, inEffect in
            guard let given, given != inEffect else { return nil }
            return (name: name, given: given, inEffect: inEffect)
        }
    }

    /// Whether the program runs a PostgreSQL of its own.
    public var isEmbedded: Bool { databaseURL == nil && serviceURL == nil }

    /// Where the keys' files lie.
    public var keysFolder: String { keysDirectory ?? dataDirectory + "/keys" }

    /// Every setting with its effective value; secrets as dots.
    public var effective: [(name: String, value: String)] {
        listing.map { $0.name == "TAOYUAN_DATA_DIR" ? ($0.name, dataDirectory) : $0 }
    }

    struct Reader {
        let environment: [String: String]
        var listing: [(name: String, value: String)] = []
        var sources: [String: Source] = [:]

        mutating func optional(_ name: String) throws -> String? {
            let value = environment[name].flatMap { $0.isEmpty ? nil : $0 }
            listing.append((name, value ?? ""))
            if value != nil { sources[name] = .environment }
            return value
        }

        mutating func text(_ name: String, default fallback: String) throws -> String {
            let given = environment[name].flatMap { $0.isEmpty ? nil : $0 }
            listing.append((name, given ?? fallback))
            if given != nil { sources[name] = .environment }
            return given ?? fallback
        }

        mutating func number(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws -> Int {
            try Self.number(try text(name, default: String(fallback)), name, in: range)
        }

        mutating func optionalNumber(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
            try optional(name).map { try Self.number($0, name, in: range) }
        }

        private static func number(_ text: String, _ name: String, in range: ClosedRange<Int>) throws -> Int {
            guard let number = Int(text), range.contains(number) else {
                throw Refusal(
                    .invalid, "bad-setting", field: name, zh: "须是 \(range.lowerBound) 到 \(range.upperBound) 之间的整数",
                    en: "it must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }

        mutating func logLevel() throws -> Logger.Level {
            let text = try text("TAOYUAN_LOG_LEVEL", default: "info")
            guard let level = Logger.Level(rawValue: text) else {
                let all = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                throw Refusal(
                    .invalid, "bad-setting", field: "TAOYUAN_LOG_LEVEL", zh: "须是 \(all) 之一",
                    en: "it must be one of \(all)")
            }
            return level
        }

        mutating func messageWays() throws -> MessageWays {
            let server = try secret("TAOYUAN_SMTP_URL")
            let sender = try optional("TAOYUAN_MAIL_FROM")
            let webhook = try secret("TAOYUAN_WEBHOOK_URL")
            return MessageWays(
                mail: try server.map { try MailServer(url: $0, from: sender ?? "") },
                webhook: try webhook.map { try Webhook(url: $0) })
        }

        /// The variable, or the contents of the file that its twin names, without the line end.
        mutating func secret(_ name: String) throws -> String? {
            let plain = environment[name].flatMap { $0.isEmpty ? nil : $0 }
            let path = environment["\(name)_FILE"].flatMap { $0.isEmpty ? nil : $0 }
            guard plain == nil || path == nil else {
                throw Refusal(
                    .invalid, "bad-setting", field: name, zh: "\(name) 与 \(name)_FILE 只能给一个",
                    en: "give \(name) or \(name)_FILE, not both")
            }
            listing.append((name, plain == nil && path == nil ? "" : "•••"))
            if plain != nil { sources[name] = .environment }
            if path != nil { sources[name] = .file }
            guard let path else { return plain }
            guard let data = FileManager.default.contents(atPath: path),
                let text = String(data: data, encoding: .utf8)
            else {
                throw Refusal(
                    .invalid, "bad-setting", field: "\(name)_FILE", zh: "读不了这个文件", en: "this file can't be read")
            }
            return text.trimmingCharacters(in: .newlines)
        }
    }
}
