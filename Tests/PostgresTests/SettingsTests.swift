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

    @Test(arguments: ["/", "@", "%", "7/Zy@", ":/", "1%zz", "?/", "#/", " /", "/@:?#% "])
    func `a password whose special characters are not encoded is refused, and no part of it told`(special: String) {
        for url in [
            "postgres://owner:kJ8sQe\(special)7Zy@127.0.0.1:1/village", "postgres://owner:kJ8sQe\(special)7Zy/village",
            "postgresql://kJ8sQe\(special)7Zy@127.0.0.1:1",
        ] where special != "@" || url.hasSuffix(":1/village") {
            let error = #expect(throws: PostgresError.self) { try Settings(url: url) }
            #expect(error.map { "\($0)" }.map { !$0.contains("kJ8sQe") && !$0.contains("7Zy") } == true)
        }
    }

    @Test(arguments: [":", "?", "#", " ", "&", "=", "%2F%40%3A%3F%23%25%20"])
    func `what can't be taken for the end of a password may stand in it as it is`(special: String) throws {
        let settings = try Settings(url: "postgres://owner:kJ8sQe\(special)7Zy@db.example:5433/village")
        let meant = special.hasPrefix("%") ? "/@:?#% " : special
        #expect(settings.password == "kJ8sQe\(meant)7Zy" && settings.host == "db.example" && settings.port == 5433)
    }

    @Test func `several hosts have several ports, which are numbers`() throws {
        #expect(try Settings(url: "postgres://a:1,b:2/village").parameters["port"] == "1,2")
        for url in ["postgres://a:1,b:hunter2/village", "host=a port=hunter2", "postgres://a/village?port=x"] {
            #expect(throws: PostgresError.self) { try Settings(url: url) }
        }
    }

    @Test func `what went wrong before a server was reached is told without the settings`() async throws {
        let unknown = try Settings(url: "postgres://u@hunter2.invalid/village")
        let error = await #expect(throws: PostgresError.self) { try await Connection.open(unknown) }
        #expect(error?.message.contains("host name \"") == false && error?.message.contains("hunter2") == false)
        let two = "connection to server at \"h\", port 1 failed: x\ninvalid y value: \"hunter2\" \"z\" here"
        #expect(
            Wire.withoutSettings(two) == "connection to server at \"h\", port 1 failed: x\ninvalid y value: … here")
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
