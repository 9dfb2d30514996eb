import Kernel
import Signing
import Testing

@Suite struct CryptoTests {
    @Test func `SHA-256 is that of FIPS 180-4`() {
        #expect(
            hex(Digest.sha256(Array("abc".utf8)))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            hex(Digest.sha256([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func `HMAC is that of RFC 4231`() {
        #expect(
            hex(Digest.hmacSHA256(key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            hex(Digest.hmacSHA256(key: [], message: []))
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test(arguments: [
        (
            "", "", 16, 1, 1,
            """
            77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442
            fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906
            """
        ),
        (
            "password", "NaCl", 1024, 8, 16,
            """
            fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162
            2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640
            """
        ),
        (
            "pleaseletmein", "SodiumChloride", 16_384, 8, 1,
            """
            7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2
            d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887
            """
        ),
    ])
    func `scrypt is that of RFC 7914`(
        password: String, salt: String, n: Int, r: Int, p: Int, expected: String
    ) throws {
        let hash = try Scrypt.hash(
            password: Array(password.utf8), salt: Array(salt.utf8), n: n, r: r, p: p, length: 64)
        #expect(hash == bytes(hex: expected))
    }

    @Test(arguments: [(0, 8, 1), (1, 8, 1), (1000, 8, 1), (16, 0, 1), (16, 8, 0), (1 << 24, 8, 1), (.max, 8, 1)])
    func `scrypt refuses bad parameters`(n: Int, r: Int, p: Int) {
        #expect(throws: CryptoError.self) {
            try Scrypt.hash(password: [1], salt: [2], n: n, r: r, p: p, length: 32)
        }
    }

    @Test func `random bytes have their length and differ`() throws {
        for make in [RandomBytes.make, RandomBytes.secret] {
            #expect(try make(0).isEmpty)
            #expect(try make(5).count == 5)
            #expect(try make(32) != make(32))
        }
    }

    @Test func `equality in constant time is equality`() {
        #expect(constantTimeEqual([], []))
        #expect(constantTimeEqual([1, 2], [1, 2]))
        #expect(!constantTimeEqual([1, 2], [1, 3]))
        #expect(!constantTimeEqual([1, 2], [1, 2, 3]))
    }

    @Test func `key ids are four hexadecimal digits`() {
        #expect(KeyID(hex: "8a31")?.value == 0x8A31)
        #expect(KeyID(hex: "8A31")?.hex == "8a31")
        #expect(KeyID(7).description == "0007")
        for bad in ["", "8a3", "8a311", "+a31", "-a31", "8g31", "８a31"] { #expect(KeyID(hex: bad) == nil, "\(bad)") }
    }
}
