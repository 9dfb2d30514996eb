import Access
import Codes
import Database
import Foundation
import Kernel
import Logging
import Messages
import Orchard
import Postgres
import Signing
import Telemetry
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
    public let authentication: Authentication
    public let hasher = PasswordHasher()
    public let logger: Logger
    private let embedded: EmbeddedPostgres?
    private let readiness: Outage

    private init(
        _ configuration: Configuration, clock: WallClock, database: Database, village: Village, keys: KeyRing,
        embedded: EmbeddedPostgres?, logger: Logger
    ) {
        self.configuration = configuration
        self.clock = clock
        self.database = database
        self.village = village
        self.keys = keys
        self.verification = Verification(database, keys: keys, clock: clock)
        self.messages = MessageSender(
            database, village: village.id, brand: village.brand,
            source: BookingMessages(database, village: village.id, brand: village.brand, origin: keys.origin),
            ways: configuration.messageWays, perDay: configuration.messagesPerDay, clock: clock, logger: logger)
        self.authentication = Authentication(database, village: village.id, clock: clock)
        self.embedded = embedded
        self.logger = logger
        readiness = Outage("the service", logger, quiet: .zero)
        _ = Self.started
    }

    /// Who opens it.
    public enum Use: Sendable {
        /// A command of the administrator's: it waits for the database rather than gives up, and finds out by itself what
        /// became of a change when the connection breaks.
        case command
        /// A server for many callers: it turns some away rather than lets all wait, and may not hold the rights of the
        /// schema's owner.
        case serving

        var patience: Duration { self == .command ? .seconds(60) : .seconds(5) }
    }

    /// Opens the database. The embedded one is started and migrated; a server of one's own must have been migrated.
    /// - Parameters:
    ///   - founding: what a database without a village becomes; nil refuses that, and makes no data folder.
    ///   - logger: told what goes wrong meanwhile.
    ///   - settingUp: told the data folder's path before an embedded database is made, which takes seconds.
    /// - Throws: a `Refusal` that says in one sentence what is in the way.
    public static func open(
        _ configuration: Configuration, for use: Use = .command, clock: WallClock = .system, founding: Founding? = nil,
        logger: Logger = .silent,
        settingUp: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> Backend {
        let place = try await Place.find(configuration, for: use, making: founding != nil, settingUp)
        do {
            return try await Database.available {
                if place.embedded != nil {
                    _ = try await prepare(place, configuration, clock: clock, founding: founding)
                }
                return try await connect(place, configuration, for: use, clock: clock, logger: logger)
            }
        } catch {
            await place.embedded?.close()
            throw error
        }
    }

    /// Brings the schema up to date, founds the village in an empty database and makes its first key.
    /// - Parameters:
    ///   - founding: as in `open`; unless given, what the configuration tells.
    ///   - settingUp: as in `open`.
    /// - Returns: the migrations that were applied.
    public static func migrate(
        _ configuration: Configuration, clock: WallClock = .system, founding: Founding? = nil,
        settingUp: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> [Migration] {
        let founding = try founding ?? Founding(configuration)
        let place = try await Place.find(configuration, for: .command, making: founding != nil, settingUp)
        do {
            return try await Database.available {
                let applied = try await prepare(place, configuration, clock: clock, founding: founding)
                await (try connect(place, configuration, for: .command, clock: clock, logger: .silent)).close()
                return applied
            }
        } catch {
            await place.embedded?.close()
            throw error
        }
    }

    /// Spreads the villages over the nodes of a Citus cluster.
    /// - Returns: the tables that were spread now.
    public static func distribute(_ configuration: Configuration) async throws -> [String] {
        guard configuration.databaseURL != nil else {
            throw Refusal(
                .invalid, "bad-setting", field: "DATABASE_URL", zh: "分布数据要以数据库所有者登录：请给出 DATABASE_URL",
                en: "the owner of the database spreads it: give DATABASE_URL")
        }
        let place = try await Place.find(configuration, for: .command, making: false) { _ in }
        guard let owner = place.owner else { return [] }
        return try await Database.available { try await Distribution.distribute(using: owner) }
    }

    /// The village as the database has it, where there is one; nothing is made for it.
    public static func village(of configuration: Configuration) async throws -> Village? {
        let cluster = configuration.dataDirectory + "/postgres"
        if configuration.isEmbedded, !FileManager.default.fileExists(atPath: cluster) { return nil }
        let place = try await Place.find(configuration, for: .command, making: false) { _ in }
        let database = Database(service: place.service, open: place.open, size: 1)
        let village: Result<Village, any Error>
        do {
            village = .success(try await VillageStore.load(database))
        } catch {
            village = .failure(error)
        }
        await database.close()
        await place.embedded?.close()
        return try village.get()
    }

    /// Founds a village in a new data folder or an empty database.
    /// - Throws: a `Refusal` when there is one already.
    public static func found(
        _ configuration: Configuration, _ founding: Founding, settingUp: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> Village {
        let place = try await Place.find(configuration, for: .command, making: true, settingUp)
        do {
            let village = try await Database.available {
                _ = try await prepare(place, configuration, clock: .system, founding: founding, isNew: true)
                let backend = try await connect(place, configuration, for: .command, clock: .system, logger: .silent)
                await backend.database.close()
                return backend.village
            }
            await place.embedded?.close()
            return village
        } catch {
            await place.embedded?.close()
            throw error
        }
    }

    public func close() async {
        await database.close()
        await embedded?.close()
    }

    /// What goes on beside the answering of requests, until the task is cancelled: the jobs, and what every server does
    /// for itself.
    public func runBeside() async {
        let outage = Outage("the embedded PostgreSQL", logger, quiet: .zero)
        await withTaskGroup { group in
            if let runner = try? jobRunner() { group.addTask { await runner.keepOn() } }
            // These keep true what the process remembers.
            group.addTask { [self] in await CodeWatch(database, keys: keys, verification: verification).run() }
            group.addTask { [self] in await authentication.watch() }
            group.addTask { [self] in
                await embedded?.supervise { error in
                    if let error {
                        outage.failed((error as? Refusal)?.code ?? "\(type(of: error))")
                    } else {
                        outage.succeeded()
                        logger.notice("the embedded PostgreSQL was restarted")
                    }
                }
            }
        }
    }

    /// Whether requests can be served: the database answers, can write and has the schema of this program, and the keys
    /// can be opened. What is wrong is logged, once.
    /// - Throws: a `Refusal` that says what is wrong; it is not for strangers.
    public func checkReady() async throws {
        do {
            _ = try await VillageStore.load(database)
            try await Migrator.ofThisProgram().check(in: database)
            try await database.checkWritable()
            try keys.checkReady()
        } catch {
            if !(error is CancellationError) {
                let refusal = error as? Refusal
                readiness.failed(refusal?.code ?? "\(type(of: error))", detail: refusal?.message.en)
            }
            throw error
        }
        readiness.succeeded()
    }

    /// Who sits at the server's own machine.
    public var local: Person { .local(village: village.id) }

    /// Makes of the database what the program needs; of several at a time one works and the others wait for it.
    private static func prepare(
        _ place: Place, _ configuration: Configuration, clock: WallClock, founding: Founding?, isNew: Bool = false
    ) async throws -> [Migration] {
        let login = try place.ownerLogin()
        return try await Migrator.ofThisProgram().migrate(using: login) { connection in
            for (role, password) in place.passwords {
                try await RolePasswords.set(password, of: role, on: connection)
            }
            let owner = Pool(login, size: 1, acquireTimeout: .seconds(60))
            do {
                if try await VillageStore.exists(connection) {
                    if isNew { throw Refusal.villageThere }
                } else {
                    guard let founding else { throw Refusal.noVillage }
                    // A village whose first key can't be made would be there, and could not be founded again.
                    _ = try passphrase(configuration)
                    try KeyFolder.make(configuration.keysFolder)
                    try await VillageStore.found(
                        name: founding.village, brand: founding.brand, origin: founding.origin.text, owner: owner)
                }
            } catch {
                await owner.close()
                throw error
            }
            // For the first scans. Later ones are a job's, and none is a reason not to open: there is room for them.
            try? await VillageStore.prepareScanMonths(from: clock.today, owner: owner)
            await owner.close()
            if try await SigningKeyStore.isEmpty(connection) {
                try await makeFirstKey(place, configuration)
            }
        }
    }

    private static func makeFirstKey(_ place: Place, _ configuration: Configuration) async throws {
        let database = Database(service: place.service, open: place.open, size: 1, givesKeys: true)
        do {
            let village = try await VillageStore.load(database)
            let keys = try await keyRing(database, village, configuration)
            _ = try await keys.create(.ed25519, database, Person.local(village: village.id).scope)
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    private static func connect(
        _ place: Place, _ configuration: Configuration, for use: Use, clock: WallClock, logger: Logger
    ) async throws -> Backend {
        let database = Database(
            service: place.service, open: place.open, size: configuration.poolSize, patience: use.patience,
            givesKeys: use == .command, logger: logger)
        do {
            let migrator = try Migrator.ofThisProgram()
            // The service's role comes with the schema: before that only the owner can tell what is missing.
            if place.embedded == nil, let owner = place.owner { try await migrator.check(using: owner) }
            try await migrator.check(using: place.service)
            if use == .serving { try await database.checkLogins() }
            let village = try await VillageStore.load(database)
            for setting in configuration.withoutEffect(in: village) {
                logger.warning(
                    "a setting has no effect: the database was made with another",
                    metadata: [
                        "setting": "\(setting.name)", "given": "\(setting.given)", "inEffect": "\(setting.inEffect)",
                    ])
            }
            let keys = try await keyRing(database, village, configuration)
            return Backend(
                configuration, clock: clock, database: database, village: village, keys: keys,
                embedded: place.embedded, logger: logger)
        } catch {
            await database.close()
            throw error
        }
    }

    private static func keyRing(
        _ database: Database, _ village: Village, _ configuration: Configuration
    ) async throws -> KeyRing {
        let folder = try keyFolder(configuration, origin: Origin(village.origin))
        return try await KeyRing(database, village: village, folder: folder)
    }

    static func keyFolder(_ configuration: Configuration, origin: Origin) throws -> KeyFolder {
        KeyFolder(path: configuration.keysFolder, origin: origin, passphrase: try passphrase(configuration))
    }

    /// What opens the keys.
    static func passphrase(_ configuration: Configuration) throws -> Passphrase {
        if let given = configuration.keyPassphrase { return given }
        guard configuration.isEmbedded else {
            throw Refusal(
                .invalid, "bad-setting", field: "TAOYUAN_KEY_PASSPHRASE",
                zh: "使用自己的 PostgreSQL 时须给出密钥口令（或 TAOYUAN_KEY_PASSPHRASE_FILE）",
                en: "with a PostgreSQL of your own, give the passphrase of the keys (or TAOYUAN_KEY_PASSPHRASE_FILE)")
        }
        return try Passphrase.embedded(at: configuration.dataDirectory + "/key-passphrase")
    }
}
