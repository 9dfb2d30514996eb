import Foundation
import Kernel
import Signing

/// The encrypted private keys as files, which are copied without being opened.
public enum KeyFiles {
    /// Bytes of one at most.
    static let largest = 65_536

    /// Those of the first village lie in the folder itself, those of each other in a folder of its own.
    static func read(_ folder: String) throws -> [(name: String, bytes: [UInt8])] {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
        return try names.filter(BackupArchive.isKeyFile).sorted().map { name in
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)"), data.count <= largest else {
                throw Refusal.backupFile("\(folder)/\(name)", EIO)
            }
            return (name, Array(data))
        }
    }

    /// Writes those that are not there yet.
    /// - Throws: a `Refusal` when the folder holds others.
    public static func write(_ files: [String: [UInt8]], to folder: String) throws {
        try checkEmpty(folder, but: files)
        let there = Set(try read(folder).map(\.name))
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }) where !there.contains(name) {
            let path = "\(folder)/\(name)"
            let place = path.lastIndex(of: "/") ?? path.startIndex
            try KeyFolder.store(bytes, name: String(path[path.index(after: place)...]), in: String(path[..<place]))
        }
    }

    /// - Parameter files: what a restore that was killed may have written already.
    /// - Throws: a `Refusal` when the folder holds other keys.
    public static func checkEmpty(_ folder: String, but files: [String: [UInt8]]) throws {
        guard try read(folder).allSatisfy({ files[$0.name] == $0.bytes }) else {
            throw Refusal(
                .conflict, "keys-there", zh: "密钥目录 \(folder) 里已有密钥：请指定一个空的目录",
                en: "the folder \(folder) holds keys already: name an empty one")
        }
    }

    /// Takes away what `write` wrote.
    public static func remove(_ files: [String: [UInt8]], from folder: String) {
        for name in files.keys { unlink("\(folder)/\(name)") }
    }

    /// How many keys are opened to see that all open, since each takes a twentieth of a second of computing.
    public static let opened = 100

    /// The keys as another passphrase opens them.
    /// - Throws: a `Refusal` when `passphrase` does not open them.
    public static func sealed(
        _ files: [String: [UInt8]], openedBy passphrase: Passphrase, for other: Passphrase
    ) throws -> [String: [UInt8]] {
        let isSame = passphrase.bytes == other.bytes
        var sealed = files
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }).prefix(isSame ? opened : files.count) {
            let key = try PrivateKey(
                encryptedPEM: String(decoding: bytes, as: UTF8.self), passphrase: passphrase.bytes)
            if !isSame { sealed[name] = Array(try key.encryptedPEM(passphrase: other.bytes).utf8) }
        }
        return sealed
    }
}
