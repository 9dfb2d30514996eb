import COpenSSL

/// Owns an `EVP_PKEY`, parsed once and kept: reading a key from PEM costs ten times a signature.
final class KeyHandle: Sendable {
    // Not isolated, because neither pointer nor key is ever changed: threads may share them (openssl-threads(7)).
    nonisolated(unsafe) let pointer: OpaquePointer
    let algorithm: Algorithm

    /// Takes ownership of the key.
    /// - Returns: nil, and frees the key, when it is no key of an `Algorithm`.
    init?(owning pointer: OpaquePointer) {
        self.pointer = pointer
        guard let algorithm = Algorithm.allCases.first(where: { EVP_PKEY_is_a(pointer, $0.keyType) == 1 }) else {
            EVP_PKEY_free(pointer)
            return nil
        }
        self.algorithm = algorithm
    }

    deinit {
        EVP_PKEY_free(pointer)
    }

    /// Runs one of OpenSSL's checks of a whole key: point on curve, private part fits public part.
    func passes(_ check: (OpaquePointer) -> Int32) -> Bool {
        guard let context = EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil) else { return false }
        defer { EVP_PKEY_CTX_free(context) }
        guard check(context) == 1 else {
            ERR_clear_error()
            return false
        }
        return true
    }

    /// - Returns: 64 bytes.
    func sign(_ message: [UInt8]) throws -> [UInt8] {
        let context = try SignatureContext(self)
        guard EVP_DigestSignInit_ex(context.digest, nil, context.digestName, nil, nil, pointer, nil) == 1 else {
            throw CryptoError("EVP_DigestSignInit_ex")
        }
        let signature = try [UInt8](unsafeUninitializedCapacity: 80) { buffer, count in
            count = 80
            guard EVP_DigestSign(context.digest, buffer.baseAddress, &count, message, message.count) == 1 else {
                throw CryptoError("EVP_DigestSign")
            }
        }
        return algorithm == .sm2 ? try SM2Signature.raw(der: signature) : signature
    }

    func verify(_ signature: [UInt8], over message: [UInt8]) -> Bool {
        guard signature.count == 64, let context = try? SignatureContext(self),
            EVP_DigestVerifyInit_ex(context.digest, nil, context.digestName, nil, nil, pointer, nil) == 1,
            let wrapped = algorithm == .sm2 ? try? SM2Signature.der(raw: signature) : signature,
            EVP_DigestVerify(context.digest, wrapped, wrapped.count, message, message.count) == 1
        else {
            ERR_clear_error()
            return false
        }
        return true
    }
}

/// The OpenSSL contexts of one signature or one check: from OpenSSL 3.2 on, a second signature on the same one fails.
private struct SignatureContext: ~Copyable {
    let digest: OpaquePointer
    /// NULL for Ed25519, which hashes by itself.
    let digestName: String?
    private let identified: OpaquePointer?

    init(_ key: KeyHandle) throws {
        guard let digest = EVP_MD_CTX_new() else { throw CryptoError("EVP_MD_CTX_new") }
        guard key.algorithm == .sm2 else {
            self.digest = digest
            self.digestName = nil
            self.identified = nil
            return
        }
        // OpenSSL has no default for the distinguishing id, and takes it only before the initialisation.
        let identified = EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil)
        guard identified != nil, EVP_PKEY_CTX_set1_id(identified, "1234567812345678", 16) == 1 else {
            EVP_MD_CTX_free(digest)
            EVP_PKEY_CTX_free(identified)
            throw CryptoError("EVP_PKEY_CTX_set1_id")
        }
        EVP_MD_CTX_set_pkey_ctx(digest, identified)
        self.digest = digest
        self.digestName = "SM3"
        self.identified = identified
    }

    deinit {
        EVP_MD_CTX_free(digest)
        EVP_PKEY_CTX_free(identified)
    }
}
