import Access
import Backups
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

/// All that is behind the command line and the web for one village.
public final class Backend: Sendable {
    /// What it shares with the other villages.
    public let county: County
    public let village: Village
    public let keys: KeyRing
    public let verification: Verification
    public let scans: ScanStore
    public let messages: MessageSender
    public let authentication: Authentication
    /// Says whose lines they are.
    public let logger: Logger

    init(_ county: County, village: Village, keys: KeyRing) {
        let (configuration, database) = (county.configuration, county.database)
        self.county = county
        self.village = village
        self.keys = keys
        var logger = county.logger
        logger[metadataKey: "village"] = "\(village.id)"
        self.logger = logger
        verification = Verification(county.register, keys: keys, clock: county.clock)
        scans = ScanStore(database, village: village.id)
        messages = MessageSender(
            database, village: village.id, brand: village.brand,
            source: BookingMessages(database, village: village.id, brand: village.brand, origin: keys.origin),
            ways: configuration.messageWays, perDay: configuration.messagesPerDay, clock: county.clock,
            logger: logger)
        authentication = Authentication(database, village: village.id, clock: county.clock)
    }

    public var configuration: Configuration { county.configuration }
    public var clock: WallClock { county.clock }
    public var database: Database { county.database }
    public var hasher: PasswordHasher { county.hasher }

    /// Forgets what may have changed of codes and people.
    func forget() {
        verification.forget()
        authentication.forget()
    }

    /// Closes the database, and with it all villages.
    public func close() async { await county.close() }

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
    ///   - village: the name or an origin of the village that is meant; needed where there are several.
    ///   - founding: what a database without a village becomes; nil refuses that, and makes no data folder.
    ///   - logger: told what goes wrong meanwhile.
    ///   - settingUp: told the data folder's path before an embedded database is made, which takes seconds.
    /// - Throws: a `Refusal` that says in one sentence what is in the way.
    public static func open(
        _ configuration: Configuration, for use: Use = .command, village: String? = nil, clock: WallClock = .system,
        founding: Founding? = nil, logger: Logger = .silent,
        settingUp: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> Backend {
        let county = try await County.open(
            configuration, for: use, clock: clock, founding: founding, logger: logger, settingUp: settingUp)
        do {
            return try await Database.available { try await county.backend(named: village) }
        } catch {
            await county.close()
            throw error
        }
    }

    /// Brings the schema up to date, founds the village in an empty database and makes its first key.
    /// - Parameters:
    ///   - founding: as in `open`; unless given, what the configuration tells.
    ///   - amidRestore: whether it is a restore that asks; nobody else may in a database that one was killed in.
    ///   - settingUp: as in `open`.
    /// - Returns: the migrations that were applied.
    public static func migrate(
        _ configuration: Configuration, clock: WallClock = .system, founding: Founding? = nil,
        amidRestore: Bool = false, settingUp: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> [Migration] {
        let founding = try founding ?? Founding(configuration)
        if founding == nil, configuration.isEmbedded, !hasCluster(configuration) {
            throw Refusal.noVillage(lacking: Founding.missing(in: configuration))
        }
        let place = try await Place.find(configuration, for: .command, making: founding != nil, settingUp)
        do {
            return try await Database.available {
                if !amidRestore, try await Restore.isUnfinished(place.ownerLogin()) { throw Refusal.unfinishedRestore }
                let applied = try await prepare(place, configuration, clock: clock, founding: founding)
                await (try County.connect(place, configuration, for: .command, clock: clock, logger: .silent)).close()
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

    /// A village as the database has it, where there is one; nothing is made for it.
    /// - Parameter name: as in `open`.
    public static func village(of configuration: Configuration, named name: String? = nil) async throws -> Village? {
        if configuration.isEmbedded, !hasCluster(configuration) { return nil }
        let place = try await Place.find(configuration, for: .command, making: false) { _ in }
        let database = Database(service: place.service, open: place.open, size: 1)
        let village = await Result {
            let isEmpty = try await VillageStore.list(database, limit: 1).isEmpty
            return isEmpty ? nil : try await VillageStore.find(name, database)
        }
        await database.close()
        await place.embedded?.close()
        return try village.get()
    }

    private static func hasCluster(_ configuration: Configuration) -> Bool {
        FileManager.default.fileExists(atPath: configuration.dataDirectory + "/postgres")
    }

    /// Founds a village in a new data folder or an empty database.
    /// - Throws: a `Refusal` when there is one already.
    public static func found(
        _ configuration: Configuration, _ founding: Founding, settingUp: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> Village {
        let place = try await Place.find(configuration, for: .command, making: true, settingUp)
        let village = await Result {
            try await Database.available {
                _ = try await prepare(place, configuration, clock: .system, founding: founding, isNew: true)
                let county = try await County.connect(
                    place, configuration, for: .command, clock: .system, logger: .silent)
                let village = await Result { try await county.backend(named: nil).village }
                await county.database.close()
                return try village.get()
            }
        }
        await place.embedded?.close()
        return try village.get()
    }

    /// Adds a village to those that there are, with a key that signs for it.
    /// - Parameter sharesName: whether another village may have its name.
    public static func addVillage(
        _ configuration: Configuration, _ founding: Founding, sharesName: Bool = false
    ) async throws -> Village {
        let place = try await Place.find(configuration, for: .command, making: false) { _ in }
        let village = await Result {
            try await Database.available {
                let county = try await County.connect(
                    place, configuration, for: .command, clock: .system, logger: .silent)
                let added = await Result { try await add(founding, sharesName, to: county, owner: place.ownerLogin()) }
                await county.database.close()
                return try added.get()
            }
        }
        await place.embedded?.close()
        return try village.get()
    }

    private static func add(
        _ founding: Founding, _ sharesName: Bool, to county: County, owner login: Settings
    ) async throws -> Village {
        try KeyFolder.make(county.configuration.keysFolder)
        let owner = Pool(login, size: 1, acquireTimeout: .seconds(60))
        let added = await Result {
            try await VillageStore.found(
                name: founding.village, brand: founding.brand, origin: founding.origin.text, isFirst: false,
                sharesName: sharesName, owner: owner)
        }
        await owner.close()
        guard let id = try added.get() else { throw Refusal.noVillage() }
        let backend = try await county.backend(of: id)
        _ = try await backend.keys.create(.ed25519, county.database, backend.local.scope)
        return backend.village
    }

    /// Who sits at the server's own machine.
    public var local: Person { .local(village: village.id) }

    /// Makes of the database what the program needs; of several at a time one works and the others wait for it.
    static func prepare(
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
                    guard let founding else { throw Refusal.noVillage(lacking: Founding.missing(in: configuration)) }
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
            do {
                try await VillageStore.completeNumbers(owner: owner)
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
        let made = await Result {
            let village = try await VillageStore.find(nil, database)
            let keys = try await KeyRing(database, village: village, folder: try keyFolder(configuration, village))
            return try await keys.create(.ed25519, database, Person.local(village: village.id).scope)
        }
        await database.close()
        _ = try made.get()
    }

    /// Where a village's private keys lie: those of the first in the folder itself, of each other in one of its own.
    static func keyFolder(_ configuration: Configuration, _ village: Village) throws -> KeyFolder {
        KeyFolder(
            path: "\(configuration.keysFolder)/\(keyFolderName(of: village))", origin: try Origin(village.origin),
            passphrase: try passphrase(configuration))
    }

    /// Within the folder of keys.
    static func keyFolderName(of village: Village) -> String { village.id == 1 ? "" : "village-\(village.id)/" }

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
