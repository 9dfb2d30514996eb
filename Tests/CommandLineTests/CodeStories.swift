import Foundation
import Testing

/// A batch's code, on its way through the hands of those who check it.
@Suite struct CodeStories {
    private static let split = """
        printf %s "$PAYLOAD" | base32 -d > code.bin
        head -c -64 code.bin > code.body;  tail -c 64 code.bin > code.sig
        (printf 'taoyuan-code/v1\\ntrace.example.cn\\n'; cat code.body) > code.msg

        """

    private static let checks = [
        "ed25519": "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in code.msg -sigfile code.sig",
        "sm2": """
        integer() { h=$(head -c $1 code.sig | tail -c 32 | od -An -v -tx1 | tr -d ' \\n'); echo "INTEGER:0x$h"; }
        printf 'asn1=SEQUENCE:sig\\n[sig]\\nr=%s\\ns=%s\\n' $(integer 32) $(integer 64) > code.conf
        openssl asn1parse -genconf code.conf -noout -out code.der
        openssl dgst -sm3 -verify key.pem -sigopt distid:1234567812345678 -signature code.der code.msg
        """,
    ]

    @Test(arguments: ["ed25519", "sm2"])
    func `openssl and the bare program check what the village issued`(algorithm: String) async throws {
        let village = try await Village.founded(origin: "trace.example.cn")
        let created = try await village.json("key", "create", "--algorithm", algorithm)
        let key = try #require(created["keyId"] as? String)
        for kind in ["households", "plots"] {
            try await village.run("import", kind, "\(Village.samples)/\(kind).csv")
        }
        let (batch, payload) = try await village.register()
        for format in ["pem", "jwks"] {
            let exported = try await village.run(
                "key", "export", "--key-id", key, "--format", format, "--output", village.file("key.\(format)"))
            try #require(exported.status == 0)
        }
        let script = Self.split + (Self.checks[algorithm] ?? "false")
        #expect(try await village.shell(script, ["PAYLOAD": payload]).status == 0)

        let forged = String(payload.dropLast(2)) + (payload.dropLast().last == "A" ? "B" : "A") + payload.suffix(1)
        #expect(try await village.shell(script, ["PAYLOAD": forged]).status != 0)

        let offline = ["--offline", "--json", "--origin", "trace.example.cn", "--data-dir", "/nonexistent"]
        for file in ["key.pem", "key.jwks"] {
            let good = try await village.run(
                ["code", "verify", payload, "--public-key", village.file(file)] + offline)
            let answer = try good.json()
            #expect(good.status == 0 && answer["answer"] as? String == "signed")
            #expect(answer["keyId"] as? String == key && answer["batch"] as? Int == batch)
            #expect(answer["kind"] as? String == "batch" && answer["bestBeforeDay"] as? String == "2023-08-28")
            #expect(answer["pastBestBefore"] as? Bool == true && answer["serial"] is NSNull)
            let bad = try await village.run(
                ["code", "verify", forged, "--public-key", village.file(file)] + offline)
            #expect(try bad.status == 1 && bad.json()["answer"] as? String == "forged")
        }
        let elsewhere = try await village.run(
            "code", "verify", payload, "--offline", "--public-key", village.file("key.pem"), "--origin", "other.cn",
            "--json")
        for place in [[], ["--offline", "--public-key", village.file("key.pem"), "--origin", "trace.example.cn"]] {
            let seen = try await village.run(["code", "verify", "http://Other.cn/\(payload)", "--json"] + place)
            let answer = try seen.json()
            #expect(seen.status == 1 && answer["foreignHost"] as? String == "Other.cn")
            #expect(answer["answer"] as? String == (place.isEmpty ? "genuine" : "signed"))
            let told = try await village.run(["code", "verify", "http://other.cn/\(payload)"] + place)
            #expect(told.output.hasPrefix("The address on the label is not ours (other.cn)"))
            let label = "https://trace.example.cn/\(payload)"
            let ours = try await village.run(["code", "verify", label, "--json"] + place)
            #expect(try ours.status == 0 && ours.json()["foreignHost"] is NSNull)
        }
        #expect(try elsewhere.status == 1 && elsewhere.json()["answer"] as? String == "unknown_key")
        try await expectSymbol(of: batch, payload, village)
    }

    /// What a scanner reads from the PNG is the code's address.
    private func expectSymbol(of batch: Int, _ payload: String, _ village: Village) async throws {
        let drawn = try await village.run(
            "code", "show", "\(batch)", "--qr", "png", "--output", village.file("code.png"))
        try #require(drawn.status == 0)
        let read = try await village.shell("zbarimg -q --raw code.png 2>/dev/null")
        #expect(read.output.trimmingCharacters(in: .newlines) == "https://TRACE.EXAMPLE.CN/\(payload)")
        let online = try await village.run("code", "verify", read.output, "--json")
        #expect(try online.status == 0 && online.json()["answer"] as? String == "genuine")
        let svg = try await village.run("code", "show", "\(batch)", "--qr", "svg")
        #expect(svg.output.hasPrefix("<svg "))
        let blocks = try await village.run("code", "show", "\(batch)", "--qr", "terminal")
        #expect(blocks.output.contains("▄") && !blocks.output.contains("\u{1B}"))
    }

