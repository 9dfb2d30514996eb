import Database
import Documents
import Foundation
import Kernel
import Postgres
import Signing
import Synchronization
import TestSupport
import Testing

@testable import Web

#if canImport(Glibc)
    import Glibc
#endif

/// Each test breaks a village of its own.
@Suite(.serialized) struct SiteTroubleTests {
    @Test func verificationIsLimited() async throws {
        try await withVillage(environment: ["TAOYUAN_VERIFY_PER_MINUTE": "2"]) { village in
            let paths = ["/api/v1/codes/\(village.payload)", "/\(village.payload)"]
            for turn in 0..<2 {
                // A field that anybody can write must not make a new client.
                let headers = ["X-Forwarded-For": "192.0.2.\(turn)", "X-Real-IP": "192.0.2.\(turn)"]
                #expect(try await village.send("GET", paths[turn % 2], headers: headers).status == 200)
            }
            for path in paths {
                let refused = try await village.send("GET", path, headers: ["X-Forwarded-For": "192.0.2.99"])
                #expect(refused.status == 429)
                #expect((1...30).contains(Int(refused.headers["retry-after"] ?? "") ?? 0))
                _ = try refused.problem()
            }
            let scan = try await village.send("POST", "/api/v1/codes/\(village.payload)/scans", [:])
            #expect(scan.status == 429)
            #expect(try await village.send("GET", "/healthz").status == 200)
            #expect(try await village.send("GET", "/api/v1/batches", as: "clerk").status == 200)
        }
    }

    @Test func withoutADatabaseForgedCodesAreStillForged() async throws {
        try await withVillage(background: false) { village in
            let codes = try HostileCodes(village)
            try village.killPostgres(SIGQUIT)
            try await Task.sleep(for: .milliseconds(1500))
            for _ in 0..<200 {
                #expect(try await village.get("/api/v1/codes/\(codes.forged)")["answer"] == "forged")
                #expect(try await village.get("/api/v1/codes/\(codes.unknownKey)")["answer"] == "unknown_key")
                #expect(try await village.get("/api/v1/codes/nonsense")["answer"] == "malformed")
            }
            #expect(try await village.send("GET", "/\(codes.forged)?lang=zh").text.contains("假冒"))
            #expect(try await village.send("GET", "/healthz").status == 200)
            for (method, path) in [
                ("GET", "/api/v1/codes/\(village.payload)"), ("GET", "/readyz"), ("GET", "/api/v1/batches"),
                ("POST", "/api/v1/codes/\(village.payload)/scans"), ("POST", "/api/v1/batches"),
            ] {
                let body =
                    method == "GET"
                    ? nil
                    : path.hasSuffix("s") && path.contains("batches") ? ServedVillage.harvest(on: village.today) : [:]
                let reply = try await village.send(method, path, as: path.contains("batches") ? "clerk" : nil, body)
                #expect(reply.status == 503, "\(path): \(reply.text)")
                #expect(reply.headers["retry-after"] != nil)
                let isReadiness = path == "/readyz"
                // Where the database is, is nobody's business.
                #expect(!isReadiness || !reply.text.contains(village.folder))
                _ = try reply.problem()
            }
            let page = try await village.send("GET", "/\(village.payload)?lang=en", headers: ["Accept": "text/html"])
            #expect(page.status == 503 && page.headers["content-type"] == "text/html; charset=utf-8")
            #expect(village.errors.errors == [])
        }
    }

    @Test func aThousandBuyersOfOneBatch() async throws {
        try await withVillage { village in
            let (batch, _) = try await village.register(grams: 300_500)
            let statuses = await withTaskGroup { group in
                for _ in 0..<1000 {
                    group.addTask { await village.sellOnASocket(batch, grams: 1000) }
                }
                return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == ["201": 300, "409": 700])
            let sold = try await village.query("SELECT out_g FROM batch WHERE number = \(batch)")
            #expect(try sold.first?.decode("out_g", as: Int64.self) == 300_000)
            let lines = try await village.count(
                "SELECT sum(grams)::bigint AS count FROM sale_line WHERE batch_number = \(batch)")
            #expect(lines == 300_000)
            try await village.checkBooks()
        }
    }

