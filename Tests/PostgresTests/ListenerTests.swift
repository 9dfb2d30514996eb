import Foundation
import Testing

@testable import Postgres

struct ListenerTests {
    @Test(.timeLimit(.minutes(1))) func hearsAndComesBack() async throws {
        let server = try TestServer.shared.get()
        let pool = server.pool()
        var settings = server.settings()
        settings.applicationName = "listener under test"
        var events = Listener(settings, channels: ["peaches", "Tours"]).events().makeAsyncIterator()
        #expect(await events.next() == .connected)
        _ = try await pool.query("SELECT pg_notify('peaches', \("蟠桃 'ripe'"))")
        #expect(await events.next() == .notification(channel: "peaches", payload: "蟠桃 'ripe'"))
        _ = try await pool.query("NOTIFY \"Tours\"")
        #expect(await events.next() == .notification(channel: "Tours", payload: ""))
        _ = try await pool.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'listener under test'")
        #expect(await events.next() == .disconnected)
        #expect(await events.next() == .connected)
        _ = try await pool.query("NOTIFY peaches, 'again'")
        #expect(await events.next() == .notification(channel: "peaches", payload: "again"))
    }

    @Test(.timeLimit(.minutes(1))) func endsWithItsTask() async throws {
        let server = try TestServer.shared.get()
        let pool = server.pool()
        var settings = server.settings()
        settings.applicationName = "listener that ends"
        let isListening: () async throws -> Bool = {
            try await !pool.query("SELECT 1 FROM pg_stat_activity WHERE application_name = 'listener that ends'").isEmpty
        }
        let listener = Listener(settings, channels: ["peaches"])
        let task = Task {
            for await _ in listener.events() {}
        }
        #expect(try await eventually { try await isListening() })
        task.cancel()
        await task.value
        #expect(try await eventually { try await !isListening() })
    }
}

struct SettingsTests {
    @Test func readsURLs() throws {
        let settings = try Settings(
            url: "postgres://cl%C3%A9rk:p%40ss%20word@db.example:5433/village?sslmode=require&options=-c%20role%3Dreader")
        #expect(settings.host == "db.example")
        #expect(settings.port == 5433)
        #expect(settings.user == "clérk")
        #expect(settings.password == "p@ss word")
        #expect(settings.database == "village")
        #expect(settings.options == "-c role=reader")
        #expect(settings.parameters["sslmode"] == "require")
        let socket = try Settings(url: "postgresql:///village?host=/run/postgresql&connect_timeout=3")
        #expect(socket.host == "/run/postgresql")
        #expect(socket.connectTimeout == .seconds(3))
    }

    @Test func passwordIsNeverTold() throws {
        let settings = try Settings(url: "postgres://u:hunter2@h/d?sslpassword=hunter2")
        var dumped = ""
        dump(settings, to: &dumped)
        for text in ["\(settings)", String(reflecting: settings), String(describing: Optional(settings)), dumped] {
            #expect(!text.contains("hunter2"))
        }
        for url in ["postgres://u:hunter2%@h/d", "postgres://u:hunter2@h/d?nonsense=1", "hunter2"] {
            let error = #expect(throws: PostgresError.self) { try Settings(url: url) }
            #expect(error.map { "\($0)".contains("hunter2") } == false)
        }
    }
}

actor Blocker {
    private let executor = ThreadExecutor(name: "blocker")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func block(_ duration: TimeInterval) -> String? {
        Thread.sleep(forTimeInterval: duration)
        return Thread.current.name
    }
}

struct ThreadExecutorTests {
    @Test func blocksNobodyElse() async throws {
        let start = ContinuousClock.now
        let names = await withTaskGroup { group in
            for _ in 0..<20 {
                group.addTask { await Blocker().block(0.2) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(names.allSatisfy { $0 == "blocker" })
        #expect(ContinuousClock.now - start < .seconds(2))
    }

    @Test func threadsEndWithTheirExecutors() async throws {
        let threads = {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { task in
                (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)) == "short-lived\n"
            }
        }
        var executors: [ThreadExecutor]? = (0..<50).map { _ in ThreadExecutor(name: "short-lived") }
        #expect(try await eventually { try threads() == 50 })
        #expect(executors?.count == 50)
        executors = nil
        #expect(try await eventually { try threads() == 0 })
    }
}
