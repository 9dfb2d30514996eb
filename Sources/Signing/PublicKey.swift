import COpenSSL
import Kernel

/// A key that checks signatures. Parse it once and keep it; threads may share it.
public final class PublicKey: Sendable {
    public let algorithm: Algorithm
    /// SubjectPublicKeyInfo, in its one spelling: 44 bytes for Ed25519, 91 for SM2.
    public let der: [UInt8]
    /// A `PUBLIC KEY` block, as `openssl` reads it, with a line feed at its end.
    public let pem: String
    private let handle: KeyHandle

    /// Reads a SubjectPublicKeyInfo: Ed25519 (RFC 8410), or SM2 as named curve and uncompressed point.
    ///
    /// - Throws: a `Refusal` of kind `invalid`: `unsupported-key` for everything else, `weak-key` for a small-order
    ///   Ed25519 key, under which any message has a signature, and for an SM2 point that is not on the curve.
    public init(der: [UInt8]) throws {
        let algorithm = Algorithm.allCases.first {
            der.count == $0.publicKeyPrefix.count + $0.publicKeyLength && der.starts(with: $0.publicKeyPrefix)
        }
        guard let algorithm else { throw Self.unsupported }
        if algorithm == .ed25519, SmallOrder.contains(der.suffix(algorithm.publicKeyLength)) { throw Self.weak }
        let pointer = der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return d2i_PUBKEY(nil, &cursor, buffer.count)
        }
        guard let handle = pointer.flatMap(KeyHandle.init(owning:)), handle.algorithm == algorithm,
            handle.passes(EVP_PKEY_public_check)
        else {
            ERR_clear_error()
            throw Self.weak
        }
        let bio = try MemoryBIO()
        guard PEM_write_bio(bio.pointer, "PUBLIC KEY", "", der, der.count) > 0 else {
            throw CryptoError("PEM_write_bio")
        }
        self.pem = bio.text
        self.algorithm = algorithm
        self.der = der
        self.handle = handle
    }

    /// Reads a `PUBLIC KEY` block of PEM (RFC 7468).
    ///
    /// - Throws: a `Refusal`, as `init(der:)` does.
    public convenience init(pem: String) throws {
        let bio = try MemoryBIO(pem)
        var name: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var data: UnsafeMutablePointer<UInt8>?
        var length = 0
        let isRead = PEM_read_bio(bio.pointer, &name, &header, &data, &length) == 1
        defer {
            taoyuan_openssl_free(name)
            taoyuan_openssl_free(header)
            taoyuan_openssl_free(data)
        }
        guard isRead, let name, String(cString: name) == "PUBLIC KEY" else {
            ERR_clear_error()
            throw Self.unsupported
        }
        try self.init(der: Array(UnsafeBufferPointer(start: data, count: length)))
    }

    public func id(origin: Origin) -> KeyID {
        let digest = Digest.sha256(Array(origin.text.utf8) + [0x0A, algorithm.rawValue] + der)
        return KeyID(UInt16(digest[0]) << 8 | UInt16(digest[1]))
    }

    /// - Parameter signature: 64 bytes; any other length is a bad signature, and so is an Ed25519 `S` beyond the group
    ///   order (RFC 8032, 5.1.7).
    public func verify(_ signature: [UInt8], over message: [UInt8]) -> Bool {
        handle.verify(signature, over: message)
    }

    /// The members of a JSON Web Key: `OKP` / `Ed25519` as in RFC 8037; SM2, which has no registered name, as `EC` with
    /// `crv` `SM2` and 32-byte coordinates.
    public func jwk(kid: String) -> [String: String] {
        let key = der.suffix(algorithm.publicKeyLength)
        let common = ["kid": kid, "use": "sig", "x": Base64URL.encode(key.prefix(32))]
        let own =
            switch algorithm {
            case .ed25519: ["kty": "OKP", "crv": "Ed25519"]
            case .sm2: ["kty": "EC", "crv": "SM2", "y": Base64URL.encode(key.suffix(32))]
            }
        return common.merging(own) { $1 }
    }

    static var unsupported: Refusal {
        Refusal(
            .invalid, "unsupported-key", zh: "不是 Ed25519 或 SM2 公钥（PEM 的 PUBLIC KEY）",
            en: "not an Ed25519 or SM2 public key (a PEM block PUBLIC KEY)")
    }

    private static var weak: Refusal {
        Refusal(
            .invalid, "weak-key", zh: "这个公钥不安全：任何人都能伪造它的签名，或者它不在曲线上",
            en: "this public key is unsafe: anyone can forge its signatures, or it is not on its curve")
    }
}

/// The Ed25519 encodings of points whose order divides 8. OpenSSL takes them for keys.
enum SmallOrder {
    static func contains(_ encoding: ArraySlice<UInt8>) -> Bool {
        var unsigned = Array(encoding)
        unsigned[31] &= 0x7F
        return encodings.contains(unsigned)
    }

    /// Without the sign bit: y = 0, 1, the two of order 8, p − 1, and 0 and 1 once more as p and p + 1, which is not
    /// canonical but read all the same.
    private static let encodings: [[UInt8]] = [
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
        [0xED] + [UInt8](repeating: 0xFF, count: 30) + [0x7F],
        [0xEE] + [UInt8](repeating: 0xFF, count: 30) + [0x7F],
    ]
}
