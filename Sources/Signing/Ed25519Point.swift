import COpenSSL

/// The 32 bytes of an Ed25519 public key (RFC 8032, 5.1.3): y, least byte first, and the sign of x in the highest bit.
/// OpenSSL takes any 32 bytes for a key and looks at them only when it checks a signature.
enum Ed25519Point {
    /// Whether they are the one spelling of a point on the curve under which not everybody can sign.
    /// - Throws: `CryptoError`.
    static func isSafe(_ encoding: ArraySlice<UInt8>) throws -> Bool {
        var y = Array(encoding)
        if y == ofZeroSeed { return false }
        y[31] &= 0x7F
        // Of these, too, y = 1 and y = −1 have x = 0, whose sign would be a second spelling.
        return try !smallOrder.contains(y) && isOnCurve(y)
    }

    /// −x² + y² = 1 + dx²y², so x² = (y² − 1) / (dy² + 1), and that is a square if (y² − 1)(dy² + 1) is one: −1/d is no
    /// square, so the divisor is never 0. A y that is not below p is another spelling of y − p.
    private static func isOnCurve(_ encoding: [UInt8]) throws -> Bool {
        guard let context = BN_CTX_new() else { throw CryptoError("BN_CTX_new") }
        defer { BN_CTX_free(context) }
        BN_CTX_start(context)
        defer { BN_CTX_end(context) }
        let p = BN_CTX_get(context), d = BN_CTX_get(context), y = BN_CTX_get(context)
        let square = BN_CTX_get(context), above = BN_CTX_get(context), below = BN_CTX_get(context)
        guard let product = BN_CTX_get(context),
            BN_lebin2bn(prime, Int32(prime.count), p) != nil, BN_bin2bn(factor, Int32(factor.count), d) != nil,
            BN_lebin2bn(encoding, Int32(encoding.count), y) != nil
        else { throw CryptoError("BN_CTX_get") }
        guard BN_cmp(y, p) < 0 else { return false }
        guard BN_mod_sqr(square, y, p, context) == 1, BN_mod_sub(above, square, BN_value_one(), p, context) == 1,
            BN_mod_mul(below, d, square, p, context) == 1, BN_mod_add(below, below, BN_value_one(), p, context) == 1,
            BN_mod_mul(product, above, below, p, context) == 1
        else { throw CryptoError("BN_mod_mul") }
        let symbol = BN_kronecker(product, p, context)
        guard symbol >= -1 else { throw CryptoError("BN_kronecker") }
        return symbol == 1
    }

    /// 2²⁵⁵ − 19, least byte first.
    private static let prime = [0xED] + [UInt8](repeating: 0xFF, count: 30) + [0x7F]

    /// d, highest byte first.
    private static let factor: [UInt8] = [
        0x52, 0x03, 0x6C, 0xEE, 0x2B, 0x6F, 0xFE, 0x73, 0x8C, 0xC7, 0x40, 0x79, 0x77, 0x79, 0xE8, 0x98,
        0x00, 0x70, 0x0A, 0x4D, 0x41, 0x41, 0xD8, 0xAB, 0x75, 0xEB, 0x4D, 0xCA, 0x13, 0x59, 0x78, 0xA3,
    ]

    /// The public key of a private one that is all zeros, which is what a key that was never made looks like.
    private static let ofZeroSeed: [UInt8] = [
        0x3B, 0x6A, 0x27, 0xBC, 0xCE, 0xB6, 0xA4, 0x2D, 0x62, 0xA3, 0xA8, 0xD0, 0x2A, 0x6F, 0x0D, 0x73,
        0x65, 0x32, 0x15, 0x77, 0x1D, 0xE2, 0x43, 0xA6, 0x3A, 0xC0, 0x48, 0xA1, 0x8B, 0x59, 0xDA, 0x29,
    ]

    /// Points whose order divides 8, without the sign bit: y = 0, 1, the two of order 8, and p − 1.
    private static let smallOrder: [[UInt8]] = [
        [UInt8](repeating: 0, count: 32),
        [1] + [UInt8](repeating: 0, count: 31),
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0,
            0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F,
            0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
        ],
        [0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F],
    ]
}
