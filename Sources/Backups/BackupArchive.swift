import Foundation
import Kernel
import Signing

/// The files in a backup, and what is told of it.
public struct BackupArchive: Sendable {
    /// What a backup says of itself, at its beginning.
    public struct Manifest: Sendable, Codable {
        static let format = "taoyuan-backup/1"

        var format = Self.format
        public let takenAt: Date
        public let village: String
        public let origin: String
        /// How many there are; the first is the one named.
        public let villages: Int
        /// The number of its newest migration.
        public let schema: Int
        /// The major version of the server, and of the program that read it.
        public let postgres: Int
        public let dumper: Int
    }

    static let manifest = "backup.json"
    static let keys = "keys/"
    static let passphrase = "key-passphrase"
    static let database = "database/"
    static let sums = "sums.txt"
    static let numbers = "numbers/"
    static let digest = "sha256"

    public let path: String
    public let isSealed: Bool
    public private(set) var about: Manifest
    /// The encrypted private keys by the names of their files.
    public private(set) var keyFiles: [String: [UInt8]] = [:]
    /// Opens them, if it was put in.
    public private(set) var keyPassphrase: [UInt8]?
    /// Table by table, what was counted and summed up at the backup's moment.
    public private(set) var sums: [String] = []
    /// How far villages have counted.
    private(set) var numbers = OwnNumbers()
    private let passphrase: Passphrase?

    /// Reads all of it, so that nothing has been begun when it turns out to be damaged.
    /// - Throws: a `Refusal`.
    public init(checking path: String, passphrase: Passphrase?) throws {
        self.path = path
        self.passphrase = passphrase
        let reader = try BackupReader(path: path, passphrase: passphrase)
        isSealed = reader.isSealed
        guard let first = try reader.next(), first.name == Self.manifest else { throw Refusal.notABackup }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        guard let about = try? decoder.decode(Manifest.self, from: Data(first.bytes)) else {
            throw Refusal.notABackup
        }
        guard about.format == Manifest.format else { throw Refusal.newerBackup }
        self.about = about
        var isComplete = false
        var keyBytes = 0
        while let entry = try reader.next() {
            switch entry.name {
            case Self.sums: sums = String(decoding: entry.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
            case Self.passphrase: keyPassphrase = entry.bytes
            case Self.digest: isComplete = true
            case _ where entry.name.hasPrefix(Self.keys):
                let name = String(entry.name.dropFirst(Self.keys.count))
                keyBytes += entry.bytes.count
                guard Self.isKeyFile(name), entry.bytes.count <= KeyFiles.largest, keyBytes <= 1 << 26 else {
                    throw Refusal.damagedBackup
                }
                keyFiles[name] = entry.bytes
            case _ where entry.name.hasPrefix(Self.numbers):
                try numbers.add(String(decoding: entry.bytes, as: UTF8.self))
            case _ where entry.name.hasPrefix(Self.database): break
            default: throw Refusal.newerBackup
            }
        }
        guard isComplete else { throw Refusal.damagedBackup }
    }

    /// Hands out the database's dump, piece by piece.
    func dump(_ take: ([UInt8]) throws -> Void) throws {
        let reader = try BackupReader(path: path, passphrase: passphrase)
        while let entry = try reader.next() {
            if entry.name.hasPrefix(Self.database) { try take(entry.bytes) }
        }
    }

    static func isKeyFile(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let file = parts.last, file.hasSuffix(".pem") else { return false }
        let isVillages = parts.count == 1 || parts[0].wholeMatch(of: /village-[1-9][0-9]{0,8}/) != nil
        return isVillages && KeyID(hex: String(file.dropLast(4))) != nil
    }
}

/// Reads the files of a backup one after the other, and sees to it that they are whole.
final class BackupReader {
    let isSealed: Bool
    private let descriptor: Int32
    private let digest = RunningDigest()
    private var cipher: SealedChunks?
    private var sealed: [UInt8] = []
    private var waiting: [UInt8] = []
    /// How much of `waiting` has been taken.
    private var taken = 0
    /// Whether the last sealed piece was read, and whether the last file was.
    private var isAtEnd = false
    private var isDone = false
    private var isFirst = true
    /// No file in a backup is larger.
    private static let limit = 1 << 22

