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
    /// - Throws: a `Refusal` of kind `invalid`: `unsupported-key` for everything else, `weak-key` for a point that is not
    ///   on its curve or is spelt in a second way, and for an Ed25519 key under which anybody can sign: of small order, or
    ///   that of a private key of zeros.
    public init(der: [UInt8]) throws {
        let algorithm = Algorithm.allCases.first {
            der.count == $0.publicKeyPrefix.count + $0.publicKeyLength && der.starts(with: $0.publicKeyPrefix)
        }
        guard let algorithm else { throw Self.unsupported }
        if algorithm == .ed25519, try !Ed25519Point.isSafe(der.suffix(algorithm.publicKeyLength)) { throw Self.weak }
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
            .invalid, "weak-key", zh: "这个密钥不安全：任何人都能伪造它的签名，或者它不在曲线上，或者写法不是唯一的那种",
            en: "this key is unsafe: anyone can forge its signatures, it is not on its curve, or it is spelt otherwise "
                + "than keys are")
    }
}
