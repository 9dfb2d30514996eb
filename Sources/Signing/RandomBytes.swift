import COpenSSL

/// Bytes from OpenSSL's generators, which the operating system seeds.
public enum RandomBytes {
    /// For what will be seen: salts, serials.
    /// - Throws: `CryptoError` when there is no entropy.
    public static func make(_ count: Int) throws -> [UInt8] {
        try fill(count, "RAND_bytes", RAND_bytes)
    }

    /// For what stays secret: passphrases, tokens. A generator of its own, so that public bytes tell nothing of it.
    /// - Throws: `CryptoError` when there is no entropy.
    public static func secret(_ count: Int) throws -> [UInt8] {
        try fill(count, "RAND_priv_bytes", RAND_priv_bytes)
    }

    private static func fill(
        _ count: Int, _ operation: String, _ generate: (UnsafeMutablePointer<UInt8>?, Int32) -> Int32
    ) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            guard let length = Int32(exactly: count), generate(buffer.baseAddress, length) == 1 else {
                throw CryptoError(operation)
            }
            initialized = count
        }
    }
}
