import Foundation
import Kernel

/// The folders and files of one embedded PostgreSQL, and who owns them.
struct DataFolder: Sendable {
    /// Whom the server runs as when we are root, which PostgreSQL refuses to be.
    static let serverUser = "postgres"

    let root: String
    let socketFolder: String
    /// nil when the server runs as ourselves.
    let user: String?
    let owner: uid_t
    let group: gid_t

    var cluster: String { root + "/postgres" }
    /// Where `initdb` works; it gets the name `cluster` when it is finished.
    var unfinished: String { root + "/postgres.new" }
    var logFolder: String { root + "/log" }
    var log: String { logFolder + "/postgres.log" }
    var startLock: String { root + "/start.lock" }
    var useLock: String { root + "/use.lock" }
    /// Held by all processes of the server, which inherit it from whoever starts it.
    var serverLock: String { root + "/server.lock" }
    var processFile: String { cluster + "/postmaster.pid" }
    var socket: String { socketFolder + "/.s.PGSQL.5432" }

    /// - Throws: a `Refusal` when the path cannot serve, or we are root and there is no user `postgres`.
    init(_ path: String) throws {
        let url = URL(filePath: path, directoryHint: .isDirectory).standardizedFileURL.resolvingSymlinksInPath()
        var root = url.path(percentEncoded: false)
        while root.count > 1, root.hasSuffix("/") { root.removeLast() }
        guard root != "/", !root.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw Refusal.foreignFiles(folder: root)
        }
        self.root = root
        if geteuid() == 0 {
            guard let account = Self.account(Self.serverUser) else { throw Refusal.noServerUser(folder: root) }
            (user, owner, group) = (Self.serverUser, account.owner, account.group)
        } else {
            (user, owner, group) = (nil, geteuid(), getegid())
        }
        socketFolder = Self.socketFolder(root: root, owner: owner)
    }

    /// `run` in the data folder, unless a socket's address (107 bytes) cannot hold that.
    /// A comma would part a list of folders, both for the server and for libpq.
    private static func socketFolder(root: String, owner: uid_t) -> String {
        let plain = root + "/run"
        if "\(plain)/.s.PGSQL.5432".utf8.count <= 107, !plain.contains(where: { ",\"\\'".contains($0) }) {
            return plain
        }
        // FNV-1a: a name is wanted, not a secret; whether the folder is ours is checked when it is made.
        let hash = root.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return "/tmp/taoyuan-\(owner)-\(String(hash, radix: 16))"
    }

    private static func account(_ name: String) -> (owner: uid_t, group: gid_t)? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return (entry.pw_uid, entry.pw_gid)
    }

    /// Whether it holds a cluster, sound or not.
    var hasCluster: Bool {
        get throws {
            if lstat(cluster) != nil { return true }
            guard errno == ENOENT || errno == ENOTDIR else { throw Refusal.file(FileFault(path: root, errno: errno)) }
            return false
        }
    }

    /// Makes the data folder itself, which holds the locks.
    /// - Throws: a `Refusal` when that is impossible, or the folder holds somebody else's files.
    func prepareRoot() throws {
        try refusingFaults {
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
            let names = try FileManager.default.contentsOfDirectory(atPath: root)
            let ours: Set = ["use.lock", "server.lock", "postgres", "postgres.new", "run", "log", "keys", "lost+found"]
            guard names.contains("start.lock") || ours.isSuperset(of: names) else {
                throw Refusal.foreignFiles(folder: root)
            }
            // The server's user must get through to its own folders, and see nothing on its way.
            try own(root, by: geteuid(), mode: user == nil ? 0o700 : 0o711)
        }
    }

    /// Makes what stands in the data folder, apart from the cluster. Needs the start lock.
    func prepareContents() throws {
        try refusingFaults {
            try own(logFolder, by: geteuid(), mode: 0o700)
            try own(socketFolder, by: owner, mode: 0o700)
        }
    }

    /// An empty folder for `initdb`; what a killed one left is removed.
    func prepareUnfinished() throws {
        try refusingFaults {
            if lstat(unfinished) != nil { try FileManager.default.removeItem(atPath: unfinished) }
            try own(unfinished, by: owner, mode: 0o700)
        }
    }

    /// Whether somebody is making the cluster, or was.
    var isBeingMade: Bool { lstat(cluster) == nil && lstat(unfinished) != nil }

    func acceptUnfinished() throws {
        guard rename(unfinished, cluster) == 0 else { throw Refusal.file(FileFault(path: cluster, errno: errno)) }
    }

    /// Makes the folder `path` unless it is there, and sees to its owner and mode.
    private func own(_ path: String, by owner: uid_t, mode: mode_t) throws {
        if mkdir(path, 0o700) == 0 {
            guard chown(path, owner, owner == self.owner ? group : getegid()) == 0 else {
                throw FileFault(path: path, errno: errno)
            }
        } else if errno != EEXIST {
            throw FileFault(path: path, errno: errno)
        }
        guard let status = lstat(path), status.st_mode & S_IFMT == S_IFDIR, status.st_uid == owner else {
            throw Refusal.foreignOwner(folder: path, owner: lstat(path)?.st_uid)
        }
        guard status.st_mode & 0o7777 == mode || chmod(path, mode) == 0 else {
            throw FileFault(path: path, errno: errno)
        }
    }

    /// The major version that made the cluster, or nil when there is no cluster yet.
    /// - Throws: a `Refusal` when what stands there is no sound cluster of ours.
    func clusterMajor() throws -> Int? {
        guard let status = lstat(cluster) else { return nil }
        guard status.st_uid == owner else { throw Refusal.foreignOwner(folder: cluster, owner: status.st_uid) }
        let names = try refusingFaults { try FileManager.default.contentsOfDirectory(atPath: cluster) }
        if names.isEmpty {
            guard rmdir(cluster) == 0 else { throw Refusal.file(FileFault(path: cluster, errno: errno)) }
            return nil
        }
        guard names.contains("PG_VERSION") || names.contains("global") else {
            throw Refusal.foreignFiles(folder: cluster)
        }
        let text = try? String(contentsOfFile: cluster + "/PG_VERSION", encoding: .utf8)
        guard let major = text.flatMap({ Int($0.trimmed) }) else {
            throw Refusal.brokenCluster(folder: cluster, reason: "PG_VERSION")
        }
        return major
    }

    /// Keeps the log below 8 MiB and one older file of that size. The server appends to the open file, so it is
    /// emptied in place instead of renamed.
    func trimLog() {
        guard let status = lstat(log), status.st_size > 8 << 20 else { return }
        try? FileManager.default.removeItem(atPath: log + ".1")
        try? FileManager.default.copyItem(atPath: log, toPath: log + ".1")
        truncate(log, 0)
    }

    /// What was logged since the file had `size` bytes, at most 64 KiB of it.
    func logged(since size: UInt64) -> String {
        guard let file = FileHandle(forReadingAtPath: log), (try? file.seek(toOffset: size)) != nil else { return "" }
        return String(decoding: (try? file.read(upToCount: 1 << 16)) ?? Data(), as: UTF8.self)
    }

    var logSize: UInt64 { lstat(log).map { UInt64($0.st_size) } ?? 0 }

    /// Whether there is not even a megabyte left.
    var isFull: Bool {
        var status = statvfs()
        return statvfs(root, &status) == 0 && UInt64(status.f_bavail) * UInt64(status.f_frsize) < 1 << 20
    }

    private func lstat(_ path: String) -> stat? {
        var status = stat()
        return fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
    }

    private func refusingFaults<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let fault as FileFault {
            throw Refusal.file(fault)
        } catch let error as CocoaError {
            let underlying = error.underlying as? POSIXError
            throw Refusal.file(FileFault(path: error.filePath ?? root, errno: underlying?.code.rawValue ?? EACCES))
        }
    }
}
