import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Database

@Suite struct EmbeddedPostgresTests {
    @Test func theLastUserStopsTheServer() async throws {
        try await withDataFolder { path in
            let first = try await EmbeddedPostgres.open(dataDirectory: path)
            let process = try #require(postmaster(path))
            let second = try await EmbeddedPostgres.open(dataDirectory: path)
            #expect(postmaster(path) == process)
            let row = try #require(
                try await run(first.settings(), "SELECT current_database() || current_user AS who")?.first)
            #expect(try row.decode("who", as: String.self) == "taoyuantaoyuan_admin")

            await first.close()
            await first.close()
            #expect(postmaster(path) == process)
            await #expect(throws: Refusal.self) { try await first.ensureRunning() }
            _ = try await run(second.settings(), "SELECT 1")
            await second.close()
            #expect(postmaster(path) == nil)
        }
    }

    @Test func manyMayOpenANewFolderAtOnce() async throws {
        try await withDataFolder { path in
            let all = try await withThrowingTaskGroup(of: EmbeddedPostgres.self) { group in
                for _ in 0..<8 { group.addTask { try await EmbeddedPostgres.open(dataDirectory: path) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(postmaster(path) != nil)
            await withTaskGroup { group in
                for embedded in all { group.addTask { await embedded.close() } }
            }
            #expect(postmaster(path) == nil)
        }
    }

    @Test func anAbandonedServerIsAdopted() async throws {
        try await withDataFolder { path in
            // Gone without `close`, as a killed program is.
            _ = try await EmbeddedPostgres.open(dataDirectory: path).settings()
            // A program that another test starts at this moment holds every lock of this process until it has begun.
            let use = try FileLock(path: DataFolder(path).useLock)
            try await awaitCondition("the end of its lock") { use.tryLock(exclusive: true) }
            use.unlock()
            let process = try #require(postmaster(path))
            let next = try await EmbeddedPostgres.open(dataDirectory: path)
            #expect(postmaster(path) == process)
            await next.close()
            #expect(postmaster(path) == nil)
        }
    }

    @Test func aKilledServerComesBackWithWhatWasCommitted() async throws {
        try await withDataFolder { path in
            let embedded = try await EmbeddedPostgres.open(dataDirectory: path)
            try await run(embedded.settings(), "CREATE TABLE kept (x int)", "INSERT INTO kept VALUES (42)")
            let killed = try #require(postmaster(path))
            let (restarts, restarted) = AsyncStream<String>.makeStream()
            let supervisor = Task {
                await embedded.supervise { restarted.yield($0.map { "\($0)" } ?? "restarted") }
            }
            kill(killed, SIGKILL)
            var reports = restarts.makeAsyncIterator()
            #expect(await reports.next() == "restarted")
            #expect(postmaster(path) != killed)
            let rows = try await run(embedded.settings(), "SELECT x FROM kept")
            #expect(try rows?.first?.decode("x", as: Int.self) == 42)
            supervisor.cancel()
            await supervisor.value
            await embedded.close()
            #expect(postmaster(path) == nil)
        }
    }

    @Test func aKilledServersNumberMayBelongToAStranger() async throws {
        try await withDataFolder { path in
            let embedded = try await EmbeddedPostgres.open(dataDirectory: path)
            let killed = try #require(postmaster(path))
            kill(killed, SIGKILL)
            let lockFile = path + "/postgres/postmaster.pid"
            let text = try String(contentsOfFile: lockFile, encoding: .utf8)
            try text.replacing("\(killed)\n", with: "1\n").write(toFile: lockFile, atomically: false, encoding: .utf8)
            try await embedded.ensureRunning()
            try await run(embedded.settings(), "SELECT 1")
            await embedded.close()
        }
    }

    @Test func anInterruptedInitialisationIsForgotten() async throws {
        try await withDataFolder { path in
            let leftOver = path + "/postgres.new/global"
            try FileManager.default.createDirectory(atPath: leftOver, withIntermediateDirectories: true)
            try "15\n".write(toFile: path + "/postgres.new/PG_VERSION", atomically: true, encoding: .utf8)
            let embedded = try await EmbeddedPostgres.open(dataDirectory: path)
            #expect(!FileManager.default.fileExists(atPath: leftOver))
            await embedded.close()
        }
    }

    @Test func aLongPathGetsAShortSocket() async throws {
        try await withDataFolder { path in
            let long = path + "/" + String(repeating: "桃", count: 50) + ",源"
            let embedded = try await EmbeddedPostgres.open(dataDirectory: long)
            let folder = try #require(embedded.settings().host)
            defer { rmdir(folder) }
            #expect(folder.hasPrefix("/tmp/taoyuan-"))
            #expect(try mode(folder) == 0o700)
            try await run(embedded.settings(), "SELECT 1")
            await embedded.close()
            #expect(postmaster(long) == nil)
        }
    }

    @Test func theDataIsPrivate() async throws {
        try await withDataFolder { path in
            let embedded = try await EmbeddedPostgres.open(dataDirectory: path)
            let asRoot = geteuid() == 0
            #expect(try mode(path) == (asRoot ? 0o711 : 0o700))
            for folder in ["postgres", "run", "log"] { #expect(try mode("\(path)/\(folder)") == 0o700) }
            for file in ["start.lock", "use.lock", "server.lock", "log/postgres.log", "postgres/PG_VERSION"] {
                #expect(try mode("\(path)/\(file)") == 0o600)
            }
            #expect(try mode(path + "/run/.s.PGSQL.5432") == 0o700)
            if asRoot {
                #expect(try owner(path) == "root")
                #expect(try owner(path + "/postgres") == "postgres")
                #expect(try owner(path + "/run") == "postgres")
                let process = try #require(postmaster(path))
                #expect(try owner("/proc/\(process)") == "postgres")
            }
            let setting = try await run(embedded.settings(), "SHOW listen_addresses")
            #expect(try setting?.first?.decode(0, as: String.self) == "")
            await embedded.close()
        }
    }

    @Test func theLogDoesNotQuoteWhatPeopleEnter() async throws {
        try await withDataFolder { path in
            let embedded = try await EmbeddedPostgres.open(dataDirectory: path)
            await #expect(throws: PostgresError.self) {
                try await run(embedded.settings(), "SELECT (\("13900001111x")::text)::int")
            }
            await embedded.close()
            let log = try String(contentsOfFile: path + "/log/postgres.log", encoding: .utf8)
            #expect(log.contains("ready to accept connections"))
            #expect(!log.contains("13900001111x"))
        }
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? NSNumber).intValue
    }

    private func owner(_ path: String) throws -> String? {
        try FileManager.default.attributesOfItem(atPath: path)[.ownerAccountName] as? String
    }
}
