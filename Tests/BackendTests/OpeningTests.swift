import Backend
import Batches
import Codes
import Database
import Foundation
import Kernel
import Orchard
import Postgres
import Registers
import Signing
import TestSupport
import Testing

/// Runs `body` with the path of a data folder that nothing has made yet; afterwards neither it nor its server is there.
func withDataFolder(_ body: @Sendable (String) async throws -> Void) async throws {
    let parent = "/tmp/taoyuan-backend-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    defer {
        let lines = try? String(contentsOfFile: parent + "/data/postgres/postmaster.pid", encoding: .utf8)
        if let process = lines?.split(separator: "\n").first.flatMap({ pid_t($0) }) { kill(process, SIGQUIT) }
        try? FileManager.default.removeItem(atPath: parent)
    }
    try await body(parent + "/data")
}

extension Backend {
    /// Registers a harvest of a plot of its own and verifies its code.
    func registerAndVerify() async throws -> Answer {
        let header = "户号,户主,网格,帮扶类别,合作社,人口"
        let folder = "/tmp/taoyuan-registers-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await load("\(folder)/h.csv", [header, "H1,张三,一网格,一般户,东社,3"], HouseholdRegister(today: clock.today))
        try await load(
            "\(folder)/p.csv", ["地块号,名称,合作社,户号,作物,面积亩", "E1,东园,东社,H1,蟠桃,10"],
            PlotRegister(today: clock.today))
        let harvest = Harvest(
            plot: "E1", product: nil, variety: "瑞蟠21号", grade: "特级", day: clock.today, weight: Weight(grams: 1000),
            picker: nil)
        let code = try await database.change(
            local.scope, CodeStore(database, keys: keys).register(harvest, today: clock.today))
        return try await verification.verify(code.payload).answer
    }

    private func load<Recorder: RegisterRecorder & Sendable>(
        _ path: String, _ lines: [String], _ recorder: Recorder
    ) async throws {
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: path))
        let register = try await Register(path: path, columns: Recorder.columns)
        _ = try await Import(database, scope: local.scope, choices: ImportChoices()).run(
            register, kind: "test", recorder: recorder, refusedRow: { _, _ in }, progress: { _ in })
    }
}

@Suite struct EmbeddedOpeningTests {
    @Test func `an empty data folder becomes the village of the configuration, once`() async throws {
        try await withDataFolder { path in
            let configuration = try Configuration(
                environment: [
                    "TAOYUAN_VILLAGE": "桃源村", "TAOYUAN_BRAND": "桃源", "TAOYUAN_ORIGIN": "trace.example.cn",
                ], dataDirectory: path)
            let missing = try await refusal { try await Backend.open(configuration) }
            #expect(missing?.code == "no-data")
            #expect(missing?.sentence(in: .english).contains("taoyuan init") == true)
            #expect(!FileManager.default.fileExists(atPath: path), "what only reads makes no folder")
            let first = try await Backend.open(configuration, founding: Founding(configuration))
            #expect(first.village == Village(id: 1, name: "桃源村", brand: "桃源", origin: "trace.example.cn"))
            #expect(first.keys.all.count == 1)
            #expect(try first.keys.signer().keyID == first.keys.all.first?.id)
            try await first.county.checkReady()
            #expect(try await first.registerAndVerify() == .genuine)
            let mode = try FileManager.default.attributesOfItem(atPath: path + "/key-passphrase")[.posixPermissions]
            #expect(mode as? Int == 0o600)

            let renamed = try Configuration(environment: ["TAOYUAN_VILLAGE": "别村"], dataDirectory: path)
            let second = try await Backend.open(renamed)
            #expect(second.village == first.village, "a village keeps the name under which it was founded")
            #expect(second.keys.all.map(\.id) == first.keys.all.map(\.id))
            await first.close()
            try await second.county.checkReady()
            await second.close()

            let third = try await Backend.open(configuration)
            #expect(third.keys.all.map(\.id) == first.keys.all.map(\.id))
            #expect(try third.keys.signer().keyID == first.keys.all.first?.id)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/keys").count == 1)
            await third.close()
        }
    }

