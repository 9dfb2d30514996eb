import Foundation
import Testing

/// Founding, backing up, moving and upgrading a village from the command line.
@Suite struct OperatingStories {
    @Test func `a mistyped data folder is told, and not made`() async throws {
        let village = try Village()
        for words in [["batch", "list"], ["serve", "--port", "0"], ["key", "list"], ["backup", "x"]] {
            let outcome = try await village.run(words + ["--data-dir", village.file("mistyped")])
            #expect(outcome.status == 1)
            #expect(
                outcome.errors.contains("/mistyped") && outcome.errors.contains("taoyuan init"), "\(outcome.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: village.file("mistyped")))
    }

    @Test func `a village is founded by name, brand and origin, once`() async throws {
        let village = try Village()
        let words = ["init", "--village", "老龙湾", "--brand", "湾里", "--origin", "192.168.1.5:8080"]
        let made = try await village.run(words)
        #expect(made.status == 0 && made.output.contains("http://192.168.1.5:8080"), "\(made.errors)")
        #expect(made.errors.contains("for trials") && made.errors.contains("add-origin"))
        let again = try await village.run(words)
        #expect(again.status == 1 && again.errors.contains("there is a village already"))
        #expect(try await village.run("init", "--village", "x", "--brand", "y").status == 64)
    }

    @Test func `under another origin new codes are issued, and the old ones go on`() async throws {
        let village = try await Village.founded()
        try await village.importPlots()
        let (batch, old) = try await village.register()
        let added = try await village.json("village", "add-origin", "suyuan.example.cn")
        let key = try #require(added["keyId"] as? String)
        #expect(try await village.run("village", "add-origin", "localhost:8080").errors.contains("origin already"))
        let (_, new) = try await village.register()
        let verified = try await village.json("code", "verify", new)
        #expect(verified["origin"] as? String == "suyuan.example.cn" && verified["keyId"] as? String == key)
        let before = try await village.json("code", "verify", old)
        #expect(before["answer"] as? String == "genuine" && before["origin"] as? String == "localhost:8080")
        let shown = try await village.json("code", "show", "\(batch)")
        let drawn = try #require(shown["code"] as? [String: Any])
        #expect((drawn["url"] as? String)?.hasPrefix("http://localhost:8080/") == true, "\(shown)")
        let audited = try await village.run("audit", "list")
        #expect(audited.output.contains("suyuan.example.cn"), "\(audited.output)")
    }

    @Test func `killed while its database is made, it is begun again`() async throws {
        let village = try Village()
        let words = ["init", "--village", "韩村", "--brand", "津小韩", "--origin", "localhost:8080"]
        let running = try village.launch(Village.program, words, input: "", environment: [:])
        while !FileManager.default.fileExists(atPath: village.file("data/postgres.new/PG_VERSION")) {
            try await Task.sleep(for: .milliseconds(1))
        }
        running.signal(SIGKILL)
        _ = try await running.finish()
        let reading = try await village.run("batch", "list")
        #expect(reading.status == 1 && reading.errors.contains("taoyuan init"), "\(reading.errors)")
        let again = try await village.run(words)
        #expect(again.status == 0, "\(again.errors)")
        try await village.importPlots()
        _ = try await village.register()
    }

    @Test func `a backup is moved to another data folder`() async throws {
        let village = try await Village.founded()
        try await village.importPlots()
        let (_, payload) = try await village.register()
        let plain = try await village.run("backup", "plain.taoyuan")
        #expect(plain.status == 0 && plain.errors.contains("/data/key-passphrase"), "\(plain.errors)")
        let secret = try village.write("secret", "geheim\n")
        let sealed = try await village.run(
            "backup", "sealed.taoyuan", "--encrypt", "--passphrase-file", secret, "--with-key-passphrase")
        #expect(sealed.status == 0 && !sealed.errors.contains("key-passphrase"), "\(sealed.errors)")
        #expect(try await village.run("backup", "plain.taoyuan").errors.contains("not overwritten"))
        #expect(try await village.run("backup", "x", "--with-key-passphrase").status == 64)
        let listed = try await village.shell("tar -tf plain.taoyuan | head -2")
        #expect(listed.output.hasPrefix("backup.json\nkeys/"), "\(listed.output)\(listed.errors)")

        let checked = try await village.run("restore", "sealed.taoyuan", "--check", "--passphrase-file", secret)
        #expect(checked.status == 0 && checked.output.contains("whole"))
        #expect(try await village.run("restore", "sealed.taoyuan").errors.contains("encrypted"))
        let there = try await village.run("restore", "sealed.taoyuan", "--passphrase-file", secret)
        #expect(there.status == 1 && there.errors.contains("not empty"), "\(there.errors)")
        let moved = village.file("moved")
        let restored = try await village.run(
            "restore", "sealed.taoyuan", "--passphrase-file", secret, "--data-dir", moved)
        #expect(restored.status == 0 && restored.output.contains("It signs with"), "\(restored.errors)")
        #expect(try await village.run("code", "verify", payload, "--data-dir", moved).status == 0)
    }

    @Test func `the database is rebuilt beside the old one, which is kept`() async throws {
        let village = try await Village.founded()
        try await village.importPlots()
        let (_, payload) = try await village.register()
        let newest = try await village.run("upgrade-database")
        #expect(newest.status == 1 && newest.errors.contains("no newer one"), "\(newest.errors)")
        let done = try await village.json("upgrade-database", "--force")
        let kept = try #require(done["kept"] as? String)
        #expect(FileManager.default.fileExists(atPath: kept + "/PG_VERSION"))
        #expect(!FileManager.default.fileExists(atPath: village.file("data/upgrading")))
        #expect(try await village.run("code", "verify", payload).status == 0)
        let (_, next) = try await village.register()
        #expect(try await village.run("code", "verify", next).status == 0)
    }

    @Test func `an upgrade waits for nobody, and needs the old programs`() async throws {
        let village = try await Village.founded()
        let running = try village.launch(Village.program, ["serve", "--port", "0"], input: "", environment: [:])
        _ = try await running.errors(after: "Ctrl-C")
        let busy = try await village.run("upgrade-database", "--force")
        running.signal(SIGTERM)
        _ = try await running.finish()
        #expect(busy.status == 1 && busy.errors.contains("stop them first"), "\(busy.errors)")
        try Data("14\n".utf8).write(to: URL(filePath: village.file("data/postgres/PG_VERSION")))
        let old = try await village.run("upgrade-database")
        #expect(old.status == 1 && old.errors.contains("postgresql-14"), "\(old.errors)")
    }

    @Test func `a port for those who run the program that is taken is told before anything is served`() async throws {
        let village = try await Village.founded()
        let environment = ["TAOYUAN_ADMIN_PORT": "\(19_200 + Int.random(in: 0...99))"]
        let running = try village.launch(
            Village.program, ["serve", "--port", "0"], input: "", environment: environment)
        _ = try await running.errors(after: "Ctrl-C")
        let second = try await village.run(["serve", "--port", "0", "--lang", "en"], environment: environment)
        running.signal(SIGTERM)
        _ = try await running.finish()
        #expect(second.status == 1 && second.errors.hasPrefix("TAOYUAN_ADMIN_PORT: "), "\(second.errors)")
        #expect(second.errors.contains("taken") && !second.errors.contains("serving"), "\(second.errors)")
        let nowhere = ["TAOYUAN_ADMIN_PORT": "0", "TAOYUAN_ADMIN_HOST": "192.0.2.77"]
        let wrong = try await village.run(["serve", "--port", "0"], environment: nowhere)
        #expect(wrong.status == 1 && wrong.errors.hasPrefix("TAOYUAN_ADMIN_HOST"), "\(wrong.errors)")
    }

    @Test func `the jobs are listed with their pauses`() async throws {
        let village = try await Village.founded()
        let listed = try await village.run("jobs", "list", "--lang", "en")
        #expect(listed.output.contains { $0.isNewline } && listed.status == 0, "\(listed.errors)")
        let holds = listed.output.split(separator: "\n").first { $0.hasPrefix("holds") }
        #expect(holds?.contains(" 20 ") == true, "\(listed.output)")
    }
}
