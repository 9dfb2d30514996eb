import Access
import Database
import Foundation
import Kernel
import TestSupport
import Testing

@Suite struct AccountTests {
    private static let password = "correct horse battery"

    private func store(_ village: TestVillage) -> AccountStore {
        AccountStore(village.database, hasher: PasswordHasher())
    }

    @discardableResult
    private func create(
        _ village: TestVillage, _ username: String = "li", password: String = password, role: Role = .committee,
        cooperative: String? = nil
    ) async throws -> String {
        try await village.change(
            store(village).create(username: username, password: password, role: role, cooperative: cooperative))
        return username
    }

    private func signIn(_ village: TestVillage, _ username: String, _ password: String) async throws -> Person? {
        try await store(village).authenticate(username: username, password: password, village: village.village.id)?.1
    }

    @Test func `the right password opens the account and no other does`() async throws {
        try await withVillage { village in
            try await create(village)
            let person = try #require(try await signIn(village, "li", Self.password))
            #expect(person.name == "account:li")
            #expect(person.role == .committee)
            #expect(person.cooperative == nil)
            #expect(try await signIn(village, "LI", Self.password) == person)
            for wrong in ["", "correct horse batter", "correct horse battery ", "Correct horse battery", Self.zero] {
                #expect(try await signIn(village, "li", wrong) == nil)
            }
            #expect(try await signIn(village, "wang", Self.password) == nil)
        }
    }

    @Test func `a password has one meaning however its characters are composed`() async throws {
        try await withVillage { village in
            // é composed, decomposed; full-width letters are their plain forms.
            try await create(village, password: "caf\u{E9} 桃源 1234")
            #expect(try await signIn(village, "li", "cafe\u{301} 桃源 1234") != nil)
            #expect(try await signIn(village, "li", "caf\u{E9} 桃源 １２３４") != nil)
            #expect(try await signIn(village, "li", "cafe 桃源 1234") == nil)
        }
    }

    private static let zero = "a\u{0}bcdefghijkl"

    @Test(arguments: ["short", "123456789", String(repeating: "x", count: 201), zero])
    func `a password that is too short, too long or has a zero is refused`(password: String) async throws {
        try await withVillage { village in
            let refused = try await refusal { try await create(village, password: password) }
            #expect(refused?.code == "bad-password")
            #expect(refused?.field == "password")
            try await create(village, password: "1234567890")
            let changed = try await refusal {
                try await village.change(store(village).setPassword(username: "li", password: password))
            }
            #expect(changed?.code == "bad-password")
        }
    }

    @Test func `a password of 200 characters is used to its end`() async throws {
        try await withVillage { village in
            let long = String(repeating: "桃", count: 200)
            try await create(village, password: long)
            #expect(try await signIn(village, "li", long) != nil)
            #expect(try await signIn(village, "li", String(long.dropLast())) == nil)
            #expect(try await signIn(village, "li", long + "x") == nil)
        }
    }

    @Test(arguments: ["a", "", "-li", ".li", "li wang", "李", "li@x", String(repeating: "a", count: 41), "li\n"])
    func `a username that is none is refused`(username: String) async throws {
        try await withVillage { village in
            let refused = try await refusal { try await create(village, username) }
            #expect(refused?.code == "bad-username")
            #expect(refused?.field == "username")
        }
    }

    @Test func `usernames are kept in lower case and once`() async throws {
        try await withVillage { village in
            try await create(village, "Li.Wang-2_x")
            let names = try await store(village).list(village: village.village.id).map(\.username)
            #expect(names == ["li.wang-2_x"])
            let refused = try await refusal { try await create(village, "LI.WANG-2_X") }
            #expect(refused?.code == "username-taken")
            #expect(refused?.kind == .conflict)
        }
    }

