import Access
import Database
import Foundation
import Kernel
import Postgres
import Registers
import TestSupport
import Testing

/// What is under way when its token or account ends.
@Suite struct AdmissionTests {
    private static let password = "correct horse battery"

    private func store(_ village: TestVillage) -> AccountStore {
        AccountStore(village.database, hasher: PasswordHasher())
    }

    /// The committee's Li, signed in, and a token that Li has made.
    private func people(_ village: TestVillage) async throws -> (session: Person, token: Person) {
        let accounts = store(village)
        try await village.change(
            try await accounts.create(
                username: "li", password: Self.password, role: .committee, cooperative: nil, village: 1))
        let credential = try #require(
            try await accounts.authenticate(username: "li", password: Self.password, village: 1))
        let now = village.clock.now
        let session = try await village.change(TokenStore.open(for: credential, hours: 12, now: now))
        let token = try await village.change(
            TokenStore.create(
                name: "for a program", role: .committee, cooperative: nil, days: 9, maker: credential.person.account,
                now: now))
        let tokens = TokenStore(village.database)
        return (
            try #require(try await tokens.person(secret: session.text, village: 1, now: now)),
            try #require(try await tokens.person(secret: token.text, village: 1, now: now))
        )
    }

    private func recorded(_ village: TestVillage) async throws -> Int64 {
        try await village.number("SELECT count(*) FROM event WHERE kind IN ('test.write', 'import.test')")
    }

    enum Way: CaseIterable { case known, returned, retried }

    /// Records something for a person, and meanwhile does something else.
    private func write(
        _ person: Person, _ way: Way, _ village: TestVillage, during: @escaping @Sendable () async throws -> Void
    ) async throws -> Refusal? {
        let event = Event("test.write", "it")
        let known: Plan<Int> = { _, _ in
            try await during()
            return Change(7, event: event)
        }
        return try await refusal {
            switch way {
            case .known: _ = try await village.database.change(person.scope, known)
            case .returned:
                _ = try await village.database.change(person.scope) { _, _ in
                    try await during()
                    return Change(lastWrites: ["SELECT 7 AS seven"], event: event) { rows in
                        try rows.first?.decode("seven", as: Int.self)
                    }
                }
            case .retried:
                let retry = Retry(key: UUID().uuidString, fingerprint: [1])
                _ = try await village.database.change(person.scope, once: retry, render: { "\($0)" }, known)
            }
        }
    }

    @Test(arguments: Way.allCases)
    func `what its account is shut for meanwhile is not recorded`(way: Way) async throws {
        try await withVillage { village in
            let (session, token) = try await people(village)
            for person in [session, token] { #expect(try await write(person, way, village) {} == nil) }
            #expect(try await recorded(village) == 2)
            let shut: @Sendable () async throws -> Void = {
                try await village.change(store(village).disable(username: "li"))
            }
            for person in [session, token] {
                let refused = try await write(person, way, village, during: shut)
                #expect(refused?.code == "invalid-token" && refused?.kind == .unauthenticated)
            }
            #expect(try await recorded(village) == 2)
        }
    }

    @Test func `what its token is revoked for meanwhile is not recorded, and others go on`() async throws {
        try await withVillage { village in
            let (session, token) = try await people(village)
            let number = try #require(token.token)
            let refused = try await write(token, .known, village) {
                try await village.change(TokenStore.revoke(id: Identifier(Int64(number)), now: village.clock.now))
            }
            #expect(refused?.code == "invalid-token")
            #expect(try await write(session, .known, village) {} == nil)
            #expect(try await recorded(village) == 1)
        }
    }

    @Test func `whoever ends a token or an account of one's own does so`() async throws {
        try await withVillage { village in
            let (session, token) = try await people(village)
            let scope = token.scope
            try await village.database.change(
                scope, TokenStore.revoke(id: Identifier(Int64(try #require(token.token))), now: village.clock.now))
            try await village.database.change(session.scope, store(village).disable(username: "li"))
            #expect(try await TokenStore(village.database).list(village: 1).allSatisfy { $0.revokedAt != nil })
            // A second time there is nobody to do it.
            let refused = try await refusal {
                try await village.database.change(session.scope, store(village).disable(username: "li"))
            }
            #expect(refused?.code == "invalid-token")
        }
    }

    /// Its rows are recorded while its account is being shut.
    private struct Interrupted: RegisterRecorder, Sendable {
        static let columns = [Column("号")]
        static let refusals: [String: Refusal] = [:]
        let created: [Bilingual] = []
        let during: @Sendable () async throws -> Void

        mutating func begin(_ import: ImportContext, in transaction: Transaction, _ scope: Scope) async throws {
            try await during()
        }

        mutating func record(
            _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
        ) async throws -> [RowOutcome] { rows.map { _ in .recorded } }
    }

    @Test func `nor is a register whose import is under way`() async throws {
        try await withVillage { village in
            let (session, _) = try await people(village)
            let kept = try await village.load(lines: ["号", "1"], Interrupted {}, as: session.scope)
            #expect(kept.recorded == 1)
            let refused = try await refusal {
                try await village.load(
                    lines: ["号", "1"],
                    Interrupted { try await village.change(store(village).disable(username: "li")) },
                    as: session.scope)
            }
            #expect(refused?.code == "invalid-token")
            #expect(try await recorded(village) == 1)
        }
    }

    @Test func `a token that is being made while its maker's account is shut ends with it`() async throws {
        try await withVillage { village in
            let (session, _) = try await people(village)
            let plan = TokenStore.create(
                name: "late", role: .auditor, cooperative: nil, days: 9, maker: session.account, now: village.clock.now)
            let shutting = try await village.database.transaction(village.committee) { transaction in
                _ = try await plan(transaction, village.committee).write(in: transaction, village.committee)
                let shutting = Task { try await village.change(store(village).disable(username: "li")) }
                try await awaitCondition("the shutting's wait") {
                    try await village.number("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0
                }
                return shutting
            }
            try await shutting.value
            let open = try await village.number(
                "SELECT count(*) FROM api_token WHERE revoked_at IS NULL AND name = 'late'")
            #expect(open == 0)
        }
    }
}
