import Glibc
import Kernel

import class Foundation.FileManager

/// The private keys of one origin, each encrypted in its own file `FOLDER/<key id>.pem`: folder 0700, files 0600.
public struct KeyFolder: Sendable {
    public let origin: Origin
    private let path: String
    private let passphrase: Passphrase

    /// Touches nothing: `store` makes the folder.
    public init(path: String, origin: Origin, passphrase: Passphrase) {
        self.path = path
        self.origin = origin
        self.passphrase = passphrase
    }

    /// Makes the folder, before a key for it is needed, unless it is there.
    /// - Throws: as `store`, when nothing could be stored in it.
    public static func make(_ path: String) throws {
        do {
            try PrivateFile.makeFolder(path)
            try PrivateFile.checkFolder(path)
            guard access(path, W_OK | X_OK) == 0 else { throw PrivateFile.Problem.unusable(errno) }
        } catch let problem as PrivateFile.Problem {
            throw folderRefusal(problem)
        }
    }

    /// Writes the key, whole or not at all.
    ///
    /// - Returns: the id under which it now lies.
    /// - Throws: a `Refusal`: kind `conflict`, `key-id-taken`, when this id has a file already; `forbidden`,
    ///   `key-folder-too-open`, when others may enter it; `unavailable`, `key-folder-unusable`, for a full disk, say.
    @discardableResult
    public func store(_ key: PrivateKey) throws -> KeyID {
        let id = key.publicKey.id(origin: origin)
        let pem = try key.encryptedPEM(passphrase: passphrase.bytes)
        let isNew: Bool
        do {
            try PrivateFile.makeFolder(path)
            try PrivateFile.checkFolder(path)
            isNew = try PrivateFile.create(file(id), Array(pem.utf8))
        } catch {
            throw Self.folderRefusal(error)
        }
        guard isNew else {
            throw Refusal(
                .conflict, "key-id-taken", zh: "密钥编号 \(id) 已被占用，请另生成一把",
                en: "key id \(id) is taken; generate another key")
        }
        return id
    }

    /// Puts a file into `folder` as it came out of a backup, unopened.
    /// - Throws: a `Refusal`, also when there is one of that name.
    public static func store(_ pem: [UInt8], name: String, in folder: String) throws {
        do {
            try PrivateFile.makeFolder(folder)
            try PrivateFile.checkFolder(folder)
            guard try PrivateFile.create("\(folder)/\(name)", pem) else { throw PrivateFile.Problem.unusable(EEXIST) }
        } catch let problem as PrivateFile.Problem {
            throw folderRefusal(problem)
        }
    }

    /// Takes some 50 ms of computing to open a file: load a key once and keep it.
    ///
    /// - Throws: a `Refusal`: `no-key-file`, `key-file-too-open`, `wrong-passphrase`, `bad-private-key`, or kind
    ///   `conflict`, `key-of-other-origin`, when the key's id is not its file's.
    public func load(_ id: KeyID) throws -> PrivateKey {
        let pem: [UInt8]
        do {
            pem = try PrivateFile.read(file(id))
        } catch {
            throw error.refusal("key-file", "密钥文件 \(id).pem", "key file \(id).pem")
        }
        let key = try PrivateKey(
            encryptedPEM: String(decoding: pem, as: UTF8.self), passphrase: passphrase.bytes)
        guard key.publicKey.id(origin: origin) == id else {
            throw Refusal(
                .conflict, "key-of-other-origin", zh: "密钥 \(id) 不属于站点 \(origin)",
                en: "key \(id) does not belong to \(origin)")
        }
        return key
    }

    /// The ids that have a file, in ascending order; none when there is no folder yet.
    ///
    /// - Throws: a `Refusal` when others may enter the folder or it cannot be read.
    public func list() throws -> [KeyID] {
        do {
            try PrivateFile.checkFolder(path)
        } catch .missing {
            return []
        } catch {
            throw Self.folderRefusal(error)
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw Self.folderRefusal(.unusable(EIO))
        }
        return names.compactMap { name in
            name.hasSuffix(".pem") ? KeyID(hex: String(name.dropLast(4))) : nil
        }
        .sorted { $0.value < $1.value }
    }

    private func file(_ id: KeyID) -> String { "\(path)/\(id).pem" }

    private static func folderRefusal(_ problem: PrivateFile.Problem) -> Refusal {
        problem.refusal("key-folder", "密钥目录", "key folder", mode: "700")
    }
}