    @Test func `commands that start at once share one village`() async throws {
        try await withDataFolder { path in
            let configuration = try Configuration(environment: [:], dataDirectory: path)
            let backends = try await withThrowingTaskGroup(of: Backend.self) { group in
                for _ in 0..<3 { group.addTask { try await Backend.open(configuration, founding: .sample) } }
                var all: [Backend] = []
                for try await backend in group { all.append(backend) }
                return all
            }
            #expect(Set(backends.map(\.village)).count == 1)
            let scope = backends[0].local.scope
            #expect(try await OrchardStore(backends[0].database).products(scope).count == 2)
            #expect(try await backends[0].registerAndVerify() == .genuine)
            for backend in backends { await backend.close() }
        }
    }
}

/// A PostgreSQL of one's own, whose roles have to show their passwords.
@Suite struct ServerOpeningTests {
    private static let passphrase = "correct horse battery"

    private func configuration(
        _ server: TestServer, _ database: String, user: String = "postgres", password: String? = nil,
        passphrase: String? = passphrase,
        keys: String
    ) throws -> Configuration {
        var environment = [
            "DATABASE_URL": "postgresql:///\(database)?host=\(server.folder)&user=\(user)",
            "TAOYUAN_KEYS_DIR": keys, "TAOYUAN_VILLAGE": "韩村", "TAOYUAN_BRAND": "津小韩",
            "TAOYUAN_ORIGIN": "trace.example.cn", "TAOYUAN_POOL_SIZE": "2",
        ]
        if let password {
            environment["TAOYUAN_SERVICE_URL"] = Self.url(server, database, "taoyuan_service", password)
            environment["TAOYUAN_PUBLIC_URL"] = Self.url(server, database, "taoyuan_public", "other \(password)")
        }
        environment["TAOYUAN_KEY_PASSPHRASE"] = passphrase
        return try Configuration(environment: environment)
    }

    /// The same without the owner's login, as a server has it.
    private func serving(_ configuration: Configuration) -> Configuration {
        var configuration = configuration
        configuration.databaseURL = nil
        return configuration
    }

    private static func url(_ server: TestServer, _ database: String, _ user: String, _ password: String) -> String {
        let escaped = password.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return "postgresql://\(user):\(escaped)@/\(database)?host=\(server.folder)"
    }

    private func withServer(_ entry: TestServer.Entry, _ body: @Sendable (TestServer, String) async throws -> Void)
        async throws
    {
        let server = try await TestServer.start(entry)
        let keys = "/tmp/taoyuan-keys-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: keys) }
        let connection = try await Connection.open(server.settings())
        _ = try await connection.query("CREATE DATABASE village")
        await connection.close()
        try await body(server, keys)
    }

    @Test(arguments: [TestServer.Entry.trust, .passwordForRoles])
    func `a server has to be migrated first, and then works`(entry: TestServer.Entry) async throws {
        try await withServer(entry) { server, keys in
            let password = entry == .trust ? nil : "s3cret's \"words\" \\ 密码"
            let good = try configuration(server, "village", password: password, keys: keys)
            let early = try await refusal { try await Backend.open(good) }
            #expect(early?.code == "schema-older")
            #expect(early?.message.en.contains("taoyuan migrate") == true)

            let applied = try await Backend.migrate(good)
            #expect(applied.count >= 6)
            #expect(try await Backend.migrate(good).isEmpty)
            let backend = try await Backend.open(good)
            #expect(backend.keys.all.count == 1)
            #expect(try await backend.registerAndVerify() == .genuine)
            try await backend.county.checkReady()
            let role = try await backend.database.queryOutside("SELECT current_user::text AS role").first
            #expect(try role?.decode("role") == "taoyuan_service")
            let stranger = try await backend.database.publicQuery("SELECT current_user::text AS role").first
            #expect(try stranger?.decode("role") == "taoyuan_public")
            await backend.close()

            let silent = try configuration(server, "village", password: password, passphrase: nil, keys: keys)
            let missing = try await refusal { try await Backend.open(silent) }
            #expect(missing?.field == "TAOYUAN_KEY_PASSPHRASE")
        }
    }

