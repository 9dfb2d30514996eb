import Batches
import Codes
import Foundation
import Kernel
import Orchard
import Postgres
import Signing
import Synchronization
import TestSupport
import Testing

@testable import Backend
@testable import Backups
@testable import Database

private final class Count: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func increase() { count.withLock { $0 += 1 } }
}

/// Backups of an embedded village, and what becomes of them.
@Suite struct BackupTests {
    /// A village with a harvest of its own, in a data folder beside which backups may lie.
    private func withVillage(_ body: @Sendable (Configuration, Backend, String) async throws -> Void) async throws {
        try await withDataFolder { path in
            let configuration = try Configuration(environment: [:], dataDirectory: path)
            let backend = try await Backend.open(configuration, founding: .sample)
            let result = await Result {
                #expect(try await backend.registerAndVerify() == .genuine)
                try await body(configuration, backend, URL(filePath: path).deletingLastPathComponent().path)
            }
            await backend.close()
            try result.get()
        }
    }

    private func configuration(_ path: String) throws -> Configuration {
        try Configuration(environment: [:], dataDirectory: path)
    }

    private func code(_ backend: Backend) async throws -> IssuedCode {
        let harvest = Harvest(
            plot: "E1", product: nil, variety: "瑞蟠21号", grade: "特级", day: backend.clock.today,
            weight: Weight(grams: 1000), picker: nil)
        return try await backend.database.change(
            backend.local.scope,
            CodeStore(backend.database, keys: backend.keys).register(harvest, today: backend.clock.today))
    }

