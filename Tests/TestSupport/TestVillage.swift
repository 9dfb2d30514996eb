import Access
import Codes
import Database
import Foundation
import Kernel
import Orchard
import Postgres
import Registers
import Signing
import Tours

/// A village of one test's own, in a database of its own on the shared server.
public final class TestVillage: Sendable {
    public let server: TestServer
    public let databaseName: String
    public let database: Database
    /// Logs in as the superuser, whom no row-level security binds.
    public let owner: Pool
    public let village: Village
    public let clock: SettableClock
    public let keys: KeyRing
    public let verification: Verification
    public let intake: BookingIntake
    /// For keys and files; removed with the village.
    public let folder: String

    /// The day on which a test's clock stands at first.
    public static let firstDay = CivilDay(daysSince2020: 2206)

    public var today: CivilDay { clock.today }
    public var committee: Scope { Scope(village: village.id, cooperative: nil, actor: "account:committee") }

    /// - Parameter spellings: the cooperatives that were merged into it.
    public func clerk(of cooperative: Int, spellings: [Int] = []) -> Scope {
        Scope(
            village: village.id, cooperative: cooperative, spellings: spellings, actor: "account:clerk-\(cooperative)")
    }

    fileprivate init(server: TestServer, databaseName: String, origin: String, poolSize: Int) async throws {
        self.server = server
        self.databaseName = databaseName
        clock = SettableClock(Self.firstDay)
        folder = "/tmp/taoyuan-village-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        owner = Pool(server.settings(database: databaseName, village: 1), size: 4, acquireTimeout: .seconds(60))
        database = Self.login(server, databaseName, size: poolSize)
        _ = try await owner.query("UPDATE village_origin SET origin = \(origin)")
        village = try await VillageStore.load(1, database)
        keys = try await Self.keyRing(database, village, folder)
        verification = Verification(CodeRegister(database), keys: keys, clock: clock.clock)
        intake = BookingIntake(
            database, village: village.id, limits: BookingLimits(requests: 0, seats: 0), lockTimeout: 60_000)
        _ = try await keys.create(.ed25519, database, committee)
    }

    /// The database as another process of the program would open it; the caller closes it.
    /// - Parameter givesKeys: as commands do.
    public func another(poolSize: Int = 2, givesKeys: Bool = false) -> Database {
        Self.login(server, databaseName, size: poolSize, givesKeys: givesKeys)
    }

    /// The keys as another process would hold them.
    public func anotherKeyRing(_ database: Database) async throws -> KeyRing {
        try await Self.keyRing(database, village, folder)
    }

    /// A path in the village's folder.
    public func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// One number, such as a count, by a statement of the superuser.
    public func number(_ statement: SQL) async throws -> Int64 {
        guard let row = try await owner.query(statement).first else { throw TestServer.Failure(description: "no row") }
        return try row.decode(0)
    }

    fileprivate func close() async {
        await database.close()
        await owner.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static func login(
        _ server: TestServer, _ name: String, size: Int, givesKeys: Bool = false
    ) -> Database {
        Database(
            service: server.settings(user: "taoyuan_service", database: name),
            open: server.settings(user: "taoyuan_public", database: name), size: size, patience: .seconds(60),
            givesKeys: givesKeys)
    }

    private static func keyRing(_ database: Database, _ village: Village, _ folder: String) async throws -> KeyRing {
        try await KeyRing(
            database, village: village,
            folder: KeyFolder(
                path: folder + "/keys", origin: Origin(village.origin), passphrase: Passphrase("correct horse battery"))
        )
    }
}

/// Runs `body` with a village of its own, and checks afterwards that its books are true.
/// - Parameter template: of a server of the test's own; by default the shared one's.
public func withVillage(
    on template: Template? = nil, origin: String = "trace.example.cn", poolSize: Int = 4,
    _ body: @Sendable (TestVillage) async throws -> Void
) async throws {
    var given = template
    if given == nil { given = try await Template.shared.value }
    guard let template = given else { return }
    await Places.shared.take()
    let name = "village_\(UUID().uuidString.prefix(8).lowercased())"
    do {
        try await template.create(name)
        let village = try await TestVillage(
            server: template.server, databaseName: name, origin: origin, poolSize: poolSize)
        do {
            try await body(village)
            try await Invariants.check(village.owner)
        } catch {
            await village.close()
            throw error
        }
        await village.close()
        try await template.drop(name)
    } catch {
        try? await template.drop(name)
        await Places.shared.giveBack()
        throw error
    }
    await Places.shared.giveBack()
}

/// The shared server with a migrated and founded village, which each test's database is a copy of.
public struct Template: Sendable {
    public static let shared = Task { try await Template(on: TestServer.start()) }

    public let server: TestServer
    private let maintenance: Pool

    public init(on server: TestServer) async throws {
        self.server = server
        maintenance = Pool(server.settings(), size: 2, acquireTimeout: .seconds(120))
        _ = try await maintenance.query("CREATE DATABASE village_template")
        try await Self.found(server.settings(database: "village_template"))
        _ = try await maintenance.query("ALTER DATABASE village_template IS_TEMPLATE true ALLOW_CONNECTIONS false")
    }

    /// Migrates a database and founds a village in it.
    public static func found(_ settings: Settings) async throws {
        _ = try await Migrator.ofThisProgram().migrate(using: settings)
        let owner = Pool(settings, size: 1)
        try await VillageStore.found(name: "试村", brand: "试品", origin: "trace.example.cn", owner: owner)
        try await VillageStore.prepareScanMonths(from: TestVillage.firstDay, owner: owner)
        await owner.close()
    }

    /// An empty database on the shared server; whoever makes it drops it.
    public func createEmpty(_ name: String) async throws {
        _ = try await maintenance.query("CREATE DATABASE \(identifier: name)")
    }

    func create(_ name: String) async throws {
        _ = try await maintenance.query(
            "CREATE DATABASE \(identifier: name) TEMPLATE village_template STRATEGY file_copy")
    }

    public func drop(_ name: String) async throws {
        _ = try await maintenance.query("DROP DATABASE IF EXISTS \(identifier: name) WITH (FORCE)")
    }
}

/// Lets so many tests at once at the server that their connections are not too many for it.
private actor Places {
    static let shared = Places()

    private var free = 6
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func giveBack() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}

extension TestVillage {
    /// The tables in which some text column holds the text.
    public func holds(_ text: String) async throws -> [String] {
        var found: [String] = []
        for row in try await owner.query(
            """
            SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                AND NOT relispartition ORDER BY relname
            """)
        {
            let table: String = try row.decode("relname")
            // bytea is searched as the characters that it may spell.
            let hex = text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            let count = try await number(
                """
                SELECT count(*) FROM \(identifier: table) t
                WHERE strpos(t::text, \(text)) > 0 OR strpos(t::text, \(hex)) > 0
                """)
            if count > 0 { found.append(table) }
        }
        return found
    }

    /// Does something at each news of a village, as whoever serves it does. Returns when it listens.
    public func atNews(_ body: @escaping @Sendable () async -> Void) async throws -> Task<Void, Never> {
        let listening = Task { [database] in
            for await _ in News.heard(database.listening) { await body() }
        }
        try await awaitCondition("a listener") {
            try await number(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = \(databaseName) AND query = 'LISTEN "taoyuan_news"' AND state = 'idle'
                """) > 0
        }
        return listening
    }
}
