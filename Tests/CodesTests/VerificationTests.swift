import Codes
import Database
import Kernel
import Signing
import TestSupport
import Testing

extension TestVillage {
    /// Asks the register itself, not what was answered a moment ago.
    func answer(_ payload: String) async throws -> Answer {
        verification.forget()
        return try await verification.verify(payload).answer
    }
}

@Suite struct VerificationTests {
    @Test func `a registered code is genuine and tells of the goods`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            for payload in [code.payload, code.payload.lowercased()] {
                let verdict = try await village.verification.verify(payload)
                #expect(verdict.answer == .genuine)
                #expect(verdict.body == code.signed.body)
                #expect(verdict.pastBestBefore == false)
                let goods = try #require(verdict.goods)
                #expect(goods.product == "蟠桃")
                #expect(goods.variety == "瑞蟠21号")
                #expect(goods.grade == "特级")
                #expect(goods.harvestedOn == village.today)
                #expect(goods.cooperative == TestOrchard.eastName)
            }
        }
    }

    /// What a stolen key makes: the signature is good, and we never issued it.
    @Test func `a body that the register doesn't hold is unregistered`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            let body = code.signed.body
            let signer = try village.keys.signer()
            let bestBefore = try #require(body.bestBefore)
            let stolen = [
                try signer.sign(batch: body.batch + 1, issued: body.issued, bestBefore: bestBefore),
                try signer.sign(batch: body.batch, issued: body.issued.adding(days: 1), bestBefore: bestBefore),
                try signer.sign(batch: body.batch, issued: body.issued, bestBefore: bestBefore.adding(days: 1)),
                try signer.sign(batch: body.batch, issued: body.issued, bestBefore: nil),
                try signer.sign(
                    batch: body.batch, issued: body.issued, bestBefore: bestBefore, serial: [1, 2, 3, 4, 5]),
            ]
            for code in stolen {
                let verdict = try await village.verification.verify(code.payload)
                #expect(verdict.answer == .unregistered)
                #expect(verdict.goods == nil)
                #expect(verdict.body == code.body)
            }
            let same = try signer.sign(batch: body.batch, issued: body.issued, bestBefore: bestBefore)
            #expect(try await village.answer(same.payload) == .genuine)
        }
    }

    @Test func `another good key doesn't make a batch's code genuine`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let body = try await village.register(village.harvest()).signed.body
            let first = try village.keys.signer().keyID
            try await village.change(SigningKeyStore.retire(first, today: village.today))
            _ = try await village.keys.create(.ed25519, village.database, village.committee)
            let signer = try village.keys.signer()
            #expect(signer.keyID != first)
            let other = try signer.sign(batch: body.batch, issued: body.issued, bestBefore: body.bestBefore)
            #expect(try await village.answer(other.payload) == .unregistered)
        }
    }

    @Test func `a changed signature is forged and another key's id unknown`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            var signature = code.signed.signature
            signature[10] ^= 1
            #expect(
                try await village.answer(SignedCode(body: code.signed.body, signature: signature).payload) == .forged)
            let body = code.signed.body
            let unknown = try CodeBody(
                keyID: KeyID(body.keyID.value &+ 1), batch: body.batch, issued: body.issued,
                bestBefore: body.bestBefore, serial: nil)
            let stranger = SignedCode(body: unknown, signature: code.signed.signature)
            #expect(try await village.answer(stranger.payload) == .unknownKey)
            #expect(try await village.answer(code.payload + "A") == .malformed)
        }
    }

    @Test func `forged, malformed and unknown codes cost no question to the database`() async throws {
        let vectors = try CodeVectors.read()
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            var signature = code.signed.signature
            signature[0] ^= 1
            let forged = SignedCode(body: code.signed.body, signature: signature).payload
            let unknown = try #require(vectors.vectors.first { $0.expect == "valid" }).payload
            let closed = village.another()
            let keys = try await village.anotherKeyRing(closed)
            let verification = Verification(CodeRegister(closed), keys: keys, clock: village.clock.clock)
            await closed.close()
            #expect(try await verification.verify(forged).answer == .forged)
            #expect(try await verification.verify("x").answer == .malformed)
            #expect(try await verification.verify(unknown).answer == .unknownKey)
            // A good one has to be asked of the register, which can't be asked.
            await #expect(throws: (any Error).self) { try await verification.verify(code.payload) }
        }
    }

    @Test func `past its best-before day from midnight in Shanghai`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            let last = try #require(code.signed.body.bestBefore)
            village.clock.set(last, hour: 24, seconds: -0.001)
            var verdict = try await village.verification.verify(code.payload)
            #expect(verdict.pastBestBefore == false)
            village.clock.set(last, hour: 24)
            village.verification.forget()
            verdict = try await village.verification.verify(code.payload)
            #expect(verdict.pastBestBefore)
            #expect(verdict.answer == .genuine)
        }
    }

    @Test func `an answer is remembered for a moment only`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            #expect(try await village.verification.verify(code.payload).answer == .genuine)
            // Nothing is told of what the superuser writes.
            try await village.audited([
                """
                INSERT INTO code_revocation (village_id, batch_number, cooperative_id, reason, actor)
                SELECT village_id, number, cooperative_id, 'x', 'x' FROM batch
                """
            ])
            try await awaitCondition("the register's answer") {
                try await village.verification.verify(code.payload).answer == .revoked
            }
        }
    }

    @Test func `an item's code is its own`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest())
            let signer = try village.keys.signer()
            let serials: [[UInt8]] = [[0, 0, 0, 0, 1], [0, 0, 0, 0, 2]]
            let items = try serials.map {
                try signer.sign(batch: batch.signed.body.batch, issued: village.today, serial: $0)
            }
            try await village.audited(
                items.map { item in
                    """
                    INSERT INTO code (village_id, batch_number, serial, cooperative_id, key_id, issued_on, signature)
                    SELECT village_id, number, \(item.body.serial ?? []), cooperative_id,
                        \(Int(item.body.keyID.value)), \(item.body.issued), \(item.signature) FROM batch
                    """
                })
            for item in items { #expect(try await village.answer(item.payload) == .genuine) }
            try await village.change(CodeStore.revoke(batch: batch.batch, serial: serials[0], reason: "标签丢失"))
            #expect(try await village.answer(items[0].payload) == .revoked)
            #expect(try await village.answer(items[1].payload) == .genuine)
            #expect(try await village.answer(batch.payload) == .genuine)
            try await village.change(CodeStore.revoke(batch: batch.batch, reason: "标签丢失"))
            #expect(try await village.answer(items[1].payload) == .revoked)
            #expect(try await village.answer(batch.payload) == .revoked)
        }
    }
}

