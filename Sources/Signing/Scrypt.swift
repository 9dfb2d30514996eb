import COpenSSL

/// The password hash of RFC 7914: slow and hungry for memory on purpose.
public enum Scrypt {
    /// Blocks the thread for as long as it takes (N 16384, r 8: some 50 ms) and uses 128·N·r bytes.
    ///
    /// - Parameters:
    ///   - n: the cost N, a power of two above 1.
    ///   - r: the block size.
    ///   - p: how often it is done, one after the other.
    ///   - length: how many bytes to make.
    /// - Throws: `CryptoError` for parameters that RFC 7914 does not allow or that would use more than 1 GiB.
    // The optimizer of Swift 6.3.1 breaks off where this becomes part of its caller.
    @inline(never)
    public static func hash(
        password: [UInt8], salt: [UInt8], n: Int, r: Int, p: Int, length: Int
    ) throws -> [UInt8] {
        let limit = 1 << 30
        guard (2...limit).contains(n), (1...1024).contains(r), (1...1024).contains(p), (1...1024).contains(length)
        else { throw CryptoError("scrypt parameters") }
        let memory = UInt64(min(128 * r * (n + p + 2), limit))
        return try [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            let isHashed = password.withUnsafeBytes { password in
                EVP_PBE_scrypt(
                    password.bindMemory(to: CChar.self).baseAddress, password.count, salt, salt.count,
                    UInt64(n), UInt64(r), UInt64(p), memory, buffer.baseAddress, length)
            }
            guard isHashed == 1 else { throw CryptoError("EVP_PBE_scrypt") }
            count = length
        }
    }
}
