import COpenSSL

/// An OpenSSL stream in memory: what its PEM functions read from and write to.
struct MemoryBIO: ~Copyable {
    let pointer: OpaquePointer

    init(_ text: String = "") throws {
        guard let pointer = BIO_new(BIO_s_mem()) else { throw CryptoError("BIO_new") }
        var text = text
        let isWritten = text.withUTF8 { utf8 in
            utf8.isEmpty || Int32(exactly: utf8.count).map { BIO_write(pointer, utf8.baseAddress, $0) == $0 } ?? false
        }
        guard isWritten else {
            BIO_free(pointer)
            throw CryptoError("BIO_write")
        }
        self.pointer = pointer
    }

    deinit {
        BIO_free(pointer)
    }

    /// All that has been written and not yet read.
    var text: String {
        var data: UnsafeMutablePointer<CChar>?
        let count = taoyuan_bio_get_mem_data(pointer, &data)
        return String(decoding: UnsafeRawBufferPointer(start: data, count: count), as: UTF8.self)
    }
}
