import Foundation
import Kernel
import Testing

@testable import Signing

/// Keys, codes and names of nothing but what readers treat specially.
@Suite struct SpecialByteTests {

    private static let pieces = [
        "-", "\n", "\r\n", " ", "=", "A", "a", "7", "-----", "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----",
        "-----END PUBLIC KEY-----\n", "{", "{\"keys\":[", "[", "\"", "\\", "\\u0041", ",", ":", ".", "/", "@", "%", "０",
        "桃",
        "\u{301}", "\u{0}", "xn--", "1.",
    ]

    /// What grows with the square of the size takes many hours; what does not, minutes where all cores are taken.
    @Test(.timeLimit(.minutes(60)), arguments: pieces)
    func `they are read in a time that grows with their size`(piece: String) {
        for head in ["", "{", "{\"keys\":[{\"x\":\"", "-----BEGIN PUBLIC KEY-----\n"] {
            let size = head.isEmpty && piece.utf8.count == 1 ? 8 << 20 : (1 << 20) - 100
            let text = head + String(repeating: piece, count: size / piece.utf8.count)
            #expect(throws: (any Error).self) { try PublicKey.all(in: text) }
            #expect((try? SignedCode(payload: text)) == nil)
            #expect((try? SignedTicket(payload: text)) == nil)
            #expect((try? Origin(text)) == nil)
            _ = Base32.decode(text)
            _ = Base64URL.decode(text)
        }
    }
}
