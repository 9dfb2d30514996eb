import Kernel
import Signing
import Testing

/// What is made here holds for the `openssl` command, and the other way round.
@Suite struct CommandLineTests {
    private static let split = """
        printf %s "$PAYLOAD" | base32 -d > code.bin
        head -c -64 code.bin > code.body;  tail -c 64 code.bin > code.sig
        (printf "$PREFIX\\n$ORIGIN\\n"; cat code.body) > code.msg

        """

    private static let checks: [Algorithm: String] = [
        .ed25519: "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in code.msg -sigfile code.sig",
        .sm2: """
        integer() { h=$(head -c $1 code.sig | tail -c 32 | od -An -v -tx1 | tr -d ' \\n'); echo "INTEGER:0x$h"; }
        printf 'asn1=SEQUENCE:sig\\n[sig]\\nr=%s\\ns=%s\\n' $(integer 32) $(integer 64) > code.conf
        openssl asn1parse -genconf code.conf -noout -out code.der
        openssl dgst -sm3 -verify key.pem -sigopt distid:1234567812345678 -signature code.der code.msg
        """,
    ]

    @Test(arguments: Algorithm.allCases, [nil, [0, 1, 2, 3, 4]] as [[UInt8]?])
    func `openssl checks our codes`(algorithm: Algorithm, serial: [UInt8]?) async throws {
        let folder = try TemporaryFolder()
        let key = try PrivateKey.generate(algorithm)
        try folder.write("key.pem", key.publicKey.pem.utf8)
        let code = try CodeSigner(key: key, origin: origin)
            .sign(batch: 7, issued: .issued, bestBefore: .bestBefore, serial: serial)
        let script = Self.split + (Self.checks[algorithm] ?? "false")
        func status(_ payload: String, _ origin: String) async throws -> Int32 {
            try await folder.shell(script, ["PAYLOAD": payload, "ORIGIN": origin, "PREFIX": "taoyuan-code/v1"]).status
        }
        #expect(try await status(code.payload, origin.text) == 0)
        #expect(try await status(code.payload, "other.example.cn") != 0)
        let bytes = try #require(Base32.decode(code.payload))
        for position in [7, bytes.count - 1] {
            var flipped = bytes
            flipped[position] ^= 1
            #expect(try await status(Base32.encode(flipped), origin.text) != 0)
        }
    }

    @Test(arguments: Algorithm.allCases)
    func `openssl checks our tickets, under their own prefix alone`(algorithm: Algorithm) async throws {
        let folder = try TemporaryFolder()
        let key = try PrivateKey.generate(algorithm)
        try folder.write("key.pem", key.publicKey.pem.utf8)
        let signer = CodeSigner(key: key, origin: origin)
        let payload = try signer.sign(booking: 7, issued: .issued, day: .bestBefore).payload
        let script = Self.split + (Self.checks[algorithm] ?? "false")
        func status(_ prefix: String, _ origin: String) async throws -> Int32 {
            try await folder.shell(script, ["PAYLOAD": payload, "ORIGIN": origin, "PREFIX": prefix]).status
        }
        #expect(try await status("taoyuan-ticket/v1", origin.text) == 0)
        #expect(try await status("taoyuan-code/v1", origin.text) != 0)
        #expect(try await status("taoyuan-ticket/v1", "other.example.cn") != 0)
    }

    @Test(arguments: Algorithm.allCases)
    func `openssl opens our encrypted keys`(algorithm: Algorithm) async throws {
        let folder = try TemporaryFolder()
        let key = try PrivateKey.generate(algorithm)
        try folder.write("key.pem", key.encryptedPEM(passphrase: Array("secret".utf8)).utf8)
        let opened = try await folder.shell("openssl pkey -in key.pem -passin pass:secret -pubout")
        #expect(opened.output == key.publicKey.pem)
        #expect(try await folder.shell("openssl pkey -in key.pem -passin pass:wrong -pubout").status != 0)
        let parsed = try await folder.shell("openssl asn1parse -in key.pem").output
        #expect(parsed.contains("PBES2") && parsed.contains("scrypt") && parsed.contains("aes-256-cbc"))
    }

    @Test(arguments: [
        (Algorithm.ed25519, "openssl genpkey -algorithm ed25519"),
        (.sm2, "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2"),
    ])
    func `we open openssl's keys`(algorithm: Algorithm, generate: String) async throws {
        let folder = try TemporaryFolder()
        try await folder.shell("\(generate) -out plain.pem && openssl pkey -in plain.pem -pubout -out public.pem")
        try await folder.shell("openssl pkcs8 -topk8 -in plain.pem -out closed.pem -passout pass:secret")
        func text(_ name: String) throws -> String { String(decoding: try folder.read(name), as: UTF8.self) }
        let publicKey = try PublicKey(pem: text("public.pem"))
        #expect(publicKey.algorithm == algorithm)
        #expect(publicKey.pem == (try text("public.pem")))
        for key in [
            try PrivateKey(pem: text("plain.pem")),
            try PrivateKey(encryptedPEM: text("closed.pem"), passphrase: Array("secret".utf8)),
        ] {
            #expect(publicKey.verify(try key.sign([1]), over: [1]))
        }
    }

    @Test(arguments: [
        "-algorithm RSA -pkeyopt rsa_keygen_bits:1024", "-algorithm ed448", "-algorithm x25519",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        "-algorithm EC -pkeyopt ec_paramgen_curve:SM2 -pkeyopt ec_param_enc:explicit",
    ])
    func `other keys are refused`(options: String) async throws {
        let folder = try TemporaryFolder()
        let made = try await folder.shell(
            "openssl genpkey \(options) -out private.pem && openssl pkey -in private.pem -pubout -out public.pem")
        try #require(made.status == 0)
        let publicPEM = String(decoding: try folder.read("public.pem"), as: UTF8.self)
        let privatePEM = String(decoding: try folder.read("private.pem"), as: UTF8.self)
        refusal("unsupported-key", .invalid) { try PublicKey(pem: publicPEM) }
        #expect(throws: Refusal.self) { try PrivateKey(pem: privatePEM) }
    }
}
