import COpenSSL
import Kernel

/// A key that signs. Parse it once and keep it; threads may share it.
public final class PrivateKey: Sendable {
    public let publicKey: PublicKey
    private let handle: KeyHandle

    /// - Throws: `CryptoError`.
    public static func generate(_ algorithm: Algorithm) throws -> PrivateKey {
        let context = EVP_PKEY_CTX_new_from_name(nil, algorithm.keyType, nil)
        defer { EVP_PKEY_CTX_free(context) }
        var pointer: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_generate(context, &pointer) == 1,
            let handle = pointer.flatMap(KeyHandle.init(owning:))
        else { throw CryptoError("EVP_PKEY_generate") }
        return try PrivateKey(handle)
    }

    /// Reads a `PRIVATE KEY` block of PEM (PKCS#8, not encrypted).
    ///
    /// - Throws: a `Refusal` of kind `invalid`, `bad-private-key`.
    public convenience init(pem: String) throws {
        let bio = try MemoryBIO(pem)
        guard let info = PEM_read_bio_PKCS8_PRIV_KEY_INFO(bio.pointer, nil, nil, nil) else {
            ERR_clear_error()
            throw Self.unreadable
        }
        try self.init(consuming: info)
    }

    /// Reads an `ENCRYPTED PRIVATE KEY` block of PEM (PKCS#8, RFC 5958).
    ///
    /// - Throws: a `Refusal`: kind `invalid`, `bad-private-key`; kind `forbidden`, `wrong-passphrase`.
    public convenience init(encryptedPEM: String, passphrase: [UInt8]) throws {
        let bio = try MemoryBIO(encryptedPEM)
        guard let encrypted = PEM_read_bio_PKCS8(bio.pointer, nil, nil, nil) else {
            ERR_clear_error()
            throw Self.unreadable
        }
        defer { X509_SIG_free(encrypted) }
        let info = try passphrase.withCChars { PKCS8_decrypt(encrypted, $0.baseAddress, Int32($0.count)) }
        guard let info else {
            ERR_clear_error()
            throw Refusal(
                .forbidden, "wrong-passphrase", zh: "口令不对，打不开私钥",
                en: "wrong passphrase: the private key stays closed")
        }
        try self.init(consuming: info)
    }

    private convenience init(consuming info: OpaquePointer) throws {
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        guard let handle = EVP_PKCS82PKEY(info).flatMap(KeyHandle.init(owning:)),
            handle.passes(handle.algorithm == .sm2 ? EVP_PKEY_check : EVP_PKEY_private_check)
        else {
            ERR_clear_error()
            throw Self.unreadable
        }
        try self.init(handle)
    }

    private init(_ handle: KeyHandle) throws {
        self.handle = handle
        self.publicKey = try PublicKey(der: derBytes("i2d_PUBKEY") { i2d_PUBKEY(handle.pointer, $0) })
    }

    /// PKCS#8 under PBES2: scrypt (RFC 7914; N 16384, r 8, p 1, a salt of 16 bytes) and AES-256-CBC.
    ///
    /// - Returns: an `ENCRYPTED PRIVATE KEY` block, which `openssl pkey -passin` reads.
    /// - Throws: `CryptoError`.
    public func encryptedPEM(passphrase: [UInt8]) throws -> String {
        guard let info = EVP_PKEY2PKCS8(handle.pointer) else { throw CryptoError("EVP_PKEY2PKCS8") }
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        var salt = try RandomBytes.make(16)
        // A larger N would pass the memory that OpenSSL allows when it reads the file again.
        let cipher = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), &salt, 16, nil, 16_384, 8, 1)
        guard let cipher else { throw CryptoError("PKCS5_pbe2_set_scrypt") }
        let encrypted = try passphrase.withCChars { PKCS8_set0_pbe($0.baseAddress, Int32($0.count), info, cipher) }
        guard let encrypted else {
            X509_ALGOR_free(cipher)
            throw CryptoError("PKCS8_set0_pbe")
        }
        defer { X509_SIG_free(encrypted) }
        let bio = try MemoryBIO()
        guard PEM_write_bio_PKCS8(bio.pointer, encrypted) == 1 else { throw CryptoError("PEM_write_bio_PKCS8") }
        return bio.text
    }

    /// - Returns: 64 bytes; always the same ones for Ed25519, never for SM2.
    /// - Throws: `CryptoError`.
    public func sign(_ message: [UInt8]) throws -> [UInt8] {
        try handle.sign(message)
    }

    private static var unreadable: Refusal {
        Refusal(
            .invalid, "bad-private-key", zh: "不是可用的 Ed25519 或 SM2 私钥（PEM，PKCS#8）",
            en: "not a usable Ed25519 or SM2 private key (PEM, PKCS#8)")
    }
}

extension [UInt8] {
    /// The same bytes as OpenSSL's passphrase arguments want them.
    fileprivate func withCChars<Result>(_ body: (UnsafeBufferPointer<CChar>) throws -> Result) throws -> Result {
        guard count <= 4096 else { throw CryptoError("passphrase") }
        return try withUnsafeBytes { try $0.withMemoryRebound(to: CChar.self, body) }
    }
}
