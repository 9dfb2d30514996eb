import COpenSSL

/// An SM2 signature in its two forms: OpenSSL's DER `SEQUENCE { r INTEGER, s INTEGER }`, and `r‖s` of 32 bytes each.
enum SM2Signature {
    static func raw(der: [UInt8]) throws -> [UInt8] {
        let parsed = der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return d2i_ECDSA_SIG(nil, &cursor, buffer.count)
        }
        guard let parsed else { throw CryptoError("d2i_ECDSA_SIG") }
        defer { ECDSA_SIG_free(parsed) }
        return try [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
            guard let start = buffer.baseAddress,
                BN_bn2binpad(ECDSA_SIG_get0_r(parsed), start, 32) == 32,
                BN_bn2binpad(ECDSA_SIG_get0_s(parsed), start + 32, 32) == 32
            else { throw CryptoError("BN_bn2binpad") }
            count = 64
        }
    }

    static func der(raw: [UInt8]) throws -> [UInt8] {
        guard raw.count == 64, let signature = ECDSA_SIG_new() else { throw CryptoError("ECDSA_SIG_new") }
        defer { ECDSA_SIG_free(signature) }
        let (r, s) = raw.withUnsafeBufferPointer { buffer in
            (BN_bin2bn(buffer.baseAddress, 32, nil), BN_bin2bn(buffer.baseAddress.map { $0 + 32 }, 32, nil))
        }
        guard let r, let s, ECDSA_SIG_set0(signature, r, s) == 1 else {
            BN_free(r)
            BN_free(s)
            throw CryptoError("ECDSA_SIG_set0")
        }
        return try derBytes("i2d_ECDSA_SIG") { i2d_ECDSA_SIG(signature, $0) }
    }
}

/// Calls one of OpenSSL's `i2d` functions: once for the length, once for the bytes.
func derBytes(
    _ operation: String, _ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
) throws -> [UInt8] {
    let length = encode(nil)
    guard length > 0 else { throw CryptoError(operation) }
    return try [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, count in
        var cursor = buffer.baseAddress
        guard encode(&cursor) == length else { throw CryptoError(operation) }
        count = Int(length)
    }
}
