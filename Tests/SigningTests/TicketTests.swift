import Kernel
import Signing
import Testing

@Suite struct TicketTests {
    private let day = CivilDay(daysSince2020: 2207)

    private func signer(_ algorithm: Algorithm = .ed25519) throws -> (key: PrivateKey, signer: CodeSigner) {
        let key = try PrivateKey.generate(algorithm)
        return (key, CodeSigner(key: key, origin: origin))
    }

    private func verifier(_ key: PublicKey, compromised: Bool = false, _ site: Origin = origin) -> TicketVerifier {
        TicketVerifier(origin: site) { id in
            id == key.id(origin: site) ? KnownKey(key, isCompromised: compromised) : nil
        }
    }

    /// What the prefix, the origin and the body of the document make, signed by the key.
    private func payload(_ prefix: String, _ body: [UInt8], _ key: PrivateKey) throws -> String {
        Base32.encode(body + (try key.sign(Array("\(prefix)\n\(origin.text)\n".utf8) + body)))
    }

    @Test func `bytes are as specified`() throws {
        let body = try TicketBody(
            keyID: KeyID(0x8A31), booking: 0x0102_0304, issued: CivilDay(daysSince2020: 0x0506),
            day: CivilDay(daysSince2020: 0x0708))
        #expect(hex(body.bytes) == "188a310102030405060708")
    }

    @Test(arguments: Algorithm.allCases) func `a ticket survives its text`(algorithm: Algorithm) throws {
        let (key, signer) = try signer(algorithm)
        let ticket = try signer.sign(booking: .max, issued: .issued, day: day)
        #expect(ticket.payload.utf8.count == 120)
        let read = try SignedTicket(payload: ticket.payload.lowercased())
        #expect(read.body == ticket.body)
        #expect(read.payload == ticket.payload)
        #expect(read.body.booking == .max && read.body.issued == .issued && read.body.day == day)
        #expect(read.isSigned(by: key.publicKey, origin: origin))
        #expect(verifier(key.publicKey).check(ticket.payload) == .signed(ticket.body))
    }

    @Test(arguments: Algorithm.allCases) func `the document's message is what is signed`(algorithm: Algorithm) throws {
        let (key, signer) = try signer(algorithm)
        let ticket = try signer.sign(booking: 7, issued: .issued, day: day)
        let made = try payload("taoyuan-ticket/v1", ticket.body.bytes, key)
        #expect(verifier(key.publicKey).check(made) == .signed(ticket.body))
    }

    @Test(arguments: Algorithm.allCases) func `a ticket is no product's code, nor the other way round`(
        algorithm: Algorithm
    ) throws {
        let (key, signer) = try signer(algorithm)
        let ticket = try signer.sign(booking: 7, issued: .issued, day: day)
        let codes = Verifier(origin: origin) { _ in KnownKey(key.publicKey) }
        #expect(throws: Malformed.self) { try SignedCode(payload: ticket.payload) }
        #expect(codes.check(ticket.payload) == .malformed)
        #expect(CodeKind(rawValue: 8) == nil)
        for serial in [nil, [1, 2, 3, 4, 5]] as [[UInt8]?] {
            let code = try signer.sign(batch: 7, issued: .issued, bestBefore: .bestBefore, serial: serial)
            #expect(throws: Malformed.self) { try SignedTicket(payload: code.payload) }
            #expect(verifier(key.publicKey).check(code.payload) == .malformed)
        }
    }

    @Test(arguments: Algorithm.allCases) func `a signature is not taken over from the other kind`(
        algorithm: Algorithm
    ) throws {
        let (key, signer) = try signer(algorithm)
        let ticket = try signer.sign(booking: 7, issued: .issued, day: day)
        let code = try signer.sign(batch: 7, issued: .issued, bestBefore: day)
        // The bodies differ in their first byte alone.
        #expect(ticket.body.bytes.dropFirst() == code.body.bytes.dropFirst())
        let borrowed = Base32.encode(ticket.body.bytes + code.signature)
        #expect(verifier(key.publicKey).check(borrowed) == .forged(ticket.body))
        let wrongPrefix = try payload("taoyuan-code/v1", ticket.body.bytes, key)
        #expect(verifier(key.publicKey).check(wrongPrefix) == .forged(ticket.body))
        let codes = Verifier(origin: origin) { _ in KnownKey(key.publicKey) }
        #expect(codes.check(Base32.encode(code.body.bytes + ticket.signature)) == .forged(code.body))
        #expect(codes.check(try payload("taoyuan-ticket/v1", code.body.bytes, key)) == .forged(code.body))
    }

    @Test(arguments: Algorithm.allCases) func `any flipped bit is noticed`(algorithm: Algorithm) throws {
        let (key, signer) = try signer(algorithm)
        let ticket = try signer.sign(booking: 7, issued: .issued, day: day)
        let bytes = ticket.body.bytes + ticket.signature
        for position in bytes.indices {
            var flipped = bytes
            flipped[position] ^= 1
            let answer = verifier(key.publicKey).check(Base32.encode(flipped))
            switch position {
            case 0: #expect(answer == .malformed)
            case 1, 2: #expect(answer == .unknownKey)
            default:
                guard case .forged = answer else {
                    Issue.record("byte \(position): \(answer)")
                    continue
                }
            }
        }
    }

    @Test func `another origin's ticket is not ours`() throws {
        let (key, signer) = try signer()
        let ticket = try signer.sign(booking: 7, issued: .issued, day: day)
        let other = try Origin("other.example.cn")
        #expect(!ticket.isSigned(by: key.publicKey, origin: other))
        #expect(verifier(key.publicKey, other).check(ticket.payload) == .unknownKey)
        let sameID = TicketVerifier(origin: other) { _ in KnownKey(key.publicKey) }
        #expect(sameID.check(ticket.payload) == .forged(ticket.body))
    }

    @Test func `a compromised key proves nothing`() throws {
        let (key, signer) = try signer()
        let ticket = try signer.sign(booking: 7, issued: .issued, day: day)
        #expect(verifier(key.publicKey, compromised: true).check(ticket.payload) == .unknownKey)
    }

    @Test(arguments: ["", "A", String(repeating: "A", count: 120), String(repeating: "1", count: 120)])
    func `other texts are malformed`(text: String) {
        #expect(throws: Malformed.self) { try SignedTicket(payload: text) }
    }

    @Test func `booking 0 and days out of range are refused`() throws {
        let (key, signer) = try signer()
        refusal("bad-ticket-booking", .invalid) { try signer.sign(booking: 0, issued: .issued, day: day) }
        for day in [CivilDay(daysSince2020: -1), CivilDay(daysSince2020: 65_535)] {
            refusal("bad-ticket-day", .invalid) { try signer.sign(booking: 1, issued: .issued, day: day) }
            refusal("bad-ticket-day", .invalid) { try signer.sign(booking: 1, issued: day, day: .issued) }
        }
        // As bytes, with good signatures.
        let id = key.publicKey.id(origin: origin).value
        let head: [UInt8] = [0x18, UInt8(id >> 8), UInt8(id & 0xFF)]
        let tails: [[UInt8]] = [
            [0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 0xFF, 0xFF, 1, 1], [0, 0, 0, 1, 1, 1, 0xFF, 0xFF],
        ]
        for tail in tails {
            let made = try payload("taoyuan-ticket/v1", head + tail, key)
            #expect(verifier(key.publicKey).check(made) == .malformed)
        }
    }
}
