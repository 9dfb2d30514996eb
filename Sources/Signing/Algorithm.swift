/// The signature schemes of a signing key; the raw value is the algorithm byte of the key id.
///
/// Signatures of both are 64 bytes long.
public enum Algorithm: UInt8, Sendable, CaseIterable {
    /// Ed25519, RFC 8032; a signature is `R‖S`.
    case ed25519 = 1
    /// SM2 with SM3 and the distinguishing id `1234567812345678`, GB/T 32918.2; a signature is `r‖s`.
    case sm2 = 2

    /// `ed25519` or `sm2`.
    public var name: String {
        switch self {
        case .ed25519: "ed25519"
        case .sm2: "sm2"
        }
    }

    /// - Returns: nil unless the text is exactly the `name` of an algorithm.
    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// What OpenSSL calls keys of this kind.
    var keyType: String {
        switch self {
        case .ed25519: "ED25519"
        case .sm2: "SM2"
        }
    }

    /// Everything of a SubjectPublicKeyInfo that comes before the key's own bytes: RFC 8410 for Ed25519, GM/T 0009 (the
    /// named curve 1.2.156.10197.1.301, an uncompressed point) for SM2.
    var publicKeyPrefix: [UInt8] {
        switch self {
        case .ed25519:
            [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
        case .sm2:
            [
                0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
                0x06, 0x08, 0x2A, 0x81, 0x1C, 0xCF, 0x55, 0x01, 0x82, 0x2D, 0x03, 0x42, 0x00, 0x04,
            ]
        }
    }

    /// The bytes of the key itself: an Ed25519 encoding, or SM2's `x‖y`.
    var publicKeyLength: Int {
        switch self {
        case .ed25519: 32
        case .sm2: 64
        }
    }
}
