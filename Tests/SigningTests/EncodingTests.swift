import Foundation
import Signing
import Testing

@Suite struct EncodingTests {
    @Test(arguments: [
        ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI"),
    ])
    func `base32 is that of RFC 4648`(plain: String, text: String) {
        #expect(Base32.encode(Array(plain.utf8)) == text)
        #expect(Base32.decode(text) == Array(plain.utf8))
        #expect(Base32.decode(text.lowercased()) == Array(plain.utf8))
    }

    @Test func `base32 and base64url round-trip`() throws {
        for length in 0...90 {
            let bytes = try RandomBytes.make(length)
            #expect(Base32.decode(Base32.encode(bytes)) == bytes)
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
    }

    @Test func `base32 has one spelling`() {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        for byte in UInt8.min ... .max {
            let text = String(decoding: [byte, 0x41], as: UTF8.self)
            let upper = (0x61...0x7A).contains(byte) ? byte - 0x20 : byte
            #expect((Base32.decode(text) != nil) == alphabet.contains(upper))
        }
        for bad in [
            "A", "AAA", "AAAAAA", "M", "MZX", "MZXW6Y", "MZ", "MZXR", "MY======", "M Y", "MY\n", "ＭＹ", "ſZ",
            "KZ\u{212A}A",
        ] {
            #expect(Base32.decode(bad) == nil, "\(bad)")
        }
    }

    @Test func `base64url agrees with Foundation`() throws {
        for length in 0...50 {
            let bytes = try RandomBytes.make(length)
            let expected = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
                .replacing("=", with: "")
            #expect(Base64URL.encode(bytes) == expected)
        }
        for bad in ["A", "AB", "AA==", "+A", "A A", "AAB"] { #expect(Base64URL.decode(bad) == nil, "\(bad)") }
    }
}