    @Test func `a clerk has a cooperative and nobody else has`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let found1 = try await refusal { try await create(village, role: .clerk) }
            #expect(found1?.code == "missing-field")
            for role in Role.allCases where role != .clerk {
                let refused = try await refusal {
                    try await create(village, role: role, cooperative: TestOrchard.eastName)
                }
                #expect(refused?.code == "role-without-cooperative")
                #expect(refused?.field == "cooperative")
            }
            let unknown = try await refusal { try await create(village, role: .clerk, cooperative: "北社") }
            #expect(unknown?.code == "no-such-cooperative")
            try await create(village, role: .clerk, cooperative: TestOrchard.westName)
            let person = try #require(try await signIn(village, "li", Self.password))
            #expect(person.cooperative == orchard.west)
            #expect(person.scope == Scope(village: 1, cooperative: orchard.west, actor: "account:li"))
        }
    }

    /// The constraint, should a caller forget.
    @Test func `the database itself refuses a clerk without a cooperative`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            for (role, cooperative) in [("clerk", nil), ("committee", orchard.east)] as [(String, Int?)] {
                let error = try await postgresError {
                    try await village.database.query(
                        """
                        INSERT INTO account (village_id, username, password_salt, password_hash, role, cooperative_id)
                        VALUES (1, 'li', \([UInt8](repeating: 0, count: 16)), \([UInt8](repeating: 0, count: 32)),
                            \(role), \(cooperative))
                        """, village.committee)
                }
                #expect(error?.constraint == "account_clerk_has_cooperative")
            }
        }
    }

    @Test func `a disabled account opens no more, nor do its sessions`() async throws {
        try await withVillage { village in
            try await create(village)
            let (id, person) = try #require(
                try await store(village).authenticate(username: "li", password: Self.password, village: 1))
            let secret = try await village.change(
                TokenStore.open(for: id, person, hours: 12, now: village.clock.now))
            let tokens = TokenStore(village.database)
            #expect(try await tokens.person(secret: secret.text, village: 1, now: village.clock.now) == person)
            try await village.change(store(village).disable(username: "li"))
            #expect(try await signIn(village, "li", Self.password) == nil)
            #expect(try await tokens.person(secret: secret.text, village: 1, now: village.clock.now) == nil)
            #expect(try await store(village).list(village: 1).first?.disabledAt != nil)
        }
    }

    @Test func `a new password ends what the old one opened`() async throws {
        try await withVillage { village in
            try await create(village)
            try await create(village, "wang")
            var secrets: [String: String] = [:]
            for name in ["li", "wang"] {
                let (id, person) = try #require(
                    try await store(village).authenticate(username: name, password: Self.password, village: 1))
                secrets[name] = try await village.change(
                    TokenStore.open(for: id, person, hours: 12, now: village.clock.now)
                ).text
            }
            try await village.change(store(village).setPassword(username: "li", password: "another password"))
            #expect(try await signIn(village, "li", Self.password) == nil)
            #expect(try await signIn(village, "li", "another password") != nil)
            let tokens = TokenStore(village.database)
            for (name, isOpen) in [("li", false), ("wang", true)] {
                let secret = try #require(secrets[name])
                let person = try await tokens.person(secret: secret, village: 1, now: village.clock.now)
                #expect((person != nil) == isOpen, "\(name)")
            }
        }
    }

    @Test func `an account that is not there can't be changed`() async throws {
        try await withVillage { village in
            for plan in [
                store(village).setPassword(username: "li", password: Self.password),
                store(village).disable(username: "li"),
            ] {
                let refused = try await refusal { try await village.change(plan) }
                #expect(refused?.code == "no-such-account")
                #expect(refused?.kind == .notFound)
            }
        }
    }

    @Test func `neither passwords nor their plain hashes are kept`() async throws {
        try await withVillage { village in
            try await create(village)
            try await create(village, "wang")
            let rows = try await village.owner.query("SELECT password_salt, password_hash FROM account")
            let hashes = try rows.map { try $0.decode("password_hash", as: [UInt8].self) }
            #expect(Set(hashes).count == 2, "equal passwords have equal hashes")
            #expect(try await village.holds(Self.password) == [])
        }
    }
}