    @Test(arguments: [false, true])
    func `taken while others write and restored on a clean machine, it is the village of one moment`(
        isSealed: Bool
    ) async throws {
        try await withVillage { configuration, backend, folder in
            let before = try await code(backend)
            let issued = Count()
            let writers = Task {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<3 {
                        group.addTask {
                            while !Task.isCancelled {
                                _ = try await code(backend)
                                issued.increase()
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            while issued.value < 20 { try await Task.sleep(for: .milliseconds(10)) }
            let started = issued.value
            let sealing = isSealed ? try Passphrase("geheim") : nil
            let file = folder + "/village.taoyuan"
            let about = try await Backend.backUp(
                configuration, to: file, sealing: sealing, includingKeyPassphrase: isSealed)
            #expect(about.village == "韩村" && about.origin == "localhost:8080")
            while issued.value < started + 10 { try await Task.sleep(for: .milliseconds(10)) }
            writers.cancel()
            _ = await writers.result
            // The machine is gone, with what was written since.
            let lines = try String(
                contentsOfFile: configuration.dataDirectory + "/postgres/postmaster.pid", encoding: .utf8)
            if let process = lines.split(separator: "\n").first.flatMap({ pid_t($0) }) { kill(process, SIGKILL) }

            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let archive = try BackupArchive(checking: file, passphrase: sealing)
            let clean = try self.configuration(folder + "/clean")
            if !isSealed {
                let refused = try await refusal {
                    try await Backend.restore(clean, from: archive)
                }
                #expect(refused?.code == "no-key-passphrase")
            }
            let opening = isSealed ? nil : try Passphrase.read(file: configuration.dataDirectory + "/key-passphrase")
            let keys = try await Backend.restore(clean, from: archive, opening: .passphrase(opening))
            #expect(keys == backend.keys.all.map(\.id))
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains(".restoring") }.isEmpty
            )

            let restored = try await Backend.open(clean)
            #expect(restored.village == backend.village)
            #expect(try await restored.verification.verify(before.payload).answer == .genuine)
            let after = try await code(restored)
            #expect(try await restored.verification.verify(after.payload).answer == .genuine)
            // Labels of what came after the backup may bear the numbers from there on.
            #expect(after.batch > Int64(issued.value) + 900)
            let embedded = try await EmbeddedPostgres.open(dataDirectory: clean.dataDirectory)
            let owner = Pool(embedded.settings(), size: 1)
            try await Invariants.check(owner, written: false)
            let kept = try #require(try await owner.query("SELECT count(*) AS n FROM batch").first)
            let count: Int = try kept.decode("n")
            #expect(count >= 20 && count <= issued.value + 3)
            await owner.close()
            await embedded.close()
            await restored.close()
        }
    }

    @Test func `villages go on counting where they were, though rows don't tell how far that was`() async throws {
        try await withVillage { configuration, backend, folder in
            let founding = try Founding(village: "老龙湾", brand: "龙湾", origin: Origin("laolongwan.example.cn"))
            let other = try await Backend.addVillage(configuration, founding)
            func next(_ kind: String, _ database: Database, _ village: Int) async throws -> Int {
                let rows = try await database.query("SELECT own_number(\(kind)) AS number", .program(village))
                return try #require(rows.first).decode("number")
            }
            for _ in 0..<5 { _ = try await next("sale", backend.database, 1) }
            for _ in 0..<7 { _ = try await next("message", backend.database, other.id) }
            let file = folder + "/county.taoyuan"
            _ = try await Backend.backUp(
                configuration, to: file, sealing: nil, includingKeyPassphrase: false)
            let clean = try self.configuration(folder + "/clean")
            let opening = try Passphrase.read(file: configuration.dataDirectory + "/key-passphrase")
            _ = try await Backend.restore(
                clean, from: BackupArchive(checking: file, passphrase: nil), opening: .passphrase(opening))

            let county = try await County.open(clean, for: .command)
            #expect(try await next("sale", county.database, 1) == 6)
            #expect(try await next("sale", county.database, other.id) == 1)
            #expect(try await next("message", county.database, other.id) == 8)
            // Labels may bear numbers that were given after the backup.
            #expect(try await next("batch", county.database, 1) == 1002)
            await county.close()

            // A dump alone has no sequences; a migration makes them of the rows.
            let place = try await Place.find(clean, for: .command, making: false) { _ in }
            let owner = try await Connection.open(try place.ownerLogin())
            try await OwnNumbers.drop(on: owner)
            await owner.close()
            await place.embedded?.close()
            _ = try await Backend.migrate(clean)
            let again = try await County.open(clean, for: .command)
            #expect(try await next("batch", again.database, 1) == 2)
            #expect(try await next("message", again.database, other.id) == 1)
            await again.close()
        }
    }

    @Test(arguments: [false, true])
    func `cut short or altered, nothing of it is restored`(isSealed: Bool) async throws {
        try await withVillage { configuration, _, folder in
            let sealing = isSealed ? try Passphrase("geheim") : nil
            let file = folder + "/village.taoyuan"
            _ = try await Backend.backUp(configuration, to: file, sealing: sealing, includingKeyPassphrase: false)
            let whole = try Data(contentsOf: URL(filePath: file))
            let damaged = folder + "/damaged"
            let size = whole.count
            let cuts = [0, 10, 511, 512, size / 2, size - 512, size - 1].map { whole.prefix($0) }
            let flips = [600, size / 3, size / 2, size - 1100].map { place in
                var copy = whole
                copy[place] ^= 1
                return copy
            }
            for (number, bytes) in (cuts + flips + [whole + Data([0])]).enumerated() {
                try bytes.write(to: URL(filePath: damaged))
                let refused = #expect(throws: Refusal.self, "\(number)") {
                    try BackupArchive(checking: damaged, passphrase: sealing)
                }
                #expect(
                    ["damaged-backup", "not-a-backup", "wrong-passphrase", "newer-backup"].contains(refused?.code),
                    "\(number)")
            }
            #expect(throws: Never.self) { try BackupArchive(checking: file, passphrase: sealing) }
        }
    }