    init(path: String, passphrase: Passphrase?) throws {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Refusal.backupFile(path, errno) }
        var status = stat()
        // It is read twice.
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw Refusal.notABackup }
        var head = [UInt8](repeating: 0, count: SealedHead.length)
        isSealed = pread(descriptor, &head, head.count, 0) == head.count && head.starts(with: SealedHead.mark)
        guard isSealed else { return }
        guard let head = SealedHead(head) else { throw Refusal.newerBackup }
        guard let passphrase else { throw Refusal.sealedBackup }
        cipher = try head.cipher(passphrase)
        lseek(descriptor, off_t(SealedHead.length), SEEK_SET)
    }

    deinit {
        close(descriptor)
    }

    /// - Returns: nil after the last, when all before it was what was written.
    func next() throws -> (name: String, bytes: [UInt8])? {
        guard !isDone else { return nil }
        let head = try take(512)
        let isStart = isFirst
        isFirst = false
        guard let (name, size) = Tar.read(head) else { throw isStart ? Refusal.notABackup : Refusal.damagedBackup }
        guard size <= Self.limit else { throw Refusal.damagedBackup }
        let before = name == BackupArchive.digest ? digest.hex : nil
        let bytes = try take(size)
        let padding = try take((512 - size % 512) % 512)
        guard padding.allSatisfy({ $0 == 0 }) else { throw Refusal.damagedBackup }
        for piece in [head, bytes, padding] { digest.update(piece) }
        if let before {
            let end = try take(1024)
            guard Array(before.utf8) == bytes, end.allSatisfy({ $0 == 0 }), try isFinished() else {
                throw Refusal.damagedBackup
            }
            isDone = true
        }
        return (name, bytes)
    }

    private func isFinished() throws -> Bool {
        guard taken == waiting.count else { return false }
        return try cipher == nil ? read(1).isEmpty : isAtEnd && sealed.isEmpty
    }

    private func take(_ count: Int) throws -> [UInt8] {
        if waiting.count - taken < count {
            waiting.removeFirst(taken)
            taken = 0
            while waiting.count < count, try fill() {}
        }
        guard waiting.count - taken >= count else { throw Refusal.damagedBackup }
        defer { taken += count }
        return Array(waiting[taken..<taken + count])
    }

    /// - Returns: false at the end.
    private func fill() throws -> Bool {
        guard cipher != nil else {
            let more = try read(1 << 18)
            waiting += more
            return !more.isEmpty
        }
        guard !isAtEnd else { return false }
        let length = SealedHead.piece + SealedChunks.tagLength
        let isStart = sealed.isEmpty
        // A byte of the next tells that this is not the last.
        while sealed.count <= length {
            let more = try read(length + 1 - sealed.count)
            if more.isEmpty { break }
            sealed += more
        }
        isAtEnd = sealed.count <= length
        let piece = Array(sealed.prefix(length))
        sealed.removeFirst(piece.count)
        guard let plain = try cipher?.open(piece, isLast: isAtEnd) else {
            throw isStart ? Refusal.wrongBackupPassphrase : Refusal.damagedBackup
        }
        waiting += plain
        return true
    }

    private func read(_ count: Int) throws -> [UInt8] {
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, got in
            var result: Int
            repeat {
                result = Foundation.read(descriptor, buffer.baseAddress, count)
            } while result < 0 && errno == EINTR
            code = result < 0 ? errno : 0
            got = max(0, result)
        }
        guard code == 0 else { throw Refusal.backupFile("", code) }
        return bytes
    }
}
