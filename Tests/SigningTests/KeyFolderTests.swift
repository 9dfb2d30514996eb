import Foundation
import Kernel
import Signing
import Testing

@Suite struct KeyFolderTests {
    private let temporary: TemporaryFolder
    private let passphrase: Passphrase
    private let keys: KeyFolder

    init() throws {
        temporary = try TemporaryFolder()
        passphrase = try Passphrase("secret")
        keys = KeyFolder(path: temporary.file("keys"), origin: origin, passphrase: passphrase)
    }

    @Test(arguments: Algorithm.allCases)
    func `a key is stored for its owner alone and loaded again`(algorithm: Algorithm) throws {
        #expect(try keys.list().isEmpty)
        let key = try PrivateKey.generate(algorithm)
        let id = try keys.store(key)
        #expect(id == key.publicKey.id(origin: origin))
        #expect(try temporary.mode("keys") == 0o700)
        #expect(try temporary.mode("keys/\(id).pem") == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.file("keys")) == ["\(id).pem"])
        #expect(try keys.list() == [id])
        #expect(try keys.load(id).publicKey.der == key.publicKey.der)
    }

    @Test func `a taken id is refused and its file kept`() throws {
        let key = try PrivateKey.generate(.ed25519)
        let id = try keys.store(key)
        let before = try temporary.read("keys/\(id).pem")
        refusal("key-id-taken", .conflict) { try keys.store(key) }
        #expect(try temporary.read("keys/\(id).pem") == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.file("keys")) == ["\(id).pem"])
    }

    @Test(arguments: [0o644, 0o640, 0o604, 0o620, 0o602])
    func `a file that others may open is refused`(mode: Int) throws {
        let id = try keys.store(PrivateKey.generate(.ed25519))
        try temporary.setMode("keys/\(id).pem", mode)
        refusal("key-file-too-open", .forbidden) { try keys.load(id) }
        try temporary.setMode("keys/\(id).pem", 0o600)
        _ = try keys.load(id)
    }

    @Test func `a folder that others may enter is refused`() throws {
        _ = try keys.store(PrivateKey.generate(.ed25519))
        try temporary.setMode("keys", 0o755)
        refusal("key-folder-too-open", .forbidden) { try keys.list() }
        refusal("key-folder-too-open", .forbidden) { try keys.store(PrivateKey.generate(.ed25519)) }
    }

    @Test func `missing, broken and misplaced files are refused`() throws {
        let id = try keys.store(PrivateKey.generate(.ed25519))
        let other = KeyID(id.value &+ 1)
        refusal("no-key-file", .notFound) { try keys.load(other) }
        try FileManager.default.copyItem(
            atPath: temporary.file("keys/\(id).pem"), toPath: temporary.file("keys/\(other).pem"))
        refusal("key-of-other-origin", .conflict) { try keys.load(other) }
        let elsewhere = KeyFolder(
            path: temporary.file("keys"), origin: try Origin("localhost:8080"), passphrase: passphrase)
        refusal("key-of-other-origin", .conflict) { try elsewhere.load(id) }
        let locked = KeyFolder(path: temporary.file("keys"), origin: origin, passphrase: try Passphrase("wrong"))
        refusal("wrong-passphrase", .forbidden) { try locked.load(id) }
        try temporary.write("keys/\(id).pem", "x".utf8)
        refusal("bad-private-key", .invalid) { try keys.load(id) }
    }

    @Test func `a folder is made with those that it lies in, for its owner alone`() throws {
        let path = temporary.file("village/of/keys")
        try KeyFolder.make(path)
        try KeyFolder.make(path)
        for folder in ["village", "village/of", "village/of/keys"] {
            let mode = try FileManager.default.attributesOfItem(atPath: temporary.file(folder))[.posixPermissions]
            #expect(mode as? Int == 0o700, "\(folder)")
        }
        try temporary.setMode("village/of/keys", 0o755)
        refusal("key-folder-too-open", .forbidden) { try KeyFolder.make(path) }
        refusal("key-folder-unusable", .unavailable) { try KeyFolder.make("/proc/keys") }
    }

    @Test func `refusals tell no path`() throws {
        try temporary.write("file", "x".utf8)
        let nowhere = KeyFolder(path: temporary.file("file/keys"), origin: origin, passphrase: passphrase)
        let refusal = #expect(throws: Refusal.self) { try nowhere.store(PrivateKey.generate(.ed25519)) }
        #expect(refusal?.code == "key-folder-unusable")
        #expect(refusal.map { "\($0)".contains(temporary.path) } == false)
    }

    @Test func `a passphrase is read from a file without its line end`() throws {
        for (content, expected) in [("a b", "a b"), ("a b\n", "a b"), ("a b\r\n", "a b"), ("a b\n\n", "a b\n")] {
            try temporary.write("passphrase", content.utf8)
            #expect(try Passphrase.read(file: temporary.file("passphrase")).bytes == Array(expected.utf8))
        }
        try temporary.write("passphrase", "\n".utf8)
        refusal("bad-passphrase", .invalid) { try Passphrase.read(file: temporary.file("passphrase")) }
        refusal("no-passphrase-file", .notFound) { try Passphrase.read(file: temporary.file("none")) }
        refusal("passphrase-file-unusable", .unavailable) { try Passphrase.read(file: temporary.path) }
        refusal("bad-passphrase", .invalid) { try Passphrase("") }
    }

    @Test func `a passphrase does not print`() throws {
        let passphrase = try Passphrase("open sesame")
        var dumped = ""
        dump(keys, to: &dumped)
        dump(passphrase, to: &dumped)
        let printed = "\(passphrase) \(String(reflecting: passphrase)) \(dumped)"
        #expect(!printed.contains("open sesame") && !printed.contains("111"))
    }

    @Test func `the embedded passphrase is made once, whoever races`() async throws {
        let path = temporary.file("embedded")
        let made = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<16 { group.addTask { try Passphrase.embedded(at: path).bytes } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(made.count == 1)
        #expect(Base64URL.decode(String(decoding: made.first ?? [], as: UTF8.self))?.count == 32)
        #expect(try temporary.mode("embedded") == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == ["embedded"])
        try temporary.setMode("embedded", 0o644)
        refusal("passphrase-file-too-open", .forbidden) { try Passphrase.embedded(at: path) }
    }
}
