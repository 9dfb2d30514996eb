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
            try await !pool.query("SELECT 1 FROM pg_stat_activity WHERE application_name = 'listener that ends'")
                .isEmpty
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
