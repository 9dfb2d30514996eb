import Access
import Database
import Foundation
import Kernel
import Orchard
import Signing
import TestSupport
import Testing

@Suite struct TokenTests {
    private func make(
        _ village: TestVillage, role: Role = .auditor, cooperative: String? = nil, days: Int = 30
    ) async throws -> TokenSecret {
        try await village.change(
            TokenStore.create(
                name: "打印机", role: role, cooperative: cooperative, days: days, maker: nil, now: village.clock.now))
    }

    private func person(_ village: TestVillage, _ secret: TokenSecret) async throws -> Person? {
        try await TokenStore(village.database).person(secret: secret.text, village: 1, now: village.clock.now)
    }

    @Test func `a token tells who shows it`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let secret = try await make(village, role: .clerk, cooperative: TestOrchard.eastName)
            let person = try #require(try await person(village, secret))
            #expect(person.role == .clerk)
            #expect(person.cooperative == orchard.east)
            #expect(person.name.hasPrefix("token:"))
            #expect(secret.text.hasPrefix("taoyuan_"))
            #expect(Base64URL.decode(String(secret.text.dropFirst(8)))?.count == 32)
            #expect(try await make(village).text != secret.text)
        }
    }

    @Test func `clerks of both spellings of a cooperative act for both as soon as they are merged`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let authentication = Authentication(
                village.database, village: 1, clock: village.clock.clock, memory: .seconds(3600))
            let watch = try await village.atNews { authentication.forget() }
            defer { watch.cancel() }
            var tokens: [String] = []
            for name in [TestOrchard.eastName, TestOrchard.westName] {
                tokens.append(try await make(village, role: .clerk, cooperative: name).text)
            }
            func scopes() async throws -> [Scope] {
                var scopes: [Scope] = []
                for token in tokens { scopes.append(try await authentication.person(token: token).scope) }
                return scopes
            }
            #expect(try await scopes().map(\.cooperative) == [orchard.east, orchard.west])
            #expect(try await scopes().map(\.spellings) == [[], []])
            try await village.change(
                NameMerge.merge(.cooperative, from: TestOrchard.eastName, to: TestOrchard.westName))
            try await awaitCondition("the merge") { try await scopes().map(\.spellings) != [[], []] }
            #expect(try await scopes().map(\.cooperative) == [orchard.west, orchard.west])
            #expect(try await scopes().map(\.spellings) == [[orchard.east], [orchard.east]])
        }
    }

    @Test func `a token ends with its last second`() async throws {
        try await withVillage { village in
            let secret = try await make(village, days: 2)
            village.clock.advance(seconds: 2 * 86_400 - 1)
            #expect(try await person(village, secret) != nil)
            village.clock.advance(seconds: 1)
            #expect(try await person(village, secret) == nil)
        }
    }

    @Test(arguments: [0, -1, 3651, Int.max]) func `a token's days are few`(days: Int) async throws {
        try await withVillage { village in
            let refused = try await refusal { try await make(village, days: days) }
            #expect(refused?.code == "out-of-range")
            #expect(refused?.field == "days")
        }
    }

    @Test func `a clerk's token has a cooperative and no other has`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let found1 = try await refusal { try await make(village, role: .clerk) }
            #expect(found1?.field == "cooperative")
            let refused = try await refusal { try await make(village, role: .desk, cooperative: TestOrchard.eastName) }
            #expect(refused?.code == "role-without-cooperative")
            let unknown = try await refusal { try await make(village, role: .clerk, cooperative: "北社") }
            #expect(unknown?.message.en == "there is no cooperative “北社”; there are: 东社, 西社")
        }
    }

    @Test func `no table holds a token in clear`() async throws {
        try await withVillage { village in
            let secret = try await make(village)
            #expect(try await village.holds("打印机") == ["api_token", "event"], "the search finds what is there")
            #expect(try await village.holds(secret.text) == [])
            #expect(try await village.holds(String(secret.text.dropFirst(8))) == [])
            let hash = Digest.sha256(Array(secret.text.utf8))
            #expect(try await village.number("SELECT count(*) FROM api_token WHERE token_hash = \(hash)") == 1)
        }
    }

    @Test func `a revocation by another process is seen at once`() async throws {
        try await withVillage { village in
            let secret = try await make(village)
            let id = try #require(try await TokenStore(village.database).list(village: 1).first?.id)
            // Untold, it would go on taking the token for an hour.
            let authentication = Authentication(
                village.database, village: 1, clock: village.clock.clock, memory: .seconds(3600))
            let watch = try await village.atNews { authentication.forget() }
            defer { watch.cancel() }
            #expect(try await authentication.person(token: secret.text).role == .auditor)
            let other = village.another()
            _ = try await other.change(village.committee, TokenStore.revoke(id: id, now: village.clock.now))
            try await awaitCondition("the revocation") {
                try await refusal { try await authentication.person(token: secret.text) } != nil
            }
            let refused = try await refusal { try await authentication.person(token: secret.text) }
            #expect(refused?.kind == .unauthenticated)
            await other.close()
        }
    }

    @Test func `a token is remembered for a moment, and forgotten when told`() async throws {
        try await withVillage { village in
            let secret = try await make(village)
            let authentication = Authentication(village.database, village: 1, clock: village.clock.clock)
            _ = try await authentication.person(token: secret.text)
            village.clock.advance(seconds: 31 * 86_400)
            authentication.forget()
            let refused = try await refusal { try await authentication.person(token: secret.text) }
            #expect(refused?.code == "invalid-token")
        }
    }

    private static let zero = "taoyuan_AAAA\u{0}"

    @Test(arguments: ["", "taoyuan_", "x", zero, String(repeating: "a", count: 100_000)])
    func `what is no token is refused`(text: String) async throws {
        try await withVillage { village in
            let authentication = Authentication(village.database, village: 1, clock: village.clock.clock)
            let refused = try await refusal { try await authentication.person(token: text) }
            #expect(refused?.kind == .unauthenticated)
        }
    }

    @Test func `revoking what is not there is refused`() async throws {
        try await withVillage { village in
            let refused = try await refusal {
                try await village.change(TokenStore.revoke(id: Identifier(99), now: village.clock.now))
            }
            #expect(refused?.kind == .notFound)
        }
    }

    @Test func `every role is read by its names`() throws {
        for role in Role.allCases {
            #expect(try Role(named: role.rawValue) == role)
            #expect(try Role(named: role.rawValue.uppercased()) == role)
            #expect(try Role(named: role.label.zh) == role)
        }
        #expect(throws: Refusal.self) { try Role(named: "owner") }
    }

    @Test func `the audit is the committee's to read`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            try await village.register(village.harvest(), as: village.clerk(of: orchard.east))
            let store = AuditStore(village.database)
            let entries = try await store.list(village.committee)
            #expect(entries.first?.kind == "batch.register")
            #expect(entries.first?.actor == village.clerk(of: orchard.east).actor)
            #expect(try await store.list(village.clerk(of: orchard.east)).isEmpty)
            let older = try await store.list(village.committee, before: try #require(entries.first?.id.value))
            #expect(older.map(\.id) == entries.dropFirst().map(\.id))
            let actor = village.clerk(of: orchard.east).actor
            for (filter, count) in [
                (AuditFilter(actor: actor), 1), (AuditFilter(kind: "batch"), 1),
                (AuditFilter(kind: "batch.register"), 1),
                (AuditFilter(kind: "bat"), 0), (AuditFilter(actor: actor, subject: entries.first?.subject), 1),
                (AuditFilter(actor: actor, subject: "nothing"), 0), (AuditFilter(actor: "nobody"), 0),
            ] {
                #expect(try await store.list(village.committee, filter).count == count, "\(filter)")
            }
            let day = CivilDay(of: try #require(entries.first?.at))
            #expect(try await store.list(village.committee, AuditFilter(from: day, to: day)).count == entries.count)
            #expect(try await store.list(village.committee, AuditFilter(from: day.adding(days: 1))).isEmpty)
            #expect(try await store.list(village.committee, AuditFilter(to: day.adding(days: -1))).isEmpty)
        }
    }
}
