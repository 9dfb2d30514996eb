import Kernel
import Signing
import Testing

@Suite struct CodeBodyTests {
    private func make(
        batch: UInt32 = 1, issued: Int = 0, bestBefore: Int? = nil, serial: [UInt8]? = nil
    ) throws -> CodeBody {
        try CodeBody(
            keyID: KeyID(0x8A31), batch: batch, issued: CivilDay(daysSince2020: issued),
            bestBefore: bestBefore.map { CivilDay(daysSince2020: $0) }, serial: serial)
    }

    @Test func `bytes are as specified`() throws {
        #expect(try hex(make(batch: 0x0102_0304, issued: 0x0506).bytes) == "118a31010203040506ffff")
        let item = try make(batch: .max, issued: 65_534, bestBefore: 65_534, serial: [1, 2, 3, 4, 5])
        #expect(hex(item.bytes) == "128a31fffffffffffefffe0102030405")
        #expect(item.kind == .item)
        #expect(try make().kind == .batch)
    }

    @Test(arguments: [-1, 65_535, 100_000, -100_000])
    func `days out of range are refused`(day: Int) {
        refusal("bad-code-day", .invalid) { try make(issued: day) }
        refusal("bad-code-day", .invalid) { try make(bestBefore: day) }
    }

    @Test func `the refusal names the field`() {
        #expect(#expect(throws: Refusal.self) { try make(batch: 0) }?.field == "batch")
        #expect(#expect(throws: Refusal.self) { try make(issued: -1) }?.field == "issued")
        #expect(#expect(throws: Refusal.self) { try make(bestBefore: -1) }?.field == "bestBefore")
        #expect(#expect(throws: Refusal.self) { try make(serial: []) }?.field == "serial")
    }

    @Test(arguments: [0, 4, 6, 64])
    func `a serial is five bytes`(length: Int) {
        refusal("bad-code-serial", .invalid) { try make(serial: [UInt8](repeating: 0, count: length)) }
    }

    @Test func `what the refusal says of days is true`() {
        #expect(CivilDay(daysSince2020: 0).description == "2020-01-01")
        #expect(CivilDay(daysSince2020: 65_534).description == "2199-06-05")
    }

    @Test(arguments: Algorithm.allCases)
    func `a code survives its text`(algorithm: Algorithm) throws {
        let signer = CodeSigner(key: try PrivateKey.generate(algorithm), origin: origin)
        for serial in [nil, try RandomBytes.make(5)] {
            for bestBefore in [nil, CivilDay.bestBefore] {
                let code = try signer.sign(batch: .max, issued: .issued, bestBefore: bestBefore, serial: serial)
                let read = try SignedCode(payload: code.payload.lowercased())
                #expect(read.body == code.body)
                #expect(read.signature == code.signature)
                #expect(read.payload == code.payload)
                #expect(code.payload.utf8.count == (serial == nil ? 120 : 128))
            }
        }
    }
}
