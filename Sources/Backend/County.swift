import Access
import Backups
import Codes
import Database
import Foundation
import Kernel
import Logging
import Orchard
import Postgres
import Signing
import Synchronization
import Telemetry

/// What all villages share that this program serves: the database, and what goes on beside requests. What is one village's
/// is a `Backend`, made when it is asked for first and kept while there is room, so that neither start nor memory grows
/// with the villages.
public final class County: Sendable {
    public let configuration: Configuration
    public let clock: WallClock
    public let database: Database
    public let register: CodeRegister
    public let hasher = PasswordHasher()
    public let logger: Logger
    let embedded: EmbeddedPostgres?
    private let readiness: Outage
    private let keyWatch = KeyWatch()
    /// When the database is asked again how much is open.
    let openIsAskedAfter = Mutex(ContinuousClock.now)
    private let loaded: Mutex<Recent<Int, Backend>>
    /// Whose hosts are. A host that is nobody's is the only village's until there is another one.
    private let hosts: Remembered<String, Int>

    /// - Parameter capacity: villages that are kept at most.
    init(
        _ configuration: Configuration, clock: WallClock, database: Database, embedded: EmbeddedPostgres?,
        logger: Logger, capacity: Int = 2000
    ) {
        self.configuration = configuration
        self.clock = clock
        self.database = database
        self.embedded = embedded
        self.logger = logger
        register = CodeRegister(database)
        readiness = Outage("the service", logger, quiet: .zero)
        loaded = Mutex(Recent(capacity: capacity))
        hosts = Remembered(capacity: 2 * capacity)
        _ = Self.started
    }

