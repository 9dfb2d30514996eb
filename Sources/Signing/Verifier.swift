/// What the bare code tells, without the register.
public enum OfflineAnswer: Sendable, Hashable {
    case malformed
    /// No key has this id, or the one that has it is compromised: only the register could tell what it really issued.
    case unknownKey
    case forged(CodeBody)
    /// Issued by the origin on `body.issued`; whether it was revoked or recalled since is not known. Never "genuine".
    case signed(CodeBody)
}

/// A public key and what its record says of it.
public struct KnownKey: Sendable {
    public let key: PublicKey
    public let isCompromised: Bool

    public init(_ key: PublicKey, isCompromised: Bool = false) {
        self.key = key
        self.isCompromised = isCompromised
    }
}

/// Checks codes of one origin without the register.
public struct Verifier: Sendable {
    public let origin: Origin
    private let lookup: @Sendable (KeyID) -> KnownKey?

    /// - Parameter lookup: the key record of an id, retired keys among them; nil when there is none.
    public init(origin: Origin, lookup: @escaping @Sendable (KeyID) -> KnownKey?) {
        self.origin = origin
        self.lookup = lookup
    }

    /// Costs one signature check at most, and nothing for a code that is malformed or names no key.
    public func check(_ payload: String) -> OfflineAnswer {
        guard let code = try? SignedCode(payload: payload) else { return .malformed }
        guard let known = lookup(code.body.keyID), !known.isCompromised else { return .unknownKey }
        return code.isSigned(by: known.key, origin: origin) ? .signed(code.body) : .forged(code.body)
    }
}
