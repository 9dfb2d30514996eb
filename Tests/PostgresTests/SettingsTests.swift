import Testing

@testable import Postgres

struct SettingsTests {
    @Test func readsURLs() throws {
        let settings = try Settings(
            url:
                "postgres://cl%C3%A9rk:p%40ss%20word@db.example:5433/village?sslmode=require&options=-c%20role%3Dreader"
        )
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