    @Test func `a code's answers follow its batch's fate`() async throws {
        let village = try await Village.founded()
        for kind in ["households", "plots"] {
            try await village.run("import", kind, "\(Village.samples)/\(kind).csv")
        }
        let (batch, payload) = try await village.register()
        let number = "\(batch)"
        func answer() async throws -> [String: Any] {
            let outcome = try await village.run("code", "verify", "http://localhost:8080/\(payload)?from=wx", "--json")
            let json = try outcome.json()
            #expect((outcome.status == 0) == (json["answer"] as? String == "genuine"))
            return json
        }
        let genuine = try await answer()
        #expect(
            Set(genuine.keys).isSuperset(of: [
                "answer", "kind", "batch", "serial", "issuedDay", "bestBeforeDay", "pastBestBefore", "keyId", "product",
                "variety", "grade", "harvestedOn", "cooperative", "origin",
            ]))
        #expect(genuine["answer"] as? String == "genuine" && genuine["harvestedOn"] as? String == "2023-08-21")

        try #require(try await village.run("recall", "open", "--batch", number, "--reason", "复检").status == 0)
        #expect(try await answer()["answer"] as? String == "recalled")
        #expect(try await village.run("recall", "open", "--batch", number, "--reason", "复检").status == 1)
        try #require(try await village.run("recall", "end", "--batch", number, "--reason", "合格").status == 0)
        #expect(try await answer()["answer"] as? String == "genuine")

        let other = try await village.register()
        let lines = try await village.run("code", "export").output
        #expect(lines == "\(payload)\t\(batch)\n\(other.payload)\t\(other.batch)\n")
        let limited = try await village.run("code", "export", "--limit", "1", "--after", number).output
        #expect(limited == "\(other.payload)\t\(other.batch)\n")
        try #require(try await village.run("code", "revoke", "--batch", number, "--reason", "印错").status == 0)
        #expect(try await answer()["answer"] as? String == "revoked")
        #expect(try await village.run("code", "export").output == "\(other.payload)\t\(other.batch)\n")
        #expect(try await village.run("code", "revoke", "--batch", number, "--reason", "印错").status == 1)
        let nonsense = try await village.run("code", "verify", "nonsense", "--json")
        #expect(try nonsense.status == 1 && nonsense.json()["answer"] as? String == "malformed")
    }

    @Test func `keys are imported, retired and marked compromised`() async throws {
        let village = try await Village.founded()
        for kind in ["households", "plots"] {
            try await village.run("import", kind, "\(Village.samples)/\(kind).csv")
        }
        try await village.shell(
            """
            openssl genpkey -algorithm ed25519 -out plain.pem
            openssl pkcs8 -topk8 -in plain.pem -out closed.pem -passout pass:secret
            openssl genpkey -algorithm ed25519 | openssl pkey -pubout -out public.pem
            printf secret > passphrase
            """)
        let closed = village.file("closed.pem")
        #expect(try await village.run("key", "import", closed).status == 1)
        let ours = try await village.json("key", "import", closed, "--passphrase-file", village.file("passphrase"))
        let key = try #require(ours["keyId"] as? String)
        #expect(try await village.run("key", "import", village.file("plain.pem")).status == 1, "it is there already")
        // A public key verifies only: the private one that came before goes on signing.
        let theirs = try await village.json("key", "import", village.file("public.pem"))
        let (_, payload) = try await village.register()
        let verified = try await village.json("code", "verify", payload)
        #expect(verified["keyId"] as? String == key)

        let since = try await village.run("key", "compromise", "--key-id", key, "--since", "2025-08-01")
        #expect(since.status == 0)
        #expect(try await village.json("code", "verify", payload)["answer"] as? String == "genuine")
        let set = try await village.run("key", "export").json()
        let ids = try #require(set["keys"] as? [[String: Any]]).map { $0["kid"] as? String }
        #expect(!ids.contains(key) && ids.contains(theirs["keyId"] as? String))
        #expect(try await village.run("key", "retire", "--key-id", key).status == 0)
        let listed: [[String: Any]] = try await village.run("key", "list", "--json").json(as: [[String: Any]].self)
        let record = try #require(listed.first { $0["keyId"] as? String == key })
        #expect(record["compromisedSince"] as? String == "2025-08-01" && record["retiredOn"] is String)
        #expect(try await village.run("key", "retire", "--key-id", "0000").status == 1)
    }
}
