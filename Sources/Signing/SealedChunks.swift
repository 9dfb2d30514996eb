import COpenSSL

/// A long text sealed piece by piece, each with AES-256-GCM: none can be altered, left out, moved, or be the last but the
/// last.
public struct SealedChunks: Sendable {
    public static let tagLength = 16
    public static let saltLength = 16
    public static let cost = (log2N: UInt8(16), r: 8, p: 1)

    private let key: [UInt8]
    /// What all pieces are bound to.
    private let context: [UInt8]
    private var count: UInt64 = 0

    /// Takes a tenth of a second and 64 MiB, so that passphrases are hard to guess.
    /// - Parameters:
    ///   - salt: made for this text alone, so that its key seals nothing else.
    ///   - log2N: the cost that it was sealed with.
    public init(passphrase: Passphrase, salt: [UInt8], log2N: UInt8 = cost.log2N, context: [UInt8]) throws {
        key = try Scrypt.hash(
            password: passphrase.bytes, salt: salt, n: 1 << Int(log2N), r: Self.cost.r, p: Self.cost.p, length: 32)
        self.context = context
    }

    /// - Returns: as many bytes, and a tag.
    public mutating func seal(_ plain: [UInt8], isLast: Bool) throws -> [UInt8] {
        let cipher = try CipherContext()
        let nonce = nextNonce(isLast: isLast)
        var length: Int32 = 0
        guard EVP_EncryptInit_ex(cipher.pointer, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_EncryptUpdate(cipher.pointer, nil, &length, context, Int32(context.count)) == 1
        else { throw CryptoError("EVP_EncryptInit_ex") }
        return try [UInt8](unsafeUninitializedCapacity: plain.count + Self.tagLength) { buffer, count in
            guard EVP_EncryptUpdate(cipher.pointer, buffer.baseAddress, &length, plain, Int32(plain.count)) == 1,
                EVP_EncryptFinal_ex(cipher.pointer, buffer.baseAddress.map { $0 + plain.count }, &length) == 1,
                EVP_CIPHER_CTX_ctrl(
                    cipher.pointer, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength),
                    buffer.baseAddress.map { $0 + plain.count }) == 1
            else { throw CryptoError("EVP_EncryptUpdate") }
            count = plain.count + Self.tagLength
        }
    }

    /// - Returns: nil when it is not the piece that was sealed at this place.
    public mutating func open(_ sealed: [UInt8], isLast: Bool) throws -> [UInt8]? {
        guard sealed.count >= Self.tagLength else { return nil }
        let cipher = try CipherContext()
        let nonce = nextNonce(isLast: isLast)
        let size = sealed.count - Self.tagLength
        var tag = Array(sealed[size...])
        var length: Int32 = 0
        guard EVP_DecryptInit_ex(cipher.pointer, EVP_aes_256_gcm(), nil, key, nonce) == 1,
            EVP_DecryptUpdate(cipher.pointer, nil, &length, context, Int32(context.count)) == 1,
            EVP_CIPHER_CTX_ctrl(cipher.pointer, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), &tag) == 1
        else { throw CryptoError("EVP_DecryptInit_ex") }
        var isGood = false
        // Room for a byte, because an empty array has no address.
        let plain = try [UInt8](unsafeUninitializedCapacity: size + 1) { buffer, count in
            guard EVP_DecryptUpdate(cipher.pointer, buffer.baseAddress, &length, sealed, Int32(size)) == 1 else {
                throw CryptoError("EVP_DecryptUpdate")
            }
            isGood = EVP_DecryptFinal_ex(cipher.pointer, buffer.baseAddress.map { $0 + size }, &length) == 1
            count = size
        }
        if !isGood { ERR_clear_error() }
        return isGood ? plain : nil
    }

    /// The piece's number, and whether it is the last.
    private mutating func nextNonce(isLast: Bool) -> [UInt8] {
        defer { count += 1 }
        return [0, 0, 0] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + [isLast ? 1 : 0]
    }
}

private struct CipherContext: ~Copyable {
    let pointer: OpaquePointer

    init() throws {
        guard let pointer = EVP_CIPHER_CTX_new() else { throw CryptoError("EVP_CIPHER_CTX_new") }
        self.pointer = pointer
    }

    deinit {
        EVP_CIPHER_CTX_free(pointer)
    }
}