@Suite struct RevocationTests {
    @Test func `a revoked code says so, and once is enough`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let code = try await village.register(village.harvest())
            let other = try await village.register(village.harvest())
            try await village.change(
                CodeStore.revoke(batch: code.batch, reason: "标签丢失"), as: village.clerk(of: orchard.east))
            #expect(try await village.answer(code.payload) == .revoked)
            #expect(try await village.answer(other.payload) == .genuine)
            let again = try await refusal { try await village.change(CodeStore.revoke(batch: code.batch, reason: "x")) }
            #expect(again?.code == "already-revoked")
            let store = CodeStore(village.database, keys: village.keys)
            #expect(try await store.show(batch: code.batch, village.committee).revoked)
            #expect(try await store.export(village.committee, limit: 10).map(\.batch) == [other.batch])
        }
    }

    @Test func `only who owns the batch revokes, and gives a reason`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let code = try await village.register(village.harvest())
            let west = village.clerk(of: orchard.west)
            for plan in [
                CodeStore.revoke(batch: code.batch, reason: "x"),
                CodeStore.recall(batch: code.batch, open: true, reason: "x"),
            ] {
                let refused = try await refusal { try await village.change(plan, as: west) }
                #expect(refused?.kind == .notFound)
            }
            for reason in ["", " ", String(repeating: "x", count: 1001)] {
                let revoked = try await refusal {
                    try await village.change(CodeStore.revoke(batch: code.batch, reason: reason))
                }
                #expect(revoked?.code == "reason-missing")
            }
            let item = try await refusal {
                try await village.change(CodeStore.revoke(batch: code.batch, serial: [1, 2, 3, 4, 5], reason: "x"))
            }
            #expect(item?.kind == .notFound)
            #expect(try await village.answer(code.payload) == .genuine)
        }
    }

    private func recall(_ village: TestVillage, _ batch: Int64, open: Bool) async throws {
        try await village.change(CodeStore.recall(batch: batch, open: open, reason: "抽检"))
    }

    @Test func `a recall is opened, ended and opened again`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            let early = try await refusal { try await recall(village, code.batch, open: false) }
            #expect(early?.code == "no-recall")
            for _ in 0..<2 {
                try await recall(village, code.batch, open: true)
                #expect(try await village.answer(code.payload) == .recalled)
                let twice = try await refusal { try await recall(village, code.batch, open: true) }
                #expect(twice?.code == "recall-open")
                try await recall(village, code.batch, open: false)
                #expect(try await village.answer(code.payload) == .genuine)
            }
        }
    }

    @Test func `a recall reaches what was made from the batch`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let bad = try await village.register(village.harvest())
            let good = try await village.register(village.harvest())
            let blend = try await village.derive(from: [bad.batch, good.batch])
            let packed = try await village.derive(from: [blend], kind: .packed)
            let apart = try await village.derive(from: [good.batch], kind: .regraded)
            let store = CodeStore(village.database, keys: village.keys)
            var payloads: [Int64: String] = [:]
            for batch in [bad.batch, good.batch, blend, packed, apart] {
                payloads[batch] = try await store.show(batch: batch, village.committee).payload
            }
            try await recall(village, bad.batch, open: true)
            for (batch, payload) in payloads {
                let expected: Answer = [bad.batch, blend, packed].contains(batch) ? .recalled : .genuine
                #expect(try await village.answer(payload) == expected)
            }
            try await recall(village, blend, open: true)
            try await recall(village, bad.batch, open: false)
            for (batch, payload) in payloads {
                let expected: Answer = [blend, packed].contains(batch) ? .recalled : .genuine
                #expect(try await village.answer(payload) == expected)
            }
        }
    }

    @Test func `revoked comes before recalled`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            try await recall(village, code.batch, open: true)
            try await village.change(CodeStore.revoke(batch: code.batch, reason: "x"))
            #expect(try await village.answer(code.payload) == .revoked)
        }
    }

    @Test func `a revocation by another process is seen at once`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            // Untold, it would go on answering genuine for an hour.
            let verification = Verification(
                CodeRegister(village.database, memory: .seconds(3600)), keys: village.keys, clock: village.clock.clock)
            let watching = try await village.atNews { verification.forget() }
            defer { watching.cancel() }
            let other = village.another()
            for _ in 0..<3 {
                let code = try await village.register(village.harvest())
                #expect(try await verification.verify(code.payload).answer == .genuine)
                _ = try await other.change(village.committee, CodeStore.revoke(batch: code.batch, reason: "标签丢失"))
                try await awaitCondition("the revocation") {
                    try await verification.verify(code.payload).answer == .revoked
                }
            }
            await other.close()
        }
    }

    @Test func `a key that another process makes is known at once`() async throws {
        try await withVillage { village in
            let watching = try await village.atNews { try? await village.keys.reload() }
            defer { watching.cancel() }
            let other = village.another()
            let keys = try await village.anotherKeyRing(other)
            let id = try await keys.create(.sm2, other, village.committee)
            try await awaitCondition("the key") { village.keys[id] != nil }
            #expect(try village.keys.signer().keyID == id, "the newest signs")
            await other.close()
        }
    }

    @Test(arguments: [
        ("PAYLOAD", nil), ("https://trace.example.cn/PAYLOAD", nil), ("HTTPS://TRACE.EXAMPLE.CN/PAYLOAD?from=wx", nil),
        (" old.example.cn/PAYLOAD ", nil), ("https://trace.example.cn:443/PAYLOAD", nil), ("/PAYLOAD", nil),
        ("http://other.cn/PAYLOAD", "other.cn"), ("other.cn/PAYLOAD#trace.example.cn/", "other.cn"),
        ("https://trace.example.cn.evil.cn/PAYLOAD", "trace.example.cn.evil.cn"),
        ("https://trace.example.cn@evil.cn/PAYLOAD", "trace.example.cn@evil.cn"),
        ("https://evil.cn\\@trace.example.cn/PAYLOAD", "evil.cn\\@trace.example.cn"),
        ("https:/evil.cn/PAYLOAD", "evil.cn"), ("//evil.cn/trace.example.cn/PAYLOAD", "evil.cn"),
        ("https://trace.example.cn:444/PAYLOAD", "trace.example.cn:444"),
    ])
    func `an address that is none of ours is told, whatever follows it`(text: String, host: String?) throws {
        let ours = try Set(["trace.example.cn", "old.example.cn"].map(Origin.init(_:)))
        #expect(CodeRules.foreignHost(in: text, ours: ours) == host)
    }
}
