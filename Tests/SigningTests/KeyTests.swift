import Foundation
import Kernel
import Signing
import Testing

@Suite struct KeyTests {
    private static let ed25519Prefix = bytes(hex: "302a300506032b6570032100")

    /// Every spelling of a point whose order divides 8: y, with and without the sign bit.
    static let smallOrder: [String] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ]

    @Test(arguments: smallOrder, [0x00, 0x80] as [UInt8])
    func `small-order keys are refused`(point: String, sign: UInt8) {
        var key = bytes(hex: point)
        key[31] |= sign
        refusal("weak-key", .invalid) { try PublicKey(der: Self.ed25519Prefix + key) }
    }

    /// y = 2 and y = 7, for which the curve has no x; and all spellings of y that are not below p = 2²⁵⁵ − 19.
    @Test(arguments: [2, 7] + (0xED...0xFF), [0x00, 0x80] as [UInt8])
    func `Ed25519 keys beside the curve or in a second spelling are refused`(first: Int, sign: UInt8) {
        var key = first < 0xED ? [UInt8](repeating: 0, count: 32) : [UInt8](repeating: 0xFF, count: 31) + [0x7F]
        key[0] = UInt8(first)
        key[31] |= sign
        refusal("weak-key", .invalid) { try PublicKey(der: Self.ed25519Prefix + key) }
    }

    @Test func `half of all y have a point on the curve, and what is made is on it`() throws {
        var taken = 0
        for y in UInt8(2)..<202
        where (try? PublicKey(der: Self.ed25519Prefix + [y] + Array(repeating: 0, count: 31))) != nil {
            taken += 1
        }
        #expect((70...130).contains(taken))
        for _ in 0..<200 { _ = try PublicKey(der: PrivateKey.generate(.ed25519).publicKey.der) }
    }

    @Test func `a private key of zeros is refused, and its public half`() throws {
        let der = bytes(hex: "302e020100300506032b657004220420") + [UInt8](repeating: 0, count: 32)
        let pem = "-----BEGIN PRIVATE KEY-----\n\(Data(der).base64EncodedString())\n-----END PRIVATE KEY-----\n"
        refusal("weak-key", .invalid) { try PrivateKey(pem: pem) }
        // What OpenSSL makes of it, in whichever way it came here.
        let point = bytes(hex: "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29")
        refusal("weak-key", .invalid) { try PublicKey(der: Self.ed25519Prefix + point) }
        let one = Array(der.dropLast()) + [1]
        let other = "-----BEGIN PRIVATE KEY-----\n\(Data(one).base64EncodedString())\n-----END PRIVATE KEY-----\n"
        _ = try PrivateKey(pem: other)
    }

    @Test func `SM2 points beside the curve or in a second spelling are refused`() throws {
        let good = try PrivateKey.generate(.sm2).publicKey.der
        var beside = good
        beside[90] ^= 1
        refusal("weak-key", .invalid) { try PublicKey(der: beside) }
        let prefix = good.prefix(27)
        // The point at infinity's coordinates, and x = p + 0: the prime and what is above it are no coordinates.
        let prime = bytes(hex: "fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff")
        for x in [[UInt8](repeating: 0, count: 32), prime, [UInt8](repeating: 0xFF, count: 32)] {
            refusal("weak-key", .invalid) { try PublicKey(der: prefix + x + good.suffix(32)) }
        }
        for form: UInt8 in [0x02, 0x06, 0x07] {
            var other = good
            other[26] = form
            refusal("unsupported-key", .invalid) { try PublicKey(der: other) }
        }
    }

    @Test func `what is no public key is refused`() throws {
        let der = try PrivateKey.generate(.ed25519).publicKey.der
        for bad in [[], Array(der.dropLast()), der + [0], [0x31] + der.dropFirst()] {
            refusal("unsupported-key", .invalid) { try PublicKey(der: bad) }
        }
        for bad in ["", "x", CodeVectors.shared.privateKeyPEM, "-----BEGIN PUBLIC KEY-----\n"] {
            refusal("unsupported-key", .invalid) { try PublicKey(pem: bad) }
        }
        for bad in ["", "x", CodeVectors.shared.publicKeyPEM] {
            refusal("bad-private-key", .invalid) { try PrivateKey(pem: bad) }
            refusal("bad-private-key", .invalid) { try PrivateKey(encryptedPEM: bad, passphrase: [1]) }
        }
    }

    @Test(arguments: Algorithm.allCases)
    func `signatures verify, and only those`(algorithm: Algorithm) throws {
        let key = try PrivateKey.generate(algorithm)
        let message = Array("桃源".utf8)
        let signature = try key.sign(message)
        let publicKey = try PublicKey(pem: key.publicKey.pem)
        #expect(signature.count == 64)
        #expect(publicKey.algorithm == algorithm)
        #expect(publicKey.der == key.publicKey.der)
        #expect(publicKey.verify(signature, over: message))
        #expect(publicKey.verify(try key.sign([]), over: []))
        #expect(!publicKey.verify(signature, over: message + [0]))
        #expect(!publicKey.verify(signature, over: []))
        #expect(!(try PrivateKey.generate(algorithm).publicKey.verify(signature, over: message)))
        for bad in [
            [], Array(signature.dropLast()), signature + [0], [UInt8](repeating: 0, count: 64),
            [UInt8](repeating: 0xFF, count: 64),
        ] {
            #expect(!publicKey.verify(bad, over: message))
        }
        #expect((try key.sign(message) == signature) == (algorithm == .ed25519))
    }

    @Test func `short r and s of SM2 are padded`() throws {
        // One in 128 signatures has a leading zero byte in r or s.
        let key = try PrivateKey.generate(.sm2)
        for number in 0..<600 {
            let message = Array("\(number)".utf8)
            #expect(key.publicKey.verify(try key.sign(message), over: message))
        }
    }

    @Test(arguments: Algorithm.allCases)
    func `tasks share a key`(algorithm: Algorithm) async throws {
        let key = try PrivateKey.generate(algorithm)
        let good = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in UInt8(0)..<64 {
                group.addTask { key.publicKey.verify(try key.sign([number]), over: [number]) }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(good == 64)
    }

    @Test(arguments: Algorithm.allCases)
    func `an encrypted key opens with its passphrase only`(algorithm: Algorithm) throws {
        let key = try PrivateKey.generate(algorithm)
        let passphrase = Array("桃花源 里".utf8)
        let pem = try key.encryptedPEM(passphrase: passphrase)
        #expect(pem.hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"))
        #expect(try key.encryptedPEM(passphrase: passphrase) != pem)
        let opened = try PrivateKey(encryptedPEM: pem, passphrase: passphrase)
        #expect(opened.publicKey.der == key.publicKey.der)
        #expect(key.publicKey.verify(try opened.sign([1]), over: [1]))
        for wrong in [[], [1], passphrase + [1], Array(passphrase.dropLast())] {
            refusal("wrong-passphrase", .forbidden) { try PrivateKey(encryptedPEM: pem, passphrase: wrong) }
        }
    }

    @Test(arguments: Algorithm.allCases)
    func `a JSON Web Key holds the whole key`(algorithm: Algorithm) throws {
        let key = try PrivateKey.generate(algorithm).publicKey
        let jwk = key.jwk(kid: key.id(origin: origin).hex)
        #expect(jwk["kid"] == key.id(origin: origin).hex)
        #expect(jwk["use"] == "sig")
        let x = try #require(Base64URL.decode(jwk["x"] ?? ""))
        #expect(x.count == 32)
        switch algorithm {
        case .ed25519:
            #expect(jwk["kty"] == "OKP" && jwk["crv"] == "Ed25519" && jwk["y"] == nil)
            #expect(Self.ed25519Prefix + x == key.der)
        case .sm2:
            #expect(jwk["kty"] == "EC" && jwk["crv"] == "SM2")
            let y = try #require(Base64URL.decode(jwk["y"] ?? ""))
            #expect(Array(key.der.suffix(65)) == [4] + x + y)
        }
    }

    @Test func `the id depends on the origin`() throws {
        let key = try PublicKey(pem: CodeVectors.shared.publicKeyPEM)
        #expect(key.id(origin: try Origin("localhost:8080")) != key.id(origin: origin))
    }
}