    /// Opens the database. The embedded one is started and migrated; a server of one's own must have been migrated.
    /// - Parameters: as of `Backend.open`.
    /// - Throws: a `Refusal` that says in one sentence what is in the way.
    public static func open(
        _ configuration: Configuration, for use: Backend.Use, clock: WallClock = .system, founding: Founding? = nil,
        logger: Logger = .silent, settingUp: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> County {
        let place = try await Place.find(configuration, for: use, making: founding != nil, settingUp)
        do {
            return try await Database.available {
                if place.embedded != nil {
                    _ = try await Backend.prepare(place, configuration, clock: clock, founding: founding)
                }
                return try await connect(place, configuration, for: use, clock: clock, logger: logger)
            }
        } catch {
            await place.embedded?.close()
            throw error
        }
    }

    static func connect(
        _ place: Place, _ configuration: Configuration, for use: Backend.Use, clock: WallClock, logger: Logger
    ) async throws -> County {
        let database = Database(
            service: place.service, open: place.open, size: configuration.poolSize, patience: use.patience,
            givesKeys: use == .command, logger: logger)
        do {
            let migrator = try Migrator.ofThisProgram()
            // The service's role comes with the schema: before that only the owner can tell what is missing.
            if place.embedded == nil, let owner = place.owner { try await migrator.check(using: owner) }
            try await migrator.check(using: place.service)
            if use == .serving {
                try await database.checkLogins()
                if try await Restore.isUnfinished(place.service) { throw Refusal.unfinishedRestore }
            }
            let villages = try await VillageStore.list(database, limit: 2)
            if let only = villages.first, villages.count == 1 {
                for setting in configuration.withoutEffect(in: only) {
                    logger.warning(
                        "a setting has no effect: the database was made with another",
                        metadata: [
                            "setting": "\(setting.name)", "given": "\(setting.given)",
                            "inEffect": "\(setting.inEffect)",
                        ])
                }
            }
            return County(configuration, clock: clock, database: database, embedded: place.embedded, logger: logger)
        } catch {
            await database.close()
            throw error
        }
    }

    public func close() async {
        await database.close()
        await embedded?.close()
    }

    /// How many villages are kept.
    var kept: Int { loaded.withLock { $0.count } }

    /// All that this program has of a village.
    /// - Throws: a `Refusal` when there is no such village, or its keys can't be read.
    public func backend(of village: Int) async throws -> Backend {
        if let known = loaded.withLock({ $0[village] }) { return known }
        return try await keep(VillageStore.load(village, database))
    }

    /// Whose village a request is for.
    /// - Parameter host: what it names, `host` or `host:port`. A program with one village answers under any name, as it must
    ///   where it is tried out or stands behind a proxy that leaves the name out.
    /// - Returns: nil when it is nobody's.
    public func backend(at host: String?) async throws -> Backend? {
        let host = host ?? ""
        let village = try await hosts.value(of: host) {
            let villages = try await VillageStore.at((try? Origin(host))?.text ?? "", database)
            if let named = villages.named { return (named, nil) }
            return villages.only.map { ($0, .seconds(5)) }
        }
        return if let village { try await backend(of: village) } else { nil }
    }

    /// The village that a command is about.
    /// - Parameter name: its name or one of its origins; needed where there are several.
    /// - Throws: a `Refusal` that lists them.
    public func backend(named name: String?) async throws -> Backend {
        try await keep(VillageStore.find(name, database))
    }

    private func keep(_ village: Village) async throws -> Backend {
        let keys = try await KeyRing(
            database, village: village, folder: try Backend.keyFolder(configuration, village))
        let backend = Backend(self, village: village, keys: keys)
        loaded.withLock { $0[village.id] = backend }
        return backend
    }

    /// The villages by id, from the one after `after` on.
    public func villages(after: Int = 0, limit: Int = 500) async throws -> [Village] {
        try await Database.available { try await VillageStore.list(database, after: after, limit: limit) }
    }

    /// Where codes point to, where there is but one village.
    public func onlyOrigin() async throws -> Origin? {
        let villages = try await Database.available { try await VillageStore.list(database, limit: 2) }
        return villages.count == 1 ? try villages.first.map { try Origin($0.origin) } : nil
    }

    /// The village that was founded first.
    public func firstBackend() async throws -> Backend {
        try await Database.available { try await backend(of: VillageStore.first(database)) }
    }

    /// Of those that are kept, all of a village, or everything when nobody knows what has changed.
    private func forget(_ village: Int?) async {
        let concerned = loaded.withLock { loaded in
            if let village { [loaded[village]].compactMap(\.self) } else { loaded.all }
        }
        for backend in concerned {
            backend.forget()
            if let now = try? await VillageStore.load(backend.village.id, database), now != backend.village {
                loaded.withLock { $0[now.id] = nil }
            }
            // When the database is away the next news, which is its return, reads the keys.
            try? await backend.keys.reload()
            backend.forget()
        }
    }

    /// What goes on beside the answering of requests, until the task is cancelled: the jobs, and what every server does
    /// for itself.
    public func runBeside() async {
        let outage = Outage("the embedded PostgreSQL", logger, quiet: .zero)
        await withTaskGroup { group in
            if let runner = try? jobRunner() { group.addTask { await runner.keepOn() } }
            // Keeps true what the process remembers.
            group.addTask { [self] in
                for await village in News.heard(database.listening) { await forget(village) }
            }
            // Whoever asks for readiness looks too, but not every server is asked.
            group.addTask { [self] in
                while !Task.isCancelled {
                    _ = try? await keyWatch.look(self)
                    try? await Task.sleep(for: .seconds(30))
                }
            }
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

    /// Whether requests can be served: the database answers, can write and has the schema of this program, and the villages'
    /// keys are there, as far as `KeyWatch` has looked by now. What is wrong is logged, once.
    /// - Throws: a `Refusal` that says what is wrong; it is not for strangers.
    public func checkReady() async throws {
        do {
            try await Migrator.ofThisProgram().check(in: database)
            try await database.checkWritable()
            _ = try await keyWatch.look(self)
            try keyWatch.check()
        } catch {
            if !(error is CancellationError) {
                let refusal = error as? Refusal
                readiness.failed(refusal?.code ?? "\(type(of: error))", detail: refusal?.message.en)
            }
            throw error
        }
        readiness.succeeded()
    }

    /// All villages that can't sign, and why.
    public func villagesUnableToSign() async throws -> [(village: Village, why: Refusal)] {
        let watch = KeyWatch()
        while try await !watch.look(self) {}
        return watch.unable
    }
}