    @Test func `a server takes the roles' own logins, and none that could become the owner`() async throws {
        try await withServer(.passwordForRoles) { server, keys in
            let good = try configuration(server, "village", password: "s3cret's \"words\" \\ 密码", keys: keys)
            _ = try await Backend.migrate(good)
            let backend = try await Backend.open(serving(good), for: .serving)
            #expect(try await backend.registerAndVerify() == .genuine)
            // It logged in as this role: there is nothing to go back to.
            let role = try await backend.database.queryOutside("SELECT session_user::text AS role").first
            #expect(try role?.decode("role") == "taoyuan_service")
            await backend.close()

            // It must not even hold the owner's login, with the roles' or alone.
            for both in [good, try configuration(server, "village", keys: keys)] {
                let refused = try await refusal { try await Backend.open(both, for: .serving) }
                #expect(refused?.code == "serves-as-owner" && refused?.field == "DATABASE_URL")
            }
            let owner = try #require(good.databaseURL)
            for (service, open, field) in [
                (owner, good.publicURL, "TAOYUAN_SERVICE_URL"),
                (owner + "&options=-c%20role%3Dtaoyuan_service", good.publicURL, "TAOYUAN_SERVICE_URL"),
                (good.serviceURL, owner + "&options=-c%20role%3Dtaoyuan_public", "TAOYUAN_PUBLIC_URL"),
                (good.serviceURL, good.serviceURL, "TAOYUAN_PUBLIC_URL"),
            ] as [(String?, String?, String)] {
                let wrong = serving(good, service: service, open: open)
                let refused = try await refusal { try await Backend.open(wrong, for: .serving) }
                #expect(refused?.code == "serves-as-owner" && refused?.field == field)
            }
            let ownerless = try await refusal { try await Backend.migrate(serving(good)) }
            #expect(ownerless?.field == "DATABASE_URL")
        }
    }

    @Test(arguments: ["taoyuan_service", "taoyuan_public"])
    func `a server takes no login that PostgreSQL lets do more`(role: String) async throws {
        try await withServer(.passwordForRoles) { server, keys in
            let good = try configuration(server, "village", password: "s3cret", keys: keys)
            _ = try await Backend.migrate(good)
            let owner = try await Connection.open(server.settings())
            let powers = try await owner.query(
                "SELECT rolname::text FROM pg_roles WHERE starts_with(rolname, 'pg_') AND rolname <> 'pg_database_owner'"
            ).map { try $0.decode(0, as: String.self) }
            #expect(powers.count >= 10)
            let field = role == "taoyuan_service" ? "TAOYUAN_SERVICE_URL" : "TAOYUAN_PUBLIC_URL"
            for power in powers {
                _ = try await owner.query("GRANT \(identifier: power) TO \(identifier: role)")
                let refused = try await refusal { try await Backend.open(serving(good), for: .serving) }
                #expect(refused?.code == "serves-as-owner" && refused?.field == field, "\(power)")
                #expect(refused?.message.en.contains(power) == true)
                _ = try await owner.query("REVOKE \(identifier: power) FROM \(identifier: role)")
            }
            for (power, none) in [("CREATEDB", "NOCREATEDB"), ("REPLICATION", "NOREPLICATION")] as [(SQL, SQL)] {
                _ = try await owner.query("ALTER ROLE \(identifier: role) " + power)
                let refused = try await refusal { try await Backend.open(serving(good), for: .serving) }
                #expect(refused?.code == "serves-as-owner" && refused?.field == field)
                _ = try await owner.query("ALTER ROLE \(identifier: role) " + none)
            }
            await owner.close()
            let backend = try await Backend.open(serving(good), for: .serving)
            await backend.close()
        }
    }

