import Foundation
import Kernel
import Signing

/// An API token as it is listed: never the secret itself.
public struct Token: Sendable {
    public let id: Identifier<Token>
    public let name: String
    public let role: Role
    public let cooperative: String?
    /// The account that made it and with which it ends; nil for a session, and for what was made at the server's machine.
    public let madeBy: String?
    /// Whether a password opened it.
    public let isSession: Bool
    public let createdAt: Date
    public let expiresAt: Date
    /// When it was revoked, or its account or its maker's shut.
    public let revokedAt: Date?
}

/// A token's secret: 256 random bits, shown once, of which only the SHA-256 is kept.
public struct TokenSecret: Sendable {
    /// `taoyuan_` and 43 characters of base64url: the prefix lets a leaked one be recognised.
    public let text: String

    public static func make() throws -> TokenSecret {
        TokenSecret(text: "taoyuan_" + Base64URL.encode(try RandomBytes.secret(32)))
    }

    public static func hash(_ text: String) -> [UInt8] { Digest.sha256(Array(text.utf8)) }
}