    @Test func `an encrypted one opens with its passphrase alone, and tells nothing`() async throws {
        try await withVillage { configuration, _, folder in
            let file = folder + "/village.taoyuan"
            _ = try await Backend.backUp(
                configuration, to: file, sealing: Passphrase("geheim"), includingKeyPassphrase: true)
            let none = #expect(throws: Refusal.self) { try BackupArchive(checking: file, passphrase: nil) }
            #expect(none?.code == "sealed-backup")
            let wrong = #expect(throws: Refusal.self) {
                try BackupArchive(checking: file, passphrase: Passphrase("Geheim"))
            }
            #expect(wrong?.code == "wrong-passphrase")
            let bytes = try Data(contentsOf: URL(filePath: file))
            for word in ["韩村", "ENCRYPTED PRIVATE KEY", "backup.json"] {
                #expect(bytes.range(of: Data(word.utf8)) == nil, "\(word)")
            }
        }
    }

    @Test func `neither a file nor a village is written over`() async throws {
        try await withVillage { configuration, backend, folder in
            let file = folder + "/village.taoyuan"
            try Data("mine".utf8).write(to: URL(filePath: file))
            let there = try await refusal {
                try await Backend.backUp(configuration, to: file, sealing: nil, includingKeyPassphrase: false)
            }
            #expect(there?.code == "backup-exists")
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
            try FileManager.default.removeItem(atPath: file)
            // What a killed backup left does not stand in the way.
            try Data("half".utf8).write(to: URL(filePath: file + ".part"))
            _ = try await Backend.backUp(configuration, to: file, sealing: nil, includingKeyPassphrase: false)
            let archive = try BackupArchive(checking: file, passphrase: nil)
            let opening = try Passphrase.read(file: configuration.dataDirectory + "/key-passphrase")
            let refused = try await refusal {
                try await Backend.restore(configuration, from: archive, opening: .passphrase(opening))
            }
            #expect(refused?.code == "data-dir-not-empty")
            try await backend.county.checkReady()
            let wrong = try await refusal {
                try await Backend.restore(
                    self.configuration(folder + "/clean"), from: archive,
                    opening: .passphrase(Passphrase("wrong")))
            }
            #expect(wrong?.code == "wrong-passphrase")
            #expect(!FileManager.default.fileExists(atPath: folder + "/clean"))
        }
    }

    @Test func `where what opens the keys is lost, old codes are verified and new ones signed with a new key`()
        async throws
    {
        try await withVillage { configuration, backend, folder in
            let before = try await code(backend)
            let file = folder + "/village.taoyuan"
            _ = try await Backend.backUp(configuration, to: file, sealing: nil, includingKeyPassphrase: false)
            let clean = try self.configuration(folder + "/clean")
            let archive = try BackupArchive(checking: file, passphrase: nil)
            #expect(try await Backend.restore(clean, from: archive, opening: .none).isEmpty)
            let restored = try await Backend.open(clean)
            #expect(try await restored.verification.verify(before.payload).answer == .genuine)
            #expect(try await refusal { try await code(restored) } != nil)
            let made = try await restored.keys.create(.ed25519, restored.database, restored.local.scope)
            let after = try await code(restored)
            #expect(after.signed.body.keyID == made)
            try await restored.county.checkReady()
            await restored.close()
        }
    }

    @Test func `a length below nothing and a key beyond any are damage`() async throws {
        var head = Tar.head("backup.json", size: 1)
        head.replaceSubrange(124..<135, with: Array("-1234567012".utf8))
        head.replaceSubrange(148..<156, with: repeatElement(UInt8(ascii: " "), count: 8))
        let digits = Array(String(head.reduce(0) { $0 + Int($1) }, radix: 8).utf8)
        head.replaceSubrange(148..<156, with: Array("000000".utf8.dropLast(digits.count)) + digits + [0, 0x20])
        #expect(Tar.read(head) == nil)

        try await withDataFolder { path in
            let file = URL(filePath: path).deletingLastPathComponent().path + "/village.taoyuan"
            let writer = try BackupWriter(path: file, passphrase: nil)
            let about = """
                {"format": "taoyuan-backup/1", "takenAt": "2026-11-27T00:00:00Z", "village": "韩村", "origin": "a.example.cn",
                "villages": 1, "schema": 1, "postgres": 15, "dumper": 15}
                """
            try writer.add(BackupArchive.manifest, Array(about.utf8))
            try writer.add("keys/0001.pem", [UInt8](repeating: 0x41, count: 65_537))
            try writer.finish()
            let refused = #expect(throws: Refusal.self) { try BackupArchive(checking: file, passphrase: nil) }
            #expect(refused?.code == "damaged-backup")
        }
    }

    /// The same backup with other sums: what a database would come to that lost a row on its way.
    private func withOtherSums(_ file: String, to altered: String) throws {
        let reader = try BackupReader(path: file, passphrase: nil)
        let writer = try BackupWriter(path: altered, passphrase: nil)
        while let entry = try reader.next() {
            switch entry.name {
            case BackupArchive.digest: try writer.finish()
            case BackupArchive.sums:
                let text = String(decoding: entry.bytes, as: UTF8.self).replacing("batch rows=2", with: "batch rows=3")
                try writer.add(entry.name, Array(text.utf8))
            default: try writer.add(entry.name, entry.bytes)
            }
        }
    }

    @Test func `on a server without the roles it makes them, and a wrong sum leaves nothing behind`() async throws {
        try await withVillage { configuration, backend, folder in
            let before = try await code(backend)
            let file = folder + "/village.taoyuan"
            _ = try await Backend.backUp(configuration, to: file, sealing: nil, includingKeyPassphrase: false)
            let server = try await TestServer.start(.passwordForRoles)
            let connection = try await Connection.open(server.settings())
            _ = try await connection.query("CREATE DATABASE village")
            await connection.close()
            let opening = try Passphrase.read(file: configuration.dataDirectory + "/key-passphrase")
            let address = "@/village?host=\(server.folder)"
            let settings = [
                "DATABASE_URL": "postgresql://postgres\(address)", "TAOYUAN_KEYS_DIR": folder + "/keys",
                "TAOYUAN_SERVICE_URL": "postgresql://taoyuan_service:eins\(address)",
                "TAOYUAN_PUBLIC_URL": "postgresql://taoyuan_public:zwei\(address)",
                // The keys are sealed anew with this.
                "TAOYUAN_KEY_PASSPHRASE": "another",
            ]
            let target = try Configuration(environment: settings)
            @Sendable func restore(_ file: String) async throws -> [KeyID] {
                try await Backend.restore(
                    target, from: BackupArchive(checking: file, passphrase: nil), opening: .passphrase(opening))
            }

            try withOtherSums(file, to: folder + "/altered.taoyuan")
            let other = try await refusal { try await restore(folder + "/altered.taoyuan") }
            #expect(other?.code == "other-sums")
            #expect(other?.message.en.contains("batch rows=3") == true, "\(other?.message.en ?? "")")
            #expect(try KeyFiles.read(folder + "/keys").isEmpty)

            // One that was killed has left this.
            let owner = Pool(server.settings(database: "village"), size: 1)
            for statement: SQL in [
                "CREATE SCHEMA taoyuan_restoring", "CREATE TABLE public.batch (number int)",
                "ALTER TABLE public.batch OWNER TO taoyuan_owner",
            ] {
                _ = try await owner.query(statement)
            }
            #expect(try await refusal { try await Backend.migrate(target) }?.code == "unfinished-restore")

            #expect(try await restore(file).count == 1)
            let left = try await owner.query("SELECT FROM pg_namespace WHERE nspname = 'taoyuan_restoring'")
            #expect(left.isEmpty)
            await owner.close()
            #expect(try await refusal { try await restore(file) }?.code == "keys-there")
            var elsewhere = target
            elsewhere.keysDirectory = folder + "/other-keys"
            let twice = try await refusal { [elsewhere] in
                try await Backend.restore(
                    elsewhere, from: BackupArchive(checking: file, passphrase: nil), opening: .passphrase(opening))
            }
            #expect(twice?.code == "database-not-empty")
            var serving = target
            serving.databaseURL = nil
            let restored = try await Backend.open(serving, for: .serving)
            #expect(try await restored.verification.verify(before.payload).answer == .genuine)
            #expect(try await restored.verification.verify(code(restored).payload).answer == .genuine)
            await restored.close()
        }
    }
}
