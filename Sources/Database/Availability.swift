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
        default: nil
        }
    }

    /// Whether the server goes on answering what writes nothing.
    var isOfWriting: Bool { sqlState == "53100" || sqlState == "25006" }
}
