import Foundation
import Kernel
import Postgres
import Signing
import Synchronization

/// Passwords are kept as scrypt hashes (RFC 7914) with N = 2^15, r = 8, p = 1: 32 MiB and about 80 ms each.
/// The actor has a thread of its own, so that hashing holds up nobody's requests, and hashes one at a time, so that
/// a flood of sign-ins can't exhaust the memory.
public actor PasswordHasher {
    private let thread = ThreadExecutor(name: "passwords")
    private nonisolated let waiting = Mutex(0)
    private let limit: Int

    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// - Parameter limit: how many may wait, the one that is being hashed among them.
    public init(limit: Int = 32) {
        self.limit = limit
    }

    /// - Returns: 32 bytes.
    /// - Throws: a `Refusal` of kind `unavailable` when too many wait already; a `CancellationError` when nobody wants
    ///   the hash any more.
    public nonisolated func hash(_ password: String, salt: [UInt8]) async throws -> [UInt8] {
        let hasRoom = waiting.withLock { waiting in
            guard waiting < limit else { return false }
            waiting += 1
            return true
        }
        guard hasRoom else {
            throw Refusal(
                .unavailable, "too-many-sign-ins", zh: "同时登录的人太多，请稍后再试",
                en: "too many are signing in at the moment; try again shortly")
        }
        defer { waiting.withLock { $0 -= 1 } }
        return try await work(password, salt)
    }

    private func work(_ password: String, _ salt: [UInt8]) throws -> [UInt8] {
        try Task.checkCancellation()
        // Composed and decomposed spellings of one password are one password.
        let bytes = Array(password.precomposedStringWithCompatibilityMapping.utf8)
        return try Scrypt.hash(password: bytes, salt: salt, n: 1 << 15, r: 8, p: 1, length: 32)
    }
}
