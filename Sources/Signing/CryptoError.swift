import COpenSSL

/// OpenSSL failed where it should not have: no memory, no entropy, a crippled build. A fault, never the user's.
///
/// Carries the name of the step and OpenSSL's own constant reason; never a path, a key or a passphrase.
public struct CryptoError: Error, Sendable, CustomStringConvertible {
    public let operation: String
    public let reason: String?

    /// Takes the reason from this thread's OpenSSL error queue, and empties the queue.
    init(_ operation: String) {
        self.operation = operation
        self.reason = ERR_reason_error_string(ERR_peek_last_error()).map { String(cString: $0) }
        ERR_clear_error()
    }

    public var description: String {
        reason.map { "\(operation) failed: \($0)" } ?? "\(operation) failed"
    }
}
