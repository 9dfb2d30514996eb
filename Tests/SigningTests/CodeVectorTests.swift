import Kernel
import Signing
import Testing

@Suite struct CodeVectorTests {
    private let file = CodeVectors.shared

    private func verifier(isCompromised: Bool = false) throws -> Verifier {
        let key = try PublicKey(pem: file.publicKeyPEM)
        let id = key.id(origin: origin)
        return Verifier(origin: origin) { $0 == id ? KnownKey(key, isCompromised: isCompromised) : nil }
    }

    @Test func `the key id is derived`() throws {
        let key = try PrivateKey(pem: file.privateKeyPEM)
        #expect(key.publicKey.algorithm == Algorithm(name: file.algorithm))
        #expect(key.publicKey.id(origin: origin).hex == file.keyId)
        #expect(key.publicKey.pem == file.publicKeyPEM)
    }

    @Test(arguments: CodeVectors.shared.vectors)
    func `each vector gets its answer`(vector: CodeVectors.Vector) throws {
        let answer = try verifier().check(vector.payload)
        switch vector.expect {
        case "valid":
            let body = try SignedCode(payload: vector.payload).body
            #expect(answer == .signed(body))
            #expect("\(body.kind)" == vector.kind)
            #expect(body.keyID.hex == file.keyId)
            #expect(body.batch == vector.batch)
            #expect(body.issued.daysSince2020 == vector.issuedDay)
            #expect(body.bestBefore?.daysSince2020 == vector.bestBeforeDay)
            #expect(body.serial.map { hex($0) } == vector.serial)
            if let expected = vector.bodyHex { #expect(hex(body.bytes) == expected) }
            let again = try CodeSigner(key: PrivateKey(pem: file.privateKeyPEM), origin: origin)
                .sign(batch: body.batch, issued: body.issued, bestBefore: body.bestBefore, serial: body.serial)
            #expect(again.payload == vector.payload.uppercased())
        case "forged":
            #expect(answer == .forged(try SignedCode(payload: vector.payload).body))
        case "malformed":
            #expect(answer == .malformed)
            #expect(throws: Malformed.self) { try SignedCode(payload: vector.payload) }
        case "unknown_key":
            #expect(answer == .unknownKey)
        default:
            Issue.record("the file expects \(vector.expect), which no verifier answers")
        }
    }

    @Test func `offline, a compromised key is unknown`() throws {
        let valid = try #require(file.vectors.first { $0.expect == "valid" })
        #expect(try verifier(isCompromised: true).check(valid.payload) == .unknownKey)
        let code = try SignedCode(payload: valid.payload)
        #expect(try code.isSigned(by: PublicKey(pem: file.publicKeyPEM), origin: origin))
    }

    @Test func `every head byte but two is malformed`() throws {
        let body = try CodeBody(keyID: KeyID(1), batch: 1, issued: .issued, bestBefore: nil, serial: nil).bytes
        for head in UInt8.min ... .max {
            for padding in [0, 5] {
                let payload = Base32.encode([head] + body.dropFirst() + [UInt8](repeating: 1, count: padding + 64))
                let isKnown = (head == 0x11 && padding == 0) || (head == 0x12 && padding == 5)
                #expect((try verifier().check(payload) == .malformed) == !isKnown, "head \(head)")
            }
        }
    }

    @Test func `fields out of range are malformed`() throws {
        let body = try CodeBody(keyID: KeyID(1), batch: 1, issued: .issued, bestBefore: nil, serial: nil).bytes
        let signature = [UInt8](repeating: 1, count: 64)
        var noBatch = body
        noBatch.replaceSubrange(3..<7, with: [0, 0, 0, 0])
        #expect(try verifier().check(Base32.encode(noBatch + signature)) == .malformed)
        var neverIssued = body
        neverIssued.replaceSubrange(7..<9, with: [0xFF, 0xFF])
        #expect(try verifier().check(Base32.encode(neverIssued + signature)) == .malformed)
        #expect(try verifier().check(Base32.encode(body + signature)) == .unknownKey)
    }

    @Test(arguments: [" ", "\n", "A", "桃", "%20", "\u{FEFF}", "\u{0}"])
    func `what stands around a code makes it malformed`(extra: String) throws {
        let valid = try #require(file.vectors.first { $0.expect == "valid" }).payload
        for text in [extra + valid, valid + extra, extra, extra + valid.dropFirst(extra.utf8.count)] {
            #expect(try verifier().check(text) == .malformed)
        }
    }

    @Test func `an empty and an endless text are malformed`() throws {
        #expect(try verifier().check("") == .malformed)
        #expect(try verifier().check(String(repeating: "A", count: 1_000_000)) == .malformed)
    }

    @Test func `flipping any bit of a code never leaves it signed`() throws {
        let valid = try #require(file.vectors.first { $0.kind == "item" }).payload
        let code = try #require(Base32.decode(valid))
        let verifier = try verifier()
        for bit in 0..<code.count * 8 {
            var changed = code
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            if case .signed = verifier.check(Base32.encode(changed)) { Issue.record("bit \(bit)") }
        }
    }
}