    @Test func `what a login has set for itself stops no server, and ends with a migration`() async throws {
        try await withServer(.passwordForRoles) { server, keys in
            let good = try configuration(server, "village", password: "s3cret", keys: keys)
            _ = try await Backend.migrate(good)
            let owner = try await Connection.open(server.settings())
            for role in ["taoyuan_service", "taoyuan_public"] {
                for setting in [
                    "statement_timeout = '1ms'", "lock_timeout = '1ms'", "idle_in_transaction_session_timeout = '1ms'",
                    "idle_session_timeout = '1ms'", "synchronous_commit = off", "standard_conforming_strings = off",
                    "array_nulls = off",
                ] as [SQL] {
                    _ = try await owner.query("ALTER ROLE \(identifier: role) SET " + setting)
                }
                _ = try await owner.query(
                    "ALTER ROLE \(identifier: role) IN DATABASE village SET statement_timeout = 1")
            }
            let backend = try await Backend.open(serving(good), for: .serving)
            #expect(try await backend.registerAndVerify() == .genuine)
            let slow = Scope(village: backend.village.id, cooperative: nil, actor: "account:li")
            try await backend.database.transaction(slow) { transaction in
                let commits = try await transaction.query("SHOW synchronous_commit").first
                #expect(try commits?.decode(0) == "on")
                try await Task.sleep(for: .milliseconds(100))
                _ = try await transaction.query("SELECT pg_sleep(0.1)")
            }
            await backend.close()
            let kept: SQL = """
                SELECT FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole WHERE r.rolname LIKE 'taoyuan%'
                """
            #expect(try await owner.query(kept).count == 4)
            _ = try await Backend.migrate(good)
            #expect(try await owner.query(kept).isEmpty)
            await owner.close()
        }
    }

    private func serving(_ configuration: Configuration, service: String?, open: String?) -> Configuration {
        var configuration = serving(configuration)
        (configuration.serviceURL, configuration.publicURL) = (service, open)
        return configuration
    }

    @Test func `a database's owner who is no superuser migrates it, and may not serve`() async throws {
        try await withServer(.passwordForRoles) { server, keys in
            let connection = try await Connection.open(server.settings())
            _ = try await connection.query("CREATE ROLE keeper LOGIN CREATEROLE")
            _ = try await connection.query("CREATE DATABASE kept OWNER keeper")
            await connection.close()
            let good = try configuration(server, "kept", user: "keeper", password: "s3cret", keys: keys)
            _ = try await Backend.migrate(good)
            #expect(try await Backend.migrate(good).isEmpty)
            let backend = try await Backend.open(serving(good), for: .serving)
            #expect(try await backend.registerAndVerify() == .genuine)
            await backend.close()
            let command = try await Backend.open(configuration(server, "kept", user: "keeper", keys: keys))
            #expect(try await command.verification.verify("x").answer == .malformed)
            await command.close()
            let wrong = serving(good, service: good.databaseURL, open: good.publicURL)
            #expect(try await refusal { try await Backend.open(wrong, for: .serving) }?.code == "serves-as-owner")
        }
    }

    @Test func `who may not make the roles is told what the administrator of the server has to do`() async throws {
        try await withServer(.passwordForRoles) { server, keys in
            let connection = try await Connection.open(server.settings())
            func run(_ statements: SQL...) async throws {
                for statement in statements { _ = try await connection.query(statement) }
            }
            try await run("CREATE ROLE plain LOGIN", "CREATE DATABASE ours OWNER plain")
            let plain = try configuration(server, "ours", user: "plain", keys: keys)
            let denied = try #require(await refusal { try await Backend.migrate(plain) })
            #expect(denied.code == "roles-denied" && denied.field == "DATABASE_URL")
            #expect(denied.message.en.contains("CREATEROLE") && denied.message.en.contains("WITH ADMIN OPTION"))

            // Roles that another database's owner has made are not everybody's to use either.
            try await run(
                "CREATE ROLE taoyuan_owner NOLOGIN", "CREATE ROLE taoyuan_service LOGIN PASSWORD 's3cret'",
                "CREATE ROLE taoyuan_public LOGIN PASSWORD 'other s3cret'")
            #expect(try await refusal { try await Backend.migrate(plain) }?.code == "roles-denied")
            try await run(
                "GRANT taoyuan_owner, taoyuan_service, taoyuan_public TO plain WITH ADMIN OPTION")
            #expect(try await Backend.migrate(plain).count >= 6)
            let withPasswords = try configuration(server, "ours", user: "plain", password: "s3cret", keys: keys)
            let noPassword = try #require(await refusal { try await Backend.migrate(withPasswords) })
            #expect(noPassword.code == "role-password" && noPassword.message.en.contains("TAOYUAN_SERVICE_URL"))
            let backend = try await Backend.open(serving(withPasswords), for: .serving)
            #expect(try await backend.registerAndVerify() == .genuine)
            await backend.close()
            await connection.close()
        }
    }

