import COpenSSL

/// SHA-256 of what comes in pieces.
public final class RunningDigest {
    private let context: OpaquePointer

    public init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("no SHA-256")
        }
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    public func update(_ bytes: [UInt8]) {
        let isHashed = EVP_DigestUpdate(context, bytes, bytes.count) == 1
        precondition(isHashed, "no SHA-256")
    }

    /// Of all that came so far; more may come.
    public var hex: String {
        guard let copy = EVP_MD_CTX_new() else { preconditionFailure("no SHA-256") }
        defer { EVP_MD_CTX_free(copy) }
        var bytes = [UInt8](repeating: 0, count: 32)
        let isHashed = EVP_MD_CTX_copy_ex(copy, context) == 1 && EVP_DigestFinal_ex(copy, &bytes, nil) == 1
        precondition(isHashed, "no SHA-256")
        return bytes.hex
    }
}
