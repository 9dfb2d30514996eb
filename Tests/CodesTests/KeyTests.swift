import Batches
import Codes
import Database
import Kernel
import Signing
import TestSupport
import Testing

/// The fates of signing keys.
@Suite struct KeyTests {
    @Test func `a retired key goes on verifying and signs no more`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let old = try await village.register(village.harvest())
            let first = old.signed.body.keyID
            let second = try await village.keys.create(.ed25519, village.database, village.committee)
            try await village.change(SigningKeyStore.retire(first, today: village.today))
            try await village.keys.reload()
            #expect(village.keys[first]?.retiredOn == village.today)
            let new = try await village.register(village.harvest())
            #expect(new.signed.body.keyID == second)
            #expect(try await village.answer(old.payload) == .genuine)
            #expect(try await village.answer(new.payload) == .genuine)
            // Retiring it later does not move the day.
            try await village.change(SigningKeyStore.retire(first, today: village.today.adding(days: 5)))
            try await village.keys.reload()
            #expect(village.keys[first]?.retiredOn == village.today)
        }
    }

    @Test func `a compromised key's codes are genuine online and unknown offline`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            let id = code.signed.body.keyID
            try await village.change(SigningKeyStore.compromise(id, since: village.today, today: village.today))
            try await village.keys.reload()
            #expect(try await village.answer(code.payload) == .genuine)
            let origin = village.keys.origin
            let verifier = Verifier(origin: origin) { wanted in
                village.keys[wanted].map { KnownKey($0.publicKey, isCompromised: $0.compromisedSince != nil) }
            }
            #expect(verifier.check(code.payload) == .unknownKey)
            let refused = try await refusal { try village.keys.signer() }
            #expect(refused?.code == "no-signing-key")
            // What the thief makes is not in the register.
            let stolen = try await village.register(village.harvestWithNewKey())
            #expect(stolen.signed.body.keyID != id)
        }
    }

    @Test func `a compromise moves back in time only`() async throws {
        try await withVillage { village in
            let id = try village.keys.signer().keyID
            let today = village.today
            let future = try await refusal {
                try await village.change(
                    SigningKeyStore.compromise(id, since: today.adding(days: 1), today: today))
            }
            #expect(future?.code == "day-in-future")
            for (day, expected) in [(-5, -5), (-9, -9), (-2, -9)] {
                try await village.change(
                    SigningKeyStore.compromise(id, since: today.adding(days: day), today: today))
                try await village.keys.reload()
                #expect(village.keys[id]?.compromisedSince == today.adding(days: expected))
            }
            let unknown = KeyID(id.value &+ 1)
            for plan in [
                SigningKeyStore.retire(unknown, today: today),
                SigningKeyStore.compromise(unknown, since: today, today: today),
            ] {
                let refused = try await refusal { try await village.change(plan) }
                #expect(refused?.code == "unknown-key")
            }
        }
    }

    @Test func `an SM2 key signs, verifies and is stored`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let id = try await village.keys.create(.sm2, village.database, village.committee)
            #expect(village.keys[id]?.publicKey.algorithm == .sm2)
            let code = try await village.register(village.harvest())
            #expect(code.signed.body.keyID == id)
            #expect(try await village.answer(code.payload) == .genuine)
            let stored = try await CodeStore(village.database, keys: village.keys).show(
                batch: code.batch, village.committee)
            #expect(stored.payload == code.payload, "SM2 signatures are random, so the register holds this one")
            let key = try #require(village.keys[id])
            let offline = CodeRules.verifyOffline(
                code.payload, keys: [key.publicKey], origin: village.keys.origin, today: village.today)
            #expect(offline.answer == .signed)
            var signature = code.signed.signature
            signature[40] ^= 8
            #expect(
                try await village.answer(SignedCode(body: code.signed.body, signature: signature).payload) == .forged)
        }
    }

    @Test func `a private key from elsewhere signs`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let key = try PrivateKey.generate(.ed25519)
            let passphrase = try Passphrase("from elsewhere")
            let pem = try key.encryptedPEM(passphrase: passphrase.bytes)
            let wrong = try await refusal {
                try await village.keys.adopt(
                    pem: pem, passphrase: Passphrase("wrong"), village.database, village.committee)
            }
            #expect(wrong?.code == "wrong-passphrase")
            let id = try await village.keys.adopt(
                pem: pem, passphrase: passphrase, village.database, village.committee)
            let code = try await village.register(village.harvest())
            #expect(code.signed.body.keyID == id)
            #expect(try await village.answer(code.payload) == .genuine)
        }
    }

    @Test func `no private key is in the database`() async throws {
        try await withVillage { village in
            let key = try PrivateKey.generate(.ed25519)
            let pem = try key.encryptedPEM(passphrase: Array("x".utf8))
            _ = try await village.keys.adopt(
                pem: pem, passphrase: Passphrase("x"), village.database, village.committee)
            #expect(try await village.holds("PRIVATE KEY") == [])
            let der = key.publicKey.der
            #expect(try await village.number("SELECT count(*) FROM signing_key WHERE public_key = \(der)") == 1)
        }
    }

    @Test func `a code says nothing good under another origin`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            let key = try #require(village.keys[code.signed.body.keyID])
            let here = CodeRules.verifyOffline(
                code.payload, keys: [key.publicKey], origin: village.keys.origin, today: village.today)
            #expect(here.answer == .signed)
            let elsewhere = CodeRules.verifyOffline(
                code.payload, keys: [key.publicKey], origin: try Origin("other.example.cn"), today: village.today)
            // The key's id is another one there.
            #expect(elsewhere.answer == .unknownKey)
        }
    }
}

extension TestVillage {
    /// A harvest, after a new key was made to sign it.
    fileprivate func harvestWithNewKey() async throws -> Harvest {
        _ = try await keys.create(.ed25519, database, committee)
        return harvest()
    }
}