    @Test func `a database that can't hold every text, or holds another program's tables, is left alone`() async throws
    {
        try await withServer(.trust) { server, keys in
            let connection = try await Connection.open(server.settings())
            _ = try await connection.query(
                "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
            _ = try await connection.query("CREATE DATABASE theirs")
            await connection.close()
            let latin = try await refusal {
                try await Backend.found(configuration(server, "latin", keys: keys), .sample)
            }
            #expect(latin?.code == "database-encoding" && latin?.message.zh.contains("LATIN1") == true)
            var settings = server.settings()
            settings.database = "theirs"
            let theirs = try await Connection.open(settings)
            for (make, name) in [
                ("CREATE TABLE invoice (id int)", "invoice"), ("ALTER TABLE invoice RENAME TO z", "z"),
                ("CREATE VIEW a AS SELECT 1 AS x", "a"),
            ] as [(SQL, String)] {
                _ = try await theirs.query(make)
                let refused = try await refusal {
                    try await Backend.found(configuration(server, "theirs", keys: keys), .sample)
                }
                #expect(refused?.code == "others-tables" && refused?.message.en.contains("(\(name))") == true)
            }
            let owner = try await theirs.query(
                "SELECT relowner::regrole::text AS name FROM pg_class WHERE relname = 'z'")
            #expect(try owner.first?.decode("name") == "postgres")
            await theirs.close()
        }
    }

    @Test func `an address that can't be read, or where nobody answers, is told by its setting`() async throws {
        for (name, url) in [
            ("TAOYUAN_SERVICE_URL", "postgres://taoyuan_service:kJ8sQe/7Zy@127.0.0.1:1/village"),
            ("TAOYUAN_SERVICE_URL", "postgres://taoyuan_service:kJ8sQe%2F7Zy@127.0.0.1:1/village"),
            ("DATABASE_URL", "postgres://owner:kJ8sQe@7Zy@127.0.0.1:1/village"),
            ("DATABASE_URL", "postgres://owner:x@7Zy.invalid/village"),
        ] {
            let environment = [
                name: url, "TAOYUAN_KEY_PASSPHRASE": "x",
                name == "DATABASE_URL" ? "" : "TAOYUAN_PUBLIC_URL": "postgres://taoyuan_public@127.0.0.1:1/village",
            ]
            let settings = try Configuration(environment: environment)
            let refused = try await refusal {
                try await Backend.open(settings, for: name == "DATABASE_URL" ? .command : .serving)
            }
            #expect(refused?.field == name, "\(url)")
            let told = "\(String(describing: refused))"
            #expect(!told.contains("kJ8sQe") && !told.contains("7Zy"), "\(told)")
        }
    }

    @Test func `where no key can be made, no village is founded and no origin added`() async throws {
        try await withServer(.trust) { server, keys in
            let good = try configuration(server, "village", keys: keys)
            let founding = Founding.sample
            let silent = try configuration(server, "village", passphrase: nil, keys: keys)
            #expect(try await refusal { try await Backend.found(silent, founding) }?.field == "TAOYUAN_KEY_PASSPHRASE")
            let nowhere = try configuration(server, "village", keys: "/proc/keys")
            #expect(try await refusal { try await Backend.found(nowhere, founding) }?.code == "key-folder-unusable")
            #expect(try await Backend.found(good, founding).name == founding.village)

            let origin = try Origin("suyuan.example.cn")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: keys)
            #expect(try await refusal { try await Backend.addOrigin(good, origin) }?.code == "key-folder-too-open")
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: keys)
            _ = try await Backend.addOrigin(good, origin)
        }
    }

    @Test func `of several migrations at once one works, and there is one first key`() async throws {
        try await withServer(.passwordForRoles) { server, keys in
            let good = try configuration(server, "village", password: "s3cret", keys: keys)
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<6 { group.addTask { try await Backend.migrate(good).count } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(applied.filter { $0 > 0 }.count == 1)
            let backend = try await Backend.open(serving(good), for: .serving)
            #expect(backend.keys.all.count == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: keys).count == 1)
            await backend.close()
        }
    }

    @Test func `no password gets into PostgreSQL's log, whatever it logs`() async throws {
        try await withServer(.passwordForRoles) { server, keys in
            let connection = try await Connection.open(server.settings())
            _ = try await connection.query("ALTER SYSTEM SET log_statement = 'all'")
            _ = try await connection.query("ALTER SYSTEM SET log_parameter_max_length = -1")
            _ = try await connection.query("SELECT pg_reload_conf()")
            await connection.close()
            _ = try await Backend.migrate(configuration(server, "village", password: "geheim42", keys: keys))
            // Its own user's, and read by root alone.
            let log = try String(contentsOfFile: server.folder + "/log", encoding: .utf8)
            #expect(log.contains("ALTER ROLE \"taoyuan_service\" PASSWORD 'SCRAM-SHA-256$"))
            #expect(!log.contains("geheim42"))
        }
    }

    @Test func `a dump restored where the roles are missing is made whole by a migration`() async throws {
        try await withServer(.trust) { old, keys in
            _ = try await Backend.migrate(configuration(old, "village", keys: keys))
            try await withServer(.passwordForRoles) { new, _ in
                let restore = """
                    pg_dump -h '\(old.folder)' -U postgres village | psql -qX -h '\(new.folder)' -U postgres -d village
                    """
                #expect(await output("bash", "-o", "pipefail", "-c", restore) != nil)
                let after = try configuration(new, "village", password: "s3cret", keys: keys)
                #expect(try await refusal { try await Backend.open(serving(after), for: .serving) } != nil)
                #expect(try await Backend.migrate(after).isEmpty)
                let backend = try await Backend.open(serving(after), for: .serving)
                #expect(backend.keys.all.count == 1)
                #expect(try await backend.registerAndVerify() == .genuine)
                await backend.close()
            }
        }
    }

    @Test func `a wrong password is refused in one sentence`() async throws {
        try await withServer(.passwordForRoles) { server, keys in
            _ = try await Backend.migrate(configuration(server, "village", password: "right", keys: keys))
            let wrong = try configuration(server, "village", password: "wrong", keys: keys)
            let refused = try await refusal { try await Backend.open(wrong) }
            #expect(refused?.kind == .unavailable)
            #expect(refused?.message.en.contains("wrong") == false, "a password is quoted")
        }
    }

    @Test func `a server that is not there is refused in one sentence`() async throws {
        for url in ["postgresql:///x?host=/nowhere", "postgresql://postgres@127.0.0.1:1/x"] {
            let configuration = try Configuration(environment: [
                "DATABASE_URL": url, "TAOYUAN_KEY_PASSPHRASE": Self.passphrase,
            ])
            let opened = try await refusal { try await Backend.open(configuration) }
            #expect(opened?.kind == .unavailable)
            let migrated = try await refusal { try await Backend.migrate(configuration) }
            #expect(migrated?.kind == .unavailable)
        }
        let bad = try Configuration(environment: ["DATABASE_URL": "postgres://[", "TAOYUAN_KEY_PASSPHRASE": "x"])
        let refused = try await refusal { try await Backend.open(bad) }
        #expect(refused?.field == "DATABASE_URL")
    }
}
