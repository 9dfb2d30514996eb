import Foundation
import Kernel
import Postgres
import Signing

/// A person who signs in with a password.
public struct Account: Sendable {
    public let id: Identifier<Account>
    public let username: String
    public let role: Role
    public let cooperative: String?
    public let createdAt: Date
    public let disabledAt: Date?
}

/// Passwords are kept as scrypt hashes (RFC 7914) with N = 2^15, r = 8, p = 1: 32 MiB and about 80 ms each.
/// The actor has a thread of its own, so that hashing holds up nobody's requests, and hashes one at a time, so that
/// a flood of sign-ins can't exhaust the memory.
public actor PasswordHasher {
    private let thread = ThreadExecutor(name: "passwords")

    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    public init() {}

    /// - Returns: 32 bytes.
    public func hash(_ password: String, salt: [UInt8]) throws -> [UInt8] {
        // Composed and decomposed spellings of one password are one password.
        let bytes = Array(password.precomposedStringWithCompatibilityMapping.utf8)
        return try Scrypt.hash(password: bytes, salt: salt, n: 1 << 15, r: 8, p: 1, length: 32)
    }
}

enum AccountRules {
    static func username(_ text: String) throws -> String {
        let name = text.lowercased()
        let good = name.utf8.allSatisfy {
            (97...122).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0)
        }
        guard good, (2...40).contains(name.utf8.count), name.first?.isLetter == true || name.first?.isNumber == true
        else {
            throw Refusal(
                .invalid, "bad-username", field: "username", zh: "用户名用 2 到 40 个小写字母、数字或 . _ -",
                en: "a username has 2 to 40 lower-case letters, digits or . _ -")
        }
        return name
    }

    /// At least 10 characters and at most 200, as NIST SP 800-63B advises: length, no rules of composition.
    static func password(_ text: String) throws {
        guard (10...200).contains(text.count), !text.unicodeScalars.contains("\0") else {
            throw Refusal(
                .invalid, "bad-password", field: "password", zh: "密码须有 10 到 200 个字符",
                en: "a password has 10 to 200 characters")
        }
    }
}
