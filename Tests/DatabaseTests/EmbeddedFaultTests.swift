import Foundation
import Kernel
import Testing

@testable import Database

@Suite struct EmbeddedFaultTests {
    @Test func damagedDataIsToldAndNotTouched() async throws {
        try await withDataFolder { path in
            let cluster = path + "/postgres"
            let embedded = try await EmbeddedPostgres.open(dataDirectory: path)
            try await run(embedded.settings(), "CREATE TABLE kept (x int)")
            await embedded.close()
            let damages: [(file: String, content: Data, code: String)] = [
                ("PG_VERSION", Data("banana".utf8), "data-dir-broken"),
                ("PG_VERSION", Data("9\n".utf8), "data-other-version"),
                ("global/pg_control", Data(count: 100), "data-dir-broken"),
                ("global/pg_control", Data(count: 8192), "data-dir-broken"),
            ]
            for damage in damages {
                let file = URL(filePath: "\(cluster)/\(damage.file)")
                let sound = try Data(contentsOf: file)
                try damage.content.write(to: file)
                try await expectRefusal(damage.code, toOpen: path, naming: cluster)
                #expect(try Data(contentsOf: file) == damage.content)
                try sound.write(to: file)
            }
            for file in ["PG_VERSION", "global/pg_control"] {
                try FileManager.default.moveItem(atPath: "\(cluster)/\(file)", toPath: path + "/aside")
                try await expectRefusal("data-dir-broken", toOpen: path, naming: cluster)
                try FileManager.default.moveItem(atPath: path + "/aside", toPath: "\(cluster)/\(file)")
            }
            let again = try await EmbeddedPostgres.open(dataDirectory: path)
            try await run(again.settings(), "SELECT x FROM kept")
            await again.close()
        }
    }

    @Test func foreignFilesAreLeftAlone() async throws {
        try await withDataFolder { path in
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try "mine".write(toFile: path + "/thesis.txt", atomically: true, encoding: .utf8)
            try await expectRefusal("data-dir-foreign", toOpen: path, naming: path)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["thesis.txt"])
        }
    }

    @Test func aFileInPlaceOfTheFolder() async throws {
        try await withDataFolder { path in
            try "mine".write(toFile: path, atomically: true, encoding: .utf8)
            try await expectRefusal("data-dir-unusable", toOpen: path, naming: path)
        }
    }

    @Test func aFolderThatCannotBeWritten() async throws {
        try await expectRefusal("data-dir-not-writable", toOpen: "/sys/taoyuan", naming: "/sys")
    }

    @Test(.enabled(if: geteuid() == 0, "only root hands the server to another user"))
    func aFolderThatTheServersUserCannotReach() async throws {
        try await withDataFolder { path in
            let closed = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
            chmod(closed, 0o700)
            try await expectRefusal("data-dir-unreachable", toOpen: path, naming: "--data-dir /var/lib/taoyuan")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a folder away"))
    func somebodyElsesFolder() async throws {
        try await withDataFolder { path in
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            chown(path, 12_345, 12_345)
            try await expectRefusal("data-dir-owner", toOpen: path, naming: "12345")
        }
    }

    @Test func noPostgres() async throws {
        try await withDataFolder { path in
            let nowhere = "/nonexistent"
            try await expectRefusal(
                "postgres-missing", toOpen: path, binaries: nowhere, naming: "apt-get install postgresql")
        }
    }

    @Test func anOldPostgres() async throws {
        try await withDataFolder { path in
            let old = path + ".bin"
            try FileManager.default.createDirectory(atPath: old, withIntermediateDirectories: true)
            for name in ["postgres", "initdb"] {
                try "#!/bin/sh\necho 'postgres (PostgreSQL) 9.6.24'\n"
                    .write(toFile: "\(old)/\(name)", atomically: true, encoding: .utf8)
                chmod("\(old)/\(name)", 0o755)
            }
            try await expectRefusal("postgres-too-old", toOpen: path, binaries: old, naming: "15")
        }
    }

    @Test func aServerOutOfSight() async throws {
        try await withDataFolder { path in
            let folder = try DataFolder(path)
            try folder.prepareRoot()
            let elsewhere = try FileLock(path: folder.serverLock)
            #expect(elsewhere.tryLock(exclusive: true))
            let server = EmbeddedServer(folder: folder, binaries: nil, strangerPatience: .milliseconds(50))
            let refusal = await #expect(throws: Refusal.self) { try await server.ensureRunning() }
            #expect(refusal?.code == "data-dir-in-use")
        }
    }

    @Test(.enabled("needs the right to mount a small file system", mayMount))
    func aDiskTooSmallForTheCluster() async throws {
        try await withSmallDisk(megabytes: 20) { path in
            try await expectRefusal("disk-full", toOpen: path, naming: path)
            #expect(!FileManager.default.fileExists(atPath: path + "/postgres"))
        }
    }

    @Test(.enabled("needs the right to mount a small file system", mayMount))
    func aDiskThatFillsUpLater() async throws {
        try await withSmallDisk(megabytes: 80) { path in
            let embedded = try await EmbeddedPostgres.open(dataDirectory: path)
            try await run(embedded.settings(), "CREATE TABLE kept (x int)", "INSERT INTO kept VALUES (42)")
            await embedded.close()

            let junk = path + ".junk"
            #expect(await !succeeds("dd", "if=/dev/zero", "of=" + junk, "bs=64k"))
            try await expectRefusal("disk-full", toOpen: path, naming: path)

            try FileManager.default.removeItem(atPath: junk)
            let again = try await EmbeddedPostgres.open(dataDirectory: path)
            let rows = try await run(again.settings(), "SELECT x FROM kept")
            #expect(try rows?.first?.decode("x", as: Int.self) == 42)
            await again.close()
        }
    }
}
