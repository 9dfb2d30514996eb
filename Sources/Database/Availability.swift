import Kernel
import Postgres
import Telemetry

/// What is made of a database that is away, full or read-only.
extension Database {
    /// Whether the database can write: it is no standby, and there is room on its disk. Nothing is written to it.
    /// - Throws: a `Refusal` of kind `unavailable` that says why not.
    public func checkWritable() async throws {
        do {
            try await writeBeside()
        } catch let refusal as Refusal where refusal.code == Self.notWritable.code {
            let isFull = writing.reason == "disk full"
            throw Refusal(
                .unavailable, refusal.code, zh: isFull ? "数据库所在的磁盘已满" : "数据库只读，不能写入",
                en: isFull ? "the database's disk is full" : "the database is read-only")
        }
        writing.succeeded()
    }

    private func writeBeside() async throws {
        try await transaction(Scope(village: 0, cooperative: nil, actor: "health")) { transaction in
            let rows = try await transaction.query([
                "SET LOCAL work_mem = '64kB'",
                "SELECT current_setting('transaction_read_only') = 'on' AS read_only",
                // What is too much to sort in memory is sorted on the disk, as far as there is room.
                "SELECT count(*) FROM (SELECT FROM generate_series(1, 2000) n ORDER BY repeat('x', 200) || n) sorted",
            ])
            if try rows[1].first?.decode("read_only", as: Bool.self) == true {
                self.writing.failed("read-only")
                throw Self.notWritable
            }
        }
    }

    static let notWritable = Refusal(
        .unavailable, "database-not-writable", zh: "数据库暂时不能写入，请稍后再试",
        en: "the database can't write at the moment; try again shortly")

    /// As `available`, and it is noticed when the server can't be reached or can't write.
    func noticing<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await Self.available {
            do {
                let value = try await body()
                reach.succeeded()
                return value
            } catch let error as PostgresError {
                if let reason = error.outage {
                    Measured.databaseRefused[reason].increment()
                    (error.isOfWriting ? writing : reach).failed(reason, detail: error.message)
                }
                throw error
            }
        }
    }
}

extension PostgresError {
    /// What is the matter with the server, in a word or two; nil when it is the statement.
    var outage: String? {
        switch (sqlState, kind) {
        case ("53100", _): "disk full"
        case ("25006", _): "read-only"
        case (let state?, _) where state.hasPrefix("53"): "out of resources"
        case (let state?, _) where state.hasPrefix("57P0"): "stopping or starting"
        case (let state?, _) where state.hasPrefix("08"): "connection lost"
        case (_?, _): nil
        case (_, .connectionLost): "connection lost"
        case (_, .cannotConnect): "no connection"
        case (_, .poolTimeout): "all connections in use"
        case (_, .deadline): "silent"
        case (_, .closed): "closed"
        default: nil
        }
    }

    /// Whether the server goes on answering what writes nothing.
    var isOfWriting: Bool { sqlState == "53100" || sqlState == "25006" }
}

extension Database {
    /// Nobody can tell whether what was asked for was done: the connection broke in the moment of the commit.
    static let maybeRecorded = Refusal(
        .unavailable, "maybe-recorded", zh: "与数据库的连接在提交时断开，可能已经登记，也可能没有；请先查看列表，再决定是否重试",
        en: "the connection to the database broke at the commit: it may have been recorded or not; look into the list "
            + "before you try again")

    /// The database did not get to it in time, or somebody holds what it needs.
    public static let busy = Refusal(
        .unavailable, "database-busy", zh: "数据库正忙，请稍后再试", en: "the database is busy; try again shortly")

    /// Runs `body`, and makes a refusal of kind `unavailable` of what keeps it from the server.
    public static func available<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as PostgresError where error.isInDoubt {
            throw maybeRecorded
        } catch let error as PostgresError where error.isBusyness {
            throw busy
        } catch let error as PostgresError where error.isOfWriting {
            throw notWritable
        } catch let error as PostgresError where error.isOfReplacedPrograms {
            throw Refusal(
                .unavailable, "postgres-replaced",
                zh: "本机的 PostgreSQL 在运行中被升级了：请重启它（内置的：停止所有 taoyuan 命令和服务，再启动）",
                en:
                    "PostgreSQL was upgraded on its machine while it ran: restart it (the embedded one: stop all commands "
                    + "and servers of taoyuan, then start again)")
        } catch let error as PostgresError where error.isUnavailability {
            throw Refusal(
                .unavailable, "database-unavailable", zh: "数据库暂时连不上，请稍后再试",
                en: "the database can't be reached at the moment; try again shortly")
        }
    }
}

extension PostgresError {
    /// A statement that took too long, was cancelled by somebody else, or waited too long for a lock.
    var isBusyness: Bool { sqlState == "57014" || sqlState == "55P03" }

    /// Whether the cause is the way to the server or its state, not the statement: asking again may work.
    var isUnavailability: Bool { outage != nil }

    /// Whether a running server misses, or can't load, the files that it was installed with.
    var isOfReplacedPrograms: Bool {
        sqlState != nil
            && [
                "could not load library", "incompatible library", "could not access file \"$libdir",
                ".so\": No such file",
            ]
            .contains { message.contains($0) }
    }
}