    @Test func theDatabaseIsKilledUnderLoad() async throws {
        try await withVillage { village in
            let (batch, _) = try await village.register(grams: 100_000_000)
            let record = LoadRecord()
            try await withThrowingTaskGroup { group in
                for worker in 0..<8 {
                    group.addTask { try await village.work(selling: worker % 2 == 0, from: batch, record) }
                }
                for _ in 0..<3 {
                    try await record.grows()
                    try village.killPostgres(SIGKILL)
                    try await village.becomesReady()
                }
                try await record.grows()
                record.stop()
                try await group.waitForAll()
            }
            let seen = record.statuses
            #expect(Set(seen.keys) == [201, 503], "\(seen)")
            #expect(record.batches.count > 20 && record.sales.count > 20, "\(seen)")
            // Every acknowledged write is there, and no request that was repeated under its key is there twice.
            let batches = try await village.query("SELECT number FROM batch WHERE number > \(batch)")
            #expect(try batches.map { try $0.decode("number", as: Int64.self) }.sorted() == record.batches.sorted())
            let sales = try await village.query("SELECT sale_id FROM sale_line WHERE batch_number = \(batch)")
            #expect(try sales.map { try $0.decode("sale_id", as: Int64.self) }.sorted() == record.sales.sorted())
            #expect(try await village.stock(batch) == 100_000_000 - Int64(record.sales.count) * 1000)
            try await village.checkBooks()
        }
    }

    @Test func stoppingFinishesWhatRuns() async throws {
        try await withVillage { village in
            let rows = (1...3000).map { "2019-05-01,出租,停机 \($0),1.00" }.joined(separator: "\n")
            let register = Data("日期,类别,摘要,金额元\n\(rows)".utf8)
            async let running = village.send(
                "POST", "/api/v1/imports/income", as: "committee", bytes: register, type: "text/csv")
            // It is held in its midst until the service takes nothing new.
            try await village.hold("income_entry") {
                await village.server.group.triggerGracefulShutdown()
                let port = village.server.port
                try await awaitCondition("the end of new connections") { SocketClient.isRefused(port: port) }
            }
            let reply = try await running
            #expect(reply.status == 200, "\(reply.text)")
            #expect(try reply.json["recorded"] == 3000)
            try await village.server.running.value
            #expect(try await village.count("SELECT count(*) AS count FROM income_entry") == 3000)
        }
    }

    @Test func aFaultOfOursSaysNothing() async throws {
        try await withVillage { village in
            _ = try await village.query("DROP VIEW income_row")
            let path = "/api/v1/income/summary?from=2021-01-01&to=2021-01-02&lang=en"
            let reply = try await village.send("GET", path, as: "committee")
            #expect(reply.status == 500)
            let expected: JSON = ["type": "urn:taoyuan:problem:internal", "title": "Internal error", "status": 500]
            #expect(try reply.problem() == expected)
            // The log says what, and of whom nothing.
            let errors = village.errors.errors
            #expect(errors.count == 1)
            #expect(errors.first?.contains("/api/v1/income/summary") == true)
            #expect(errors.first?.contains(village.tokens["committee"] ?? "taoyuan_") == false)
            #expect(errors.first?.contains("2021-01-01") == false)
            _ = try await village.query("ALTER TABLE event RENAME TO event_away")
            let write = try await village.send("POST", "/api/v1/grades", as: "administrator", ["name": "秘密"])
            #expect(write.status == 500)
            #expect(try write.problem()["detail"].orNil == nil)
            #expect(!write.text.contains("秘密") && !write.text.contains("event"))
            #expect(try await village.count("SELECT count(*) AS count FROM grade WHERE name = '秘密'") == 0)
        }
    }
}

/// What the load has seen.
private final class LoadRecord: Sendable {
    private struct State {
        var isOver = false
        var statuses: [Int: Int] = [:]
        var batches: [Int64] = []
        var sales: [Int64] = []
    }

    private let state = Mutex(State())

    var isOver: Bool { state.withLock { $0.isOver } }
    var statuses: [Int: Int] { state.withLock { $0.statuses } }
    var batches: [Int64] { state.withLock { $0.batches } }
    var sales: [Int64] { state.withLock { $0.sales } }

