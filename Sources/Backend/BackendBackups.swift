import Backups
import Codes
import Database
import Foundation
import Kernel
import Orchard
import Postgres
import Signing

extension Backend {
    /// Takes a backup, also while others serve. The schema may be an older program's.
    /// - Parameters:
    ///   - sealing: with what it is encrypted, if it is.
    ///   - includingKeyPassphrase: whether what opens the keys goes into it.
    public static func backUp(
        _ configuration: Configuration, to path: String, sealing: Passphrase?, includingKeyPassphrase: Bool
    ) async throws -> BackupArchive.Manifest {
        let place = try await Place.find(configuration, for: .command, making: false) { _ in }
        do {
            let backup = Backup(
                owner: try place.ownerLogin(), keysFolder: configuration.keysFolder,
                binaries: configuration.postgresBinaries)
            let keyPassphrase = includingKeyPassphrase ? try passphrase(configuration) : nil
            let about = try await Database.available {
                try await backup.take(to: path, sealing: sealing, keyPassphrase: keyPassphrase)
            }
            await place.embedded?.close()
            return about
        } catch {
            await place.embedded?.close()
            throw error
        }
    }

    /// With what the keys of a backup are opened.
    public enum KeyOpening: Sendable {
        /// Unless a passphrase is given: what the backup itself or the configuration tells.
        case passphrase(Passphrase?)
        /// Not at all: they stay away, and the village signs with new ones.
        case none
    }

    /// Restores a backup: into a data folder that there is not yet, or an empty database and a folder without keys.
    /// Whatever fails leaves neither.
    /// - Returns: the keys that sign, of the first hundred villages.
    public static func restore(
        _ configuration: Configuration, from archive: BackupArchive, opening: KeyOpening = .passphrase(nil)
    ) async throws -> [KeyID] {
        guard configuration.isEmbedded || configuration.keyPassphrase != nil else {
            throw Refusal(
                .invalid, "bad-setting", field: "TAOYUAN_KEY_PASSPHRASE", zh: "使用自己的 PostgreSQL 时须给出密钥口令",
                en: "with a PostgreSQL of your own, give the passphrase of the keys")
        }
        let (keyFiles, passphrase) = try keys(of: archive, opening, configuration.keyPassphrase)
        guard configuration.isEmbedded else {
            let place = try await Place.find(configuration, for: .command, making: false) { _ in }
            return try await restore(configuration, archive, keyFiles, owner: try place.ownerLogin())
        }
        return try await RestoredFolder(configuration.dataDirectory).fill { draft in
            var drafted = configuration
            drafted.dataDirectory = draft
            let embedded = try await EmbeddedPostgres.open(
                dataDirectory: draft, binaries: configuration.postgresBinaries, isDraft: true)
            do {
                if configuration.keyPassphrase == nil { try passphrase?.store(at: draft + "/key-passphrase") }
                let keys = try await restore(drafted, archive, keyFiles, owner: embedded.settings())
                try await embedded.finish()
                return keys
            } catch {
                await embedded.close()
                throw error
            }
        }
    }

    /// The files of the keys as they are to lie here, and what opens them.
    private static func keys(
        of archive: BackupArchive, _ opening: KeyOpening, _ own: Passphrase?
    ) throws -> (files: [String: [UInt8]], passphrase: Passphrase?) {
        guard case .passphrase(let given) = opening else { return ([:], nil) }
        let inside = try archive.keyPassphrase.map { try Passphrase(String(decoding: $0, as: UTF8.self)) }
        guard let opens = given ?? inside ?? own else {
            throw Refusal(
                .invalid, "no-key-passphrase", field: "keyPassphraseFile",
                zh: """
                    备份里没有密钥口令：请用 --key-passphrase-file 给出（内置数据库的口令在原数据目录的 key-passphrase 里），\
                    或给出 TAOYUAN_KEY_PASSPHRASE；口令丢失时用 --without-keys，之后用新密钥签发
                    """,
                en: """
                    the passphrase of the keys is not in the backup: give it by --key-passphrase-file (an embedded \
                    database has it in the file key-passphrase of its data folder), or by TAOYUAN_KEY_PASSPHRASE; where it is \
                    lost, restore --without-keys and sign with a new key
                    """)
        }
        return (try KeyFiles.sealed(archive.keyFiles, openedBy: opens, for: own ?? opens), own ?? opens)
    }

