import Foundation

/// A `flock` on a file, released when the object goes or the process dies.
///
/// The descriptor is close-on-exec: a PostgreSQL that we start keeps only the lock that is meant for it.
final class FileLock: Sendable {
    let descriptor: Int32

    /// - Throws: `FileFault` when the file cannot be opened or made.
    init(path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileFault(path: path, errno: errno) }
    }

    deinit {
        close(descriptor)
    }

    func tryLock(exclusive: Bool) -> Bool {
        flock(descriptor, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0
    }

    /// Waits by asking again, since a blocked `flock` would hold a thread of Swift's pool.
    func lock(exclusive: Bool) async {
        while !tryLock(exclusive: exclusive) { try? await Task.sleep(for: .milliseconds(5)) }
    }

    func unlock() {
        flock(descriptor, LOCK_UN)
    }
}

/// A file operation that the system turned down.
struct FileFault: Error {
    let path: String
    let errno: Int32
}
