import Backend
import Foundation
import Kernel
import Orchard
import Testing

@Suite struct ConfigurationTests {
    private func secretFile(_ text: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)").path
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    @Test func `without an environment everything has its default`() throws {
        let configuration = try Configuration(environment: [:])
        #expect(configuration.village == nil && configuration.brand == nil && configuration.origin == nil)
        #expect(configuration.port == 8080)
        #expect(configuration.host == "127.0.0.1")
        #expect(configuration.databaseURL == nil)
        #expect(configuration.keyPassphrase == nil)
        #expect(configuration.dataDirectory == ".taoyuan")
        #expect(try Configuration(environment: [:], dataDirectory: "/srv/x").dataDirectory == "/srv/x")
    }

    @Test func `an empty variable is none`() throws {
        let configuration = try Configuration(environment: [
            "TAOYUAN_VILLAGE": "", "TAOYUAN_PORT": "", "DATABASE_URL": "", "DATABASE_URL_FILE": "",
            "TAOYUAN_KEY_PASSPHRASE": "",
        ])
        #expect(configuration.village == nil)
        #expect(configuration.port == 8080)
        #expect(configuration.databaseURL == nil)
        #expect(configuration.keyPassphrase == nil)
    }

    @Test(arguments: ["DATABASE_URL", "TAOYUAN_KEY_PASSPHRASE"])
    func `a secret may come from a file, and from one place only`(name: String) throws {
        let path = try secretFile("s3cret words\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let configuration = try Configuration(environment: ["\(name)_FILE": path])
        let values = [
            "DATABASE_URL": configuration.databaseURL,
            "TAOYUAN_KEY_PASSPHRASE": configuration.keyPassphrase.map { String(decoding: $0.bytes, as: UTF8.self) },
        ]
        #expect(values.compactMapValues(\.self) == [name: "s3cret words"])
        let both = #expect(throws: Refusal.self) {
            try Configuration(environment: ["\(name)_FILE": path, name: "other"])
        }
        #expect(both?.code == "bad-setting")
        #expect(both?.field == name)
        let missing = #expect(throws: Refusal.self) { try Configuration(environment: ["\(name)_FILE": "/nowhere"]) }
        #expect(missing?.field == "\(name)_FILE")
    }

    @Test func `the two logins of a server come together`() throws {
        for (name, missing) in [
            ("TAOYUAN_SERVICE_URL", "TAOYUAN_PUBLIC_URL"), ("TAOYUAN_PUBLIC_URL", "TAOYUAN_SERVICE_URL"),
        ] {
            let refused = #expect(throws: Refusal.self) { try Configuration(environment: [name: "postgres://x@db/x"]) }
            #expect(refused?.code == "bad-setting" && refused?.field == missing)
            let path = try secretFile("postgres://x@db/x\n")
            defer { try? FileManager.default.removeItem(atPath: path) }
            let both = try Configuration(environment: ["\(name)_FILE": path, missing: "postgres://y@db/x"])
            #expect(!both.isEmbedded && both.databaseURL == nil)
        }
        #expect(try Configuration(environment: [:]).isEmbedded)
    }

