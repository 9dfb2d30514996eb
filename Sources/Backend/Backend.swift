import Access
import Codes
import Database
import Foundation
import Kernel
import Messages
import Orchard
import Postgres
import Signing
import Tours

/// Everything behind the command line and the web, brought up from a configuration.
public final class Backend: Sendable {
    public let configuration: Configuration
    public let clock: WallClock
    public let database: Database
    public let village: Village
    public let keys: KeyRing
    public let verification: Verification
    public let messages: MessageSender
    public let hasher = PasswordHasher()
    private let embedded: EmbeddedPostgres?

    private init(
        _ configuration: Configuration, clock: WallClock, database: Database, village: Village, keys: KeyRing,
        embedded: EmbeddedPostgres?
    ) {
        self.configuration = configuration
        self.clock = clock
        self.database = database
        self.village = village
        self.keys = keys
        self.verification = Verification(database, keys: keys, clock: clock)
        self.messages = MessageSender(
            database, village: village.id, brand: village.brand,
            source: BookingMessages(database, village: village.id, brand: village.brand, origin: village.origin),
            ways: configuration.messageWays, clock: clock)
        self.embedded = embedded
    }

    /// Opens the database. The embedded one is started, migrated and, when it is empty, made into the village of the
    /// configuration; a server of one's own must have been migrated.
    /// - Parameters:
    ///   - patience: how long a call waits for a connection to the database. Whoever works alone waits rather than gives
    ///     up; a service with many callers is better off turning some away.
    ///   - givesKeys: as in `Database`: a command finds out by itself what became of a change when the connection breaks.
    ///   - settingUp: told the data folder's path before an embedded database is made, which takes seconds.
    /// - Throws: a `Refusal` that says in one sentence what is in the way.
    public static func open(
        _ configuration: Configuration, clock: WallClock = .system, patience: Duration = .seconds(60),
        givesKeys: Bool = true,
        settingUp: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> Backend {
        let place = try await Place.find(configuration, settingUp)
        do {
            return try await Database.available {
                if place.embedded != nil { _ = try await prepare(place, configuration, clock: clock) }
                return try await connect(
                    place, configuration, clock: clock, patience: patience, givesKeys: givesKeys)
            }
        } catch {
            await place.embedded?.close()
            throw error
        }
    }

    /// Brings the schema up to date, founds the village in an empty database and makes its first key.
    /// - Parameter settingUp: as in `open`.
    /// - Returns: the migrations that were applied.
    public static func migrate(
        _ configuration: Configuration, clock: WallClock = .system,
        settingUp: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> [Migration] {
        let place = try await Place.find(configuration, settingUp)
        do {
            return try await Database.available {
                let applied = try await prepare(place, configuration, clock: clock)
                await
                    (try connect(
                        place, configuration, clock: clock, patience: .seconds(60), givesKeys: true)).close()
                return applied
            }
        } catch {
            await place.embedded?.close()
            throw error
        }
    }

    public func close() async {
        await database.close()
        await embedded?.close()
    }

    /// Keeps the embedded PostgreSQL running, until the task is cancelled. Returns at once on a server of one's own.
    public func supervise(report: @escaping @Sendable ((any Error)?) -> Void) async {
        await embedded?.supervise(report: report)
    }

    /// Keeps what the process remembers of codes and keys true, until the task is cancelled.
    public func watchCodes() async {
        await CodeWatch(database, keys: keys, verification: verification).run()
    }

    /// Whether the database answers and its schema fits this program.
    /// - Throws: a `Refusal` that says what is wrong.
    public func checkReady() async throws {
        _ = try await VillageStore.load(database)
        try await Migrator.ofThisProgram().check(using: database.listening)
    }

    /// Who sits at the server's own machine.
    public var local: Person { .local(village: village.id) }

    /// Where the database is and how to log in.
    private struct Place {
        let owner: Settings
        let service: Settings
        let open: Settings
        let embedded: EmbeddedPostgres?

        static func find(
            _ configuration: Configuration, _ settingUp: @escaping @Sendable (String) -> Void
        ) async throws -> Place {
            guard let url = configuration.databaseURL else {
                let embedded = try await EmbeddedPostgres.open(
                    dataDirectory: configuration.dataDirectory, binaries: configuration.postgresBinaries,
                    settingUp: settingUp)
                return Place(
                    owner: embedded.settings(), service: embedded.settings(user: "taoyuan_service"),
                    open: embedded.settings(user: "taoyuan_public"), embedded: embedded)
            }
            let owner: Settings
            do {
                owner = try Settings(url: url)
            } catch {
                throw Refusal(
                    .invalid, "bad-setting", field: "DATABASE_URL", zh: "不是 PostgreSQL 地址，如 postgres://用户@主机/库",
                    en: "this is no PostgreSQL address such as postgres://user@host/database")
            }
            return Place(
                owner: owner, service: login("taoyuan_service", owner, configuration.servicePassword),
                open: login("taoyuan_public", owner, configuration.servicePassword), embedded: nil)
        }

        /// With a password the role logs in itself; without one the owner's login becomes the role at its start.
        private static func login(_ role: String, _ owner: Settings, _ password: String?) -> Settings {
            var settings = owner
            if let password {
                settings.user = role
                settings.password = password
            } else {
                settings.options = [owner.options, "-c role=\(role)"].compactMap(\.self).joined(separator: " ")
            }
            return settings
        }
    }

    private static func prepare(
        _ place: Place, _ configuration: Configuration, clock: WallClock
    ) async throws -> [Migration] {
        let applied = try await Migrator.ofThisProgram().migrate(using: place.owner)
        let owner = Pool(place.owner, size: 1, acquireTimeout: .seconds(60))
        do {
            if let password = configuration.servicePassword {
                try await RolePasswords.set(password, owner: owner)
            }
            try await VillageStore.found(
                name: configuration.village, brand: configuration.brand, origin: configuration.origin, owner: owner)
            try await VillageStore.prepareScanMonths(from: clock.today, owner: owner)
        } catch {
            await owner.close()
            throw error
        }
        await owner.close()
        return applied
    }

    private static func connect(
        _ place: Place, _ configuration: Configuration, clock: WallClock, patience: Duration, givesKeys: Bool
    ) async throws -> Backend {
        let database = Database(
            service: place.service, open: place.open, size: configuration.poolSize, patience: patience,
            givesKeys: givesKeys)
        do {
            let migrator = try Migrator.ofThisProgram()
            // The service's role comes with the schema: before that only the owner can tell what is missing.
            if place.embedded == nil { try await migrator.check(using: place.owner) }
            try await migrator.check(using: place.service)
            let village = try await VillageStore.load(database)
            let keys = try await keyRing(database, village, configuration)
            let backend = Backend(
                configuration, clock: clock, database: database, village: village, keys: keys,
                embedded: place.embedded)
            if keys.all.isEmpty {
                _ = try await keys.create(.ed25519, database, backend.local.scope)
            }
            return backend
        } catch {
            await database.close()
            throw error
        }
    }

    private static func keyRing(
        _ database: Database, _ village: Village, _ configuration: Configuration
    ) async throws -> KeyRing {
        let passphrase: Passphrase
        if let given = configuration.keyPassphrase {
            passphrase = given
        } else if configuration.databaseURL == nil {
            passphrase = try Passphrase.embedded(at: configuration.dataDirectory + "/key-passphrase")
        } else {
            throw Refusal(
                .invalid, "bad-setting", field: "TAOYUAN_KEY_PASSPHRASE",
                zh: "使用自己的 PostgreSQL 时须给出密钥口令（或 TAOYUAN_KEY_PASSPHRASE_FILE）",
                en: "with a PostgreSQL of your own, give the passphrase of the keys (or TAOYUAN_KEY_PASSPHRASE_FILE)")
        }
        let folder = KeyFolder(
            path: configuration.keysDirectory ?? configuration.dataDirectory + "/keys",
            origin: try Origin(village.origin), passphrase: passphrase)
        return try await KeyRing(database, village: village, folder: folder)
    }
}
