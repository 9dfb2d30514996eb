import COpenSSL

/// Hashes. They cannot fail but for want of memory, which ends the process as it does everywhere else.
public enum Digest {
    /// SHA-256, FIPS 180-4.
    /// - Returns: 32 bytes.
    public static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            let isHashed = EVP_Digest(bytes, bytes.count, buffer.baseAddress, nil, EVP_sha256(), nil) == 1
            precondition(isHashed, "no SHA-256")
            count = 32
        }
    }

    /// HMAC-SHA-256, RFC 2104.
    /// - Returns: 32 bytes.
    public static func hmacSHA256(key: [UInt8], message: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            let isHashed =
                HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, buffer.baseAddress, nil) != nil
            precondition(isHashed, "no HMAC")
            count = 32
        }
    }
}

/// Whether two secrets are equal, in a time that tells nothing but whether their lengths are.
public func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