    private static func restore(
        _ configuration: Configuration, _ archive: BackupArchive, _ keyFiles: [String: [UInt8]], owner: Settings
    ) async throws -> [KeyID] {
        try KeyFiles.checkEmpty(configuration.keysFolder, but: keyFiles)
        return try await Database.available {
            try await Restore(archive, owner: owner, binaries: configuration.postgresBinaries).run {
                do {
                    try KeyFiles.write(keyFiles, to: configuration.keysFolder)
                    _ = try await migrate(configuration, amidRestore: true)
                    return try await checkKeys(configuration, keyFiles)
                } catch {
                    KeyFiles.remove(keyFiles, from: configuration.keysFolder)
                    throw error
                }
            }
        }
    }

    /// Whether the villages sign again, as many as keys are opened of: each file is the private half of the key that is
    /// recorded under its name.
    private static func checkKeys(
        _ configuration: Configuration, _ keyFiles: [String: [UInt8]]
    ) async throws -> [KeyID] {
        let county = try await County.open(configuration, for: .command)
        let signing = await Result {
            var signing: [KeyID] = []
            for village in try await county.villages(limit: KeyFiles.opened) {
                signing += try await checkKeys(of: county.backend(of: village.id), keyFiles)
            }
            return signing
        }
        await county.close()
        return try signing.get()
    }

    private static func checkKeys(of backend: Backend, _ keyFiles: [String: [UInt8]]) throws -> [KeyID] {
        let own = keyFolderName(of: backend.village)
        let records = backend.keys.all.filter { keyFiles["\(own)\($0.id).pem"] != nil }
        let folder = try keyFolder(backend.configuration, backend.village)
        for record in records where record.origin == backend.keys.origin {
            guard try folder.load(record.id).publicKey.der == record.publicKey.der else {
                throw Refusal(
                    .conflict, "other-key", zh: "密钥文件 \(record.id) 与数据库里登记的公钥不符",
                    en: "the key file \(record.id) is not of the public key that the database has")
            }
        }
        let signing = records.filter { $0.signsNew && $0.origin == backend.keys.origin }
        if !signing.isEmpty { _ = try backend.keys.signer() }
        return signing.map(\.id)
    }

    /// Gives the village another origin, and a key that signs under it from now on. What was issued under the old one
    /// goes on being verified.
    /// - Parameter village: which one, where there are several.
    public static func addOrigin(
        _ configuration: Configuration, _ origin: Origin, village: String? = nil
    ) async throws -> KeyID {
        let backend = try await open(configuration, village: village)
        let algorithm = (try? backend.keys.signer()).flatMap { backend.keys[$0.keyID]?.publicKey.algorithm } ?? .ed25519
        let scope = backend.local.scope
        do {
            try KeyFolder.make(configuration.keysFolder)
            let place = try await Place.find(configuration, for: .command, making: false) { _ in }
            let owner = Pool(try place.ownerLogin(), size: 1)
            let added = await Result { try await VillageStore.addOrigin(origin.text, scope, owner: owner) }
            await owner.close()
            await place.embedded?.close()
            try added.get()
            await backend.close()
        } catch {
            await backend.close()
            throw error
        }
        let renamed = try await open(configuration, village: origin.text)
        let key = await Result { try await renamed.keys.create(algorithm, renamed.database, scope) }
        await renamed.close()
        return try key.get()
    }
}

/// A data folder that gets its name when everything is in it.
private struct RestoredFolder {
    private let path: String
    private var draft: String

    /// - Throws: a `Refusal` when there is something at its place.
    init(_ path: String) throws {
        self.path = URL(filePath: path, directoryHint: .notDirectory).standardizedFileURL.path(percentEncoded: false)
        draft = self.path + ".restoring-" + String(UInt32.random(in: .min ... .max), radix: 36)
        var status = stat()
        guard lstat(self.path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR,
            (try? FileManager.default.contentsOfDirectory(atPath: self.path))?.isEmpty == true
        else {
            throw Refusal(
                .conflict, "data-dir-not-empty", field: "dataDir", zh: "\(self.path) 不是空的：备份只恢复到新的数据目录里",
                en: "\(self.path) is not empty: a backup is restored into a new data folder only")
        }
    }

    func fill<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        do {
            let value = try await body(draft)
            guard rename(draft, path) == 0 else {
                let reason = String(cString: strerror(errno))
                throw Refusal(
                    .unavailable, "data-dir-unusable", field: "dataDir",
                    zh: "\(path) 不能成为数据目录（\(reason)）：如果它是挂载点，请用它里面的一个目录",
                    en:
                        "\(path) can't become the data folder (\(reason)): if something is mounted there, name a folder "
                        + "in it")
            }
            return value
        } catch {
            try? FileManager.default.removeItem(atPath: draft)
            throw error
        }
    }
}