    /// Returns once ten more of both have been acknowledged.
    func grows() async throws {
        let (batches, sales) = (batches.count, sales.count)
        try await awaitCondition("new batches and sales") {
            self.batches.count >= batches + 10 && self.sales.count >= sales + 10
        }
    }

    func stop() { state.withLock { $0.isOver = true } }
    func saw(_ status: Int) { state.withLock { $0.statuses[status, default: 0] += 1 } }
    func acknowledge(batch: Int64) { state.withLock { $0.batches.append(batch) } }
    func acknowledge(sale: Int64) { state.withLock { $0.sales.append(sale) } }
}

extension ServedVillage {
    fileprivate func killPostgres(_ signal: CInt) throws {
        let text = try String(contentsOfFile: folder + "/data/postgres/postmaster.pid", encoding: .utf8)
        let process = try #require(text.split(separator: "\n").first.flatMap { pid_t($0) })
        try #require(kill(process, signal) == 0)
    }

    fileprivate func becomesReady() async throws {
        try await awaitCondition("the service's recovery") { try await send("GET", "/readyz").status == 200 }
    }

    /// Locks a table against writing; `body` runs as soon as somebody waits for it, and then it is free again.
    fileprivate func hold(_ table: String, while body: () async throws -> Void) async throws {
        var settings = backend.database.listening
        settings.user = EmbeddedPostgres.superuser
        let connection = try await Connection.open(settings)
        do {
            try await connection.transaction { transaction in
                _ = try await transaction.query("LOCK TABLE \(identifier: table) IN SHARE MODE")
                try await awaitCondition("a writer of \(table)") {
                    let waiting: SQL =
                        "SELECT count(*) AS count FROM pg_locks WHERE NOT granted AND relation = \(table)::regclass"
                    return try await count(waiting) > 0
                }
                try await body()
            }
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }

    /// Registers or sells until the record is over; what is refused as unavailable is repeated under its key.
    fileprivate func work(selling: Bool, from batch: Int64, _ record: LoadRecord) async throws {
        while !record.isOver {
            let key = ["Idempotency-Key": UUID().uuidString]
            let path = selling ? "/api/v1/sales" : "/api/v1/batches"
            let body = selling ? Self.sale(batch, on: today) : Self.harvest(grams: 1000, on: today)
            var reply: TestServer.Reply
            repeat {
                reply = try await send("POST", path, as: "clerk", body, headers: key)
                record.saw(reply.status)
                if reply.status == 503 {
                    _ = try reply.problem()
                    try await Task.sleep(for: .milliseconds(20))
                }
            } while reply.status == 503
            try #require(reply.status == 201, "\(reply.text)")
            if selling {
                record.acknowledge(sale: try reply.json["sale"].int64)
            } else {
                record.acknowledge(batch: try reply.json["batch"].int64)
            }
        }
    }

    /// One sale on a connection of its own, tried again while the service says that it is busy.
    fileprivate func sellOnASocket(_ batch: Int64, grams: Int64) async -> String {
        let body = Self.sale(batch, grams: grams, on: today).bytes
        let head =
            "POST /api/v1/sales HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(tokens["clerk"] ?? "")\r\nConnection: close\r\n"
            + "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n"
        while true {
            guard let socket = try? SocketClient(port: server.port) else { return "no connection" }
            await socket.write(Array(head.utf8) + body)
            let status = await socket.read(until: "never").dropFirst(9).prefix(3)
            if status != "503" { return String(status) }
        }
    }
}

/// Codes that are not what they seem.
struct HostileCodes {
    let forged: String
    let unknownKey: String
    let unregistered: String

    init(_ village: ServedVillage) throws {
        let good = try SignedCode(payload: village.payload)
        var signature = good.signature
        signature[5] ^= 1
        forged = SignedCode(body: good.body, signature: signature).payload
        let body = try CodeBody(
            keyID: KeyID(good.body.keyID.value ^ 1), batch: good.body.batch, issued: good.body.issued, bestBefore: nil,
            serial: nil)
        unknownKey = SignedCode(body: body, signature: good.signature).payload
        unregistered = try village.backend.keys.signer().sign(
            batch: 4_000_000_000, issued: village.today, bestBefore: nil
        ).payload
    }
}
