import Foundation
import Testing

/// What the program says beside its results.
@Suite struct TalkStories {
    private let chinese = ["LANG": "zh_CN.UTF-8"]

    @Test func `the first command in a folder says that it sets it up, and no other does`() async throws {
        let village = try Village()
        let first = try await village.run("init", "--village", "村", "--brand", "品", "--origin", "trace.example.cn")
        let lines = first.errors.split(separator: "\n")
        #expect(first.status == 0 && lines.count == 1, "\(first.errors)")
        #expect(lines.first?.contains(village.file("data")) == true, "\(first.errors)")
        #expect(try await village.run("batch", "list", "--json").output == "[]\n")
        #expect(try await village.run("batch", "list", "--json").errors.isEmpty)
    }

    @Test func `a missing PostgreSQL is told of the folder that needs it`() async throws {
        let village = try await Village.founded()
        for (language, said) in [("zh", "数据目录"), ("en", "data folder")] {
            let outcome = try await village.run(
                ["batch", "list", "--lang", language], environment: ["TAOYUAN_POSTGRES_BIN": "/nonexistent"])
            #expect(
                outcome.status == 1 && outcome.errors.contains("\(said) \(village.file("data"))"), "\(outcome.errors)")
        }
    }

    @Test func `whole numbers are read as they are typed`() async throws {
        let village = try await Village.founded()
        try await village.importPlots()
        let (batch, _) = try await village.register()
        try #require(batch == 1)
        for typed in ["１", "1 ", "1.0"] {
            for command in [
                ["code", "show"], ["batch", "show"], ["sale", "list", "--limit", "５", "--batch"],
            ] {
                let outcome = try await village.run(command + [typed])
                #expect(outcome.status == 0, "\(command) \(typed): \(outcome.errors)")
            }
        }
        let sale = [
            "sale", "record", "--batch", "１", "--weight", "１０kg", "--price", "８.50/斤", "--channel", "批发", "--buyer",
            "王",
            "--day", "2023-08-22",
        ]
        #expect(try await village.run(sale).status == 0)
    }

    @Test func `a server says when codes point elsewhere`() async throws {
        let village = try await Village.founded(origin: "trace.example.cn")
        let away = ["TAOYUAN_ORIGIN": "trace.example.cn"]
        // The origin is the database's; the variable no longer counts.
        for environment in [away, ["TAOYUAN_ORIGIN": "localhost:8080"]] {
            let running = try village.launch(
                Village.program, ["serve", "--port", "0"], input: "", environment: environment)
            let talk = try await running.errors(after: "Ctrl-C")
            running.signal(SIGTERM)
            _ = try await running.finish()
            #expect(talk.contains("https://trace.example.cn, not here") && talk.contains("add-origin"), "\(talk)")
        }
    }

    @Test func `the configuration is what is in effect, and says what a setting can't change`() async throws {
        let village = try await Village.founded(origin: "trace.example.cn")
        let shown = try await village.run(
            ["config"], environment: ["TAOYUAN_ORIGIN": "other.example", "TAOYUAN_PORT": "1"])
        let line = shown.output.split(separator: "\n").first { $0.hasPrefix("TAOYUAN_ORIGIN") }
        #expect(line?.contains("trace.example.cn") == true && line?.contains("database") == true, "\(shown.output)")
        #expect(shown.errors.contains("TAOYUAN_ORIGIN=other.example has no effect"), "\(shown.errors)")
        #expect(!shown.errors.contains("TAOYUAN_PORT"))
        let ran = try await village.run("jobs", "run", "--json")
        #expect(ran.status == 0 && ran.output.contains("\"job\":\"scans\",\"outcome\":\"done\""), "\(ran.output)")
        #expect(try await village.run("jobs", "run", "nothing").status == 1)
    }

    @Test func `a server at its own origin says nothing of it`() async throws {
        let port = 19_100 + Int.random(in: 0...99)
        let village = try await Village.founded(origin: "localhost:\(port)")
        let running = try village.launch(
            Village.program, ["serve", "--port", "\(port)"], input: "", environment: [:])
        _ = try await running.errors(after: "Ctrl-C")
        running.signal(SIGTERM)
        let talk = try await running.finish().errors
        #expect(talk.contains("http://127.0.0.1:\(port)") && !talk.contains("add-origin"), "\(talk)")
    }

    @Test func `an offline verification says which key and which origin do not fit`() async throws {
        let village = try await Village.founded()
        try await village.importPlots()
        let (_, payload) = try await village.register()
        let keys = try await village.run("key", "list", "--json").json(as: [[String: Any]].self)
        let signer = try #require(keys.first?["keyId"] as? String)
        let other = try #require(try await village.json("key", "create", "--algorithm", "sm2")["keyId"] as? String)
        func verify(_ payload: String, key: String, origin: String) async throws -> String {
            let file = village.file("\(key).pem")
            try await village.run("key", "export", "--key-id", key, "--format", "pem", "--output", file)
            let outcome = try await village.run(
                ["code", "verify", payload, "--offline", "--public-key", file, "--origin", origin], environment: chinese
            )
            #expect((outcome.status == 0) == outcome.errors.isEmpty)
            return outcome.errors
        }
        #expect(try await verify(payload, key: signer, origin: "localhost:8080").isEmpty)
        let wrongKey = try await verify(payload, key: other, origin: "localhost:8080")
        #expect(wrongKey.contains("密钥 \(signer)；") && wrongKey.contains("文件里的密钥是 \(other)。"), "\(wrongKey)")
        let wrongOrigin = try await verify(payload, key: signer, origin: "other.cn")
        #expect(wrongOrigin.contains("密钥 \(signer)；按站点 other.cn") && wrongOrigin.contains("--origin"), "\(wrongOrigin)")
        let forged = String(payload.dropLast(2)) + (payload.dropLast().last == "A" ? "B" : "A") + payload.suffix(1)
        let wrongSignature = try await verify(forged, key: signer, origin: "localhost:8080")
        #expect(wrongSignature.contains("密钥 \(signer)，") && wrongSignature.contains("站点 localhost:8080 也在签名之内"))
    }
}
