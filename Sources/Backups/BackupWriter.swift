import Foundation
import Kernel
import Signing
import Synchronization

/// Writes a backup: a tar archive (POSIX ustar) of small files, sealed whole if so asked. It grows as `FILE.part` and has
/// its name when it is finished and on disk.
final class BackupWriter: Sendable {
    private struct State {
        let descriptor: Int32
        let digest = RunningDigest()
        var cipher: SealedChunks?
        var waiting: [UInt8] = []
    }

    let path: String
    private let state: Mutex<State>
    private var draft: String { path + ".part" }

    init(path: String, passphrase: Passphrase?) throws {
        self.path = path
        guard access(path, F_OK) != 0 else { throw Refusal.backupExists(path) }
        // What a killed backup left is written over; one that is at work holds its lock.
        let descriptor = open(path + ".part", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Refusal.backupFile(path, errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Refusal.backupUnderWay(path)
        }
        var state = State(descriptor: descriptor)
        do {
            guard ftruncate(descriptor, 0) == 0, fchmod(descriptor, 0o600) == 0 else {
                throw Refusal.backupFile(path, errno)
            }
            if let passphrase {
                let head = SealedHead(
                    salt: try RandomBytes.make(SealedChunks.saltLength), log2N: SealedChunks.cost.log2N)
                state.cipher = try head.cipher(passphrase)
                try Self.put(head.bytes, descriptor, path)
            }
        } catch {
            close(descriptor)
            throw error
        }
        self.state = Mutex(state)
    }

    deinit {
        state.withLock { _ = close($0.descriptor) }
    }

    func add(_ name: String, _ bytes: [UInt8]) throws {
        try state.withLock { state in
            let padding = [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
            for piece in [Tar.head(name, size: bytes.count), bytes, padding] {
                state.digest.update(piece)
                try put(piece, &state)
            }
        }
    }

    /// Adds the digest of all before it, and gives the file its name.
    func finish() throws {
        let digest = state.withLock { $0.digest.hex }
        try add(BackupArchive.digest, Array(digest.utf8))
        try state.withLock { state in
            try put([UInt8](repeating: 0, count: 1024), &state)
            if let sealed = try state.cipher?.seal(state.waiting, isLast: true) {
                try Self.put(sealed, state.descriptor, path)
            }
            guard fsync(state.descriptor) == 0 else { throw Refusal.backupFile(path, errno) }
        }
        guard access(path, F_OK) != 0 else { throw Refusal.backupExists(path) }
        guard rename(draft, path) == 0 else { throw Refusal.backupFile(path, errno) }
        let parent = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
        let folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    func abandon() {
        unlink(draft)
    }

    private func put(_ bytes: [UInt8], _ state: inout State) throws {
        guard state.cipher != nil else { return try Self.put(bytes, state.descriptor, path) }
        state.waiting += bytes
        // One piece stays, because the last is marked as such.
        while state.waiting.count > SealedHead.piece {
            let piece = Array(state.waiting.prefix(SealedHead.piece))
            state.waiting.removeFirst(SealedHead.piece)
            if let sealed = try state.cipher?.seal(piece, isLast: false) {
                try Self.put(sealed, state.descriptor, path)
            }
        }
    }

    private static func put(_ bytes: [UInt8], _ descriptor: Int32, _ path: String) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Refusal.backupFile(path, errno) }
            done += count
        }
    }
}

/// What an encrypted backup begins with: how its key comes from the passphrase.
struct SealedHead {
    static let mark = Array("taoyuan-backup-sealed/1\n".utf8)
    static let length = mark.count + SealedChunks.saltLength + 1
    /// Bytes that are sealed together.
    static let piece = 1 << 18

    let salt: [UInt8]
    let log2N: UInt8

    var bytes: [UInt8] { Self.mark + [log2N] + salt }

    init(salt: [UInt8], log2N: UInt8) {
        self.salt = salt
        self.log2N = log2N
    }

    /// - Returns: nil when it is none, or would take more memory than a backup has to.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.length, bytes.starts(with: Self.mark) else { return nil }
        log2N = bytes[Self.mark.count]
        salt = Array(bytes[(Self.mark.count + 1)...])
        guard (14...17).contains(log2N) else { return nil }
    }

    func cipher(_ passphrase: Passphrase) throws -> SealedChunks {
        try SealedChunks(passphrase: passphrase, salt: salt, log2N: log2N, context: bytes)
    }
}

enum Tar {
    /// The 512 bytes before a file's own.
    static func head(_ name: String, size: Int) -> [UInt8] {
        func octal(_ value: Int, _ width: Int) -> [UInt8] {
            let digits = String(value, radix: 8)
            return Array((String(repeating: "0", count: max(0, width - digits.count)) + digits).utf8) + [0]
        }
        var head = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: [UInt8], at place: Int) { head.replaceSubrange(place..<place + bytes.count, with: bytes) }
        put(Array(name.utf8), at: 0)
        put(octal(0o600, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(size, 11), at: 124)
        put(octal(0, 11), at: 136)
        put(Array("        ".utf8), at: 148)
        put(Array("0ustar\u{0}00".utf8), at: 156)
        put(octal(head.reduce(0) { $0 + Int($1) }, 6) + [0x20], at: 148)
        return head
    }

    /// The name and size of the file that follows; nil when this is no head that we write.
    static func read(_ head: [UInt8]) -> (name: String, size: Int)? {
        let name = String(decoding: head.prefix(100).prefix { $0 != 0 }, as: UTF8.self)
        guard let size = Int(String(decoding: head[124..<135], as: UTF8.self), radix: 8), size >= 0,
            head == Self.head(name, size: size)
        else { return nil }
        return (name, size)
    }
}
