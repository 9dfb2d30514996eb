import Foundation
import Kernel
import Signing

/// The encrypted private keys as files, which are copied without being opened.
public enum KeyFiles {
    /// Those of the first village lie in the folder itself, those of each other in a folder of its own.
    static func read(_ folder: String) throws -> [(name: String, bytes: [UInt8])] {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
        return try names.filter(BackupArchive.isKeyFile).sorted().map { name in
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)"), data.count <= 65_536 else {
                throw Refusal.backupFile("\(folder)/\(name)", EIO)
            }
            return (name, Array(data))
        }
    }

    /// Writes them where no other lie.
    /// - Throws: a `Refusal` when the folder holds keys.
    public static func write(_ files: [String: [UInt8]], to folder: String) throws {
        try checkEmpty(folder)
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
            let path = "\(folder)/\(name)"
            let place = path.lastIndex(of: "/") ?? path.startIndex
            try KeyFolder.store(bytes, name: String(path[path.index(after: place)...]), in: String(path[..<place]))
        }
    }

    /// - Throws: a `Refusal` when the folder holds keys.
    public static func checkEmpty(_ folder: String) throws {
        guard try read(folder).isEmpty else {
            throw Refusal(
                .conflict, "keys-there", zh: "密钥目录 \(folder) 里已有密钥：请指定一个空的目录",
                en: "the folder \(folder) holds keys already: name an empty one")
        }
    }

    /// Takes away what `write` wrote.
    public static func remove(_ files: [String: [UInt8]], from folder: String) {
        for name in files.keys { unlink("\(folder)/\(name)") }
    }

    /// - Throws: a `Refusal` when the passphrase does not open them.
    public static func check(_ files: [String: [UInt8]], _ passphrase: Passphrase) throws {
        for (_, bytes) in files {
            _ = try PrivateKey(
                encryptedPEM: String(decoding: bytes, as: UTF8.self), passphrase: passphrase.bytes)
        }
    }
}