    @Test func `messages have their ways, and their addresses are secrets`() throws {
        #expect(try Configuration(environment: [:]).messageWays.isEmpty)
        let path = try secretFile("https://sms.example.cn/send?token=hunter2\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let configuration = try Configuration(environment: [
            "TAOYUAN_SMTP_URL": "smtp://tours:hunter2@mail.example.cn", "TAOYUAN_MAIL_FROM": "tours@example.cn",
            "TAOYUAN_WEBHOOK_URL_FILE": path,
        ])
        #expect(configuration.messageWays.mail != nil && configuration.messageWays.webhook != nil)
        #expect(!configuration.effective.contains { $0.value.contains("hunter2") })
        #expect(configuration.effective.contains { $0 == ("TAOYUAN_MAIL_FROM", "tours@example.cn") })
        for (name, environment) in [
            ("TAOYUAN_SMTP_URL", ["TAOYUAN_SMTP_URL": "mail.example.cn", "TAOYUAN_MAIL_FROM": "a@b.cn"]),
            ("TAOYUAN_MAIL_FROM", ["TAOYUAN_SMTP_URL": "smtp://mail.example.cn"]),
            ("TAOYUAN_WEBHOOK_URL", ["TAOYUAN_WEBHOOK_URL": "sms.example.cn"]),
        ] {
            let refused = #expect(throws: Refusal.self) { try Configuration(environment: environment) }
            #expect(refused?.field == name && refused?.code == "bad-setting")
        }
    }

    @Test(arguments: [
        ("TAOYUAN_PORT", "80a"), ("TAOYUAN_PORT", "-1"), ("TAOYUAN_PORT", "65536"), ("TAOYUAN_PORT", "1e3"),
        ("TAOYUAN_POOL_SIZE", "0"), ("TAOYUAN_POOL_SIZE", "201"), ("TAOYUAN_VERIFY_PER_MINUTE", "-1"),
        ("TAOYUAN_VERIFY_PER_MINUTE", "99999999999999999999"), ("TAOYUAN_BOOK_PER_MINUTE", "x"),
        ("TAOYUAN_LOOK_UP_PER_MINUTE", "-1"), ("TAOYUAN_SIGN_IN_PER_MINUTE", "1.5"), ("TAOYUAN_ADMIN_PORT", "65536"),
        ("TAOYUAN_CONNECTIONS", "15"), ("TAOYUAN_CONNECTIONS_PER_CLIENT", "-1"),
    ])
    func `a bad number is refused by its variable's name`(name: String, value: String) {
        let refused = #expect(throws: Refusal.self) { try Configuration(environment: [name: value]) }
        #expect(refused?.code == "bad-setting")
        #expect(refused?.field == name)
        #expect(refused?.sentence(in: .english).contains(name) == true)
    }

    @Test(arguments: [
        ("TAOYUAN_TRUSTED_PROXY_HEADER", "X Forwarded For"), ("TAOYUAN_TRUSTED_PROXY_HEADER", "X-Forwarded-For:"),
        ("TAOYUAN_TRUSTED_PROXY_HEADER", "转发"), ("TAOYUAN_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("TAOYUAN_TRUSTED_PROXIES", "10.0.0.1, nginx"), ("TAOYUAN_TRUSTED_PROXIES", "10.0.0.1,,10.0.0.2"),
    ])
    func `a proxy that can't be believed is refused by its variable's name`(name: String, value: String) {
        let refused = #expect(throws: Refusal.self) { try Configuration(environment: [name: value]) }
        #expect(refused?.code == "bad-setting" && refused?.field == name)
    }

    @Test func `proxies are believed from this machine unless others are named`() throws {
        let usual = try Configuration(environment: [:])
        #expect(usual.trustedProxyHeader == nil && usual.adminPort == nil)
        #expect(usual.trustedProxies == ["127.0.0.0/8", "::1"].compactMap { IPNetwork($0) })
        let named = try Configuration(environment: [
            "TAOYUAN_TRUSTED_PROXY_HEADER": "X-Real-IP", "TAOYUAN_TRUSTED_PROXIES": " 10.0.0.1 , 2001:db8::/32",
        ])
        #expect(named.trustedProxyHeader == "X-Real-IP")
        #expect(named.trustedProxies == ["10.0.0.1", "2001:db8::/32"].compactMap { IPNetwork($0) })
    }

    @Test(arguments: ["https://x.cn", "x.cn/", "x cn", "桃源.cn", "-x.cn"])
    func `a bad origin is refused`(origin: String) {
        let refused = #expect(throws: Refusal.self) { try Configuration(environment: ["TAOYUAN_ORIGIN": origin]) }
        #expect(refused?.code == "bad-origin")
        #expect(refused?.field == "TAOYUAN_ORIGIN")
    }

    @Test func `an origin is kept in its one spelling`() throws {
        #expect(
            try Configuration(environment: ["TAOYUAN_ORIGIN": "Trace.Example.CN:443"]).origin?.text
                == "trace.example.cn")
    }

    @Test func `a setting tells where it comes from, and whether it can take effect`() throws {
        let path = try secretFile("s3cret words\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let configuration = try Configuration(
            environment: [
                "TAOYUAN_KEY_PASSPHRASE_FILE": path, "TAOYUAN_ORIGIN": "other.example", "TAOYUAN_BRAND": "津小韩",
            ], dataDirectory: "/srv/data")
        #expect(configuration.source(of: "TAOYUAN_KEY_PASSPHRASE") == .file)
        #expect(configuration.source(of: "TAOYUAN_DATA_DIR") == .commandLine)
        #expect(configuration.source(of: "TAOYUAN_ORIGIN") == .environment)
        #expect(configuration.source(of: "TAOYUAN_VILLAGE") == .builtIn)
        let village = Village(id: 1, name: "别村", brand: "津小韩", origin: "trace.example.cn")
        let without = configuration.withoutEffect(in: village)
        #expect(without.map(\.name) == ["TAOYUAN_ORIGIN"])
        #expect(without.first?.given == "other.example" && without.first?.inEffect == "trace.example.cn")
    }

    @Test(arguments: [
        ("TAOYUAN_LOG_LEVEL", "loud"), ("TAOYUAN_KEEP_ANSWERS_HOURS", "1"), ("TAOYUAN_KEEP_CONTACTS_DAYS", "30"),
        ("TAOYUAN_KEEP_SESSIONS_DAYS", "-1"), ("TAOYUAN_KEEP_SCANS_MONTHS", "0"),
    ]) func `what is kept has a least time, and a level is one of the known`(name: String, value: String) throws {
        let refused = #expect(throws: Refusal.self) { try Configuration(environment: [name: value]) }
        #expect(refused?.field == name)
        let usual = try Configuration(environment: [:])
        #expect(usual.logLevel == .info && usual.retention.answerHours == 48 && usual.retention.contactDays == 730)
    }

    @Test func `the listing shows every setting and no secret`() throws {
        let environment = [
            "DATABASE_URL": "postgres://li:hunter2@db/x",
            "TAOYUAN_SERVICE_URL": "postgres://taoyuan_service:hunter3@db/x",
            "TAOYUAN_PUBLIC_URL": "postgres://taoyuan_public:hunter5@db/x",
            "TAOYUAN_KEY_PASSPHRASE": "hunter4", "TAOYUAN_VILLAGE": "桃源村", "TAOYUAN_PORT": "9000",
        ]
        let configuration = try Configuration(environment: environment, dataDirectory: "/srv/data")
        let listing = Dictionary(configuration.effective.map { ($0.name, $0.value) }) { $1 }
        #expect(listing["TAOYUAN_VILLAGE"] == "桃源村")
        #expect(listing["TAOYUAN_PORT"] == "9000")
        for name in ["DATABASE_URL", "TAOYUAN_SERVICE_URL", "TAOYUAN_PUBLIC_URL", "TAOYUAN_KEY_PASSPHRASE"] {
            #expect(listing[name] == "•••")
        }
        #expect(!listing.values.contains { $0.contains("hunter") })
        // A command's own data folder goes before the environment's.
        let named = try Configuration(environment: ["TAOYUAN_DATA_DIR": "/a"])
        #expect(named.effective.contains { $0 == ("TAOYUAN_DATA_DIR", "/a") })
        #expect(listing.count == configuration.effective.count, "a setting stands twice")
    }
}
