import Access
import Database
import Foundation
import Kernel
import Postgres
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
        let plan = try await store(village).create(
            username: username, password: password, role: role, cooperative: cooperative, village: 1)
        try await village.change(plan)
        return username
    }

    private func signIn(_ village: TestVillage, _ username: String, _ password: String) async throws -> Person? {
        try await credential(village, username, password)?.person
    }

    private func credential(
        _ village: TestVillage, _ username: String = "li", _ password: String = password
    ) async throws -> AccountStore.Credential? {
        try await store(village).authenticate(username: username, password: password, village: 1)
    }

    private func setPassword(_ village: TestVillage, _ username: String, _ password: String) async throws {
        let plan = try await store(village).setPassword(username: username, password: password, village: 1)
        #expect(try await village.change(plan) == false)
    }

    private func open(_ village: TestVillage, _ credential: AccountStore.Credential) async throws -> String {
        try await village.change(TokenStore.open(for: credential, hours: 12, now: village.clock.now)).text
    }

    private func person(_ village: TestVillage, _ token: String) async throws -> Person? {
        try await TokenStore(village.database).person(secret: token, village: 1, now: village.clock.now)
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
            try await create(village)
            let changed = try await refusal { try await setPassword(village, "li", password) }
            #expect(changed?.code == "bad-password")
        }
    }

    @Test func `a password of 200 characters is used to its end`() async throws {
        try await withVillage { village in
            let long = String(repeating: "桃红柳绿杏白", count: 33) + "桃李"
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
            let token = try await open(village, try #require(try await credential(village)))
            #expect(try await person(village, token)?.name == "account:li")
            try await village.change(store(village).disable(username: "li"))
            #expect(try await signIn(village, "li", Self.password) == nil)
            #expect(try await person(village, token) == nil)
            #expect(try await store(village).list(village: 1).first?.disabledAt != nil)
        }
    }

    @Test func `a new password ends what the old one opened`() async throws {
        try await withVillage { village in
            try await create(village)
            try await create(village, "wang")
            var tokens: [String: String] = [:]
            for name in ["li", "wang"] {
                tokens[name] = try await open(village, try #require(try await credential(village, name)))
            }
            try await setPassword(village, "li", "another password")
            #expect(try await signIn(village, "li", Self.password) == nil)
            #expect(try await signIn(village, "li", "another password") != nil)
            for (name, isOpen) in [("li", false), ("wang", true)] {
                let person = try await person(village, try #require(tokens[name]))
                #expect((person != nil) == isOpen, "\(name)")
            }
        }
    }

    /// The password is looked at, then changed, then the session would be opened.
    @Test func `a sign-in under way doesn't survive what ends the account's sessions`() async throws {
        try await withVillage { village in
            for name in ["li", "wang", "zhao"] { try await create(village, name) }
            let changed = try #require(try await credential(village))
            try await setPassword(village, "li", "another password")
            let shut = try #require(try await credential(village, "wang"))
            try await village.change(store(village).disable(username: "wang"))
            let own = try #require(try await credential(village, "zhao"))
            let plan = try await store(village).changePassword(of: own, to: "a third one of them", keeping: nil)
            try await village.change(plan)
            for credential in [changed, shut, own] {
                let refused = try await refusal { try await open(village, credential) }
                #expect(refused?.code == "wrong-password")
            }
            #expect(try await village.number("SELECT count(*) FROM api_token") == 0)
        }
    }

    /// At the same moment: the session is either seen and ended, or not opened.
    @Test func `no session of the old password is open after a change, whoever was faster`() async throws {
        try await withVillage { village in
            try await create(village)
            for turn in 0..<6 {
                let credential = try #require(
                    try await credential(village, "li", turn == 0 ? Self.password : "a new one, \(turn)"))
                let plan = try await store(village).setPassword(
                    username: "li", password: "a new one, \(turn + 1)", village: 1)
                let tokens = try await withThrowingTaskGroup { group in
                    for _ in 0..<4 { group.addTask { try? await open(village, credential) } }
                    group.addTask {
                        try await village.change(plan)
                        return nil
                    }
                    return try await group.reduce(into: [String]()) { if let token = $1 { $0.append(token) } }
                }
                for token in tokens { #expect(try await person(village, token) == nil, "turn \(turn)") }
            }
        }
    }

    /// The statement itself, when the plan has looked before the change and writes after it.
    @Test func `the row of a session is written only for the password that was looked at`() async throws {
        try await withVillage { village in
            try await create(village)
            let credential = try #require(try await credential(village))
            let scope = village.committee
            let change = try await village.database.transaction(scope) { transaction in
                try await TokenStore.open(for: credential, hours: 12, now: village.clock.now)(transaction, scope)
            }
            try await setPassword(village, "li", "another password")
            let error = try await postgresError {
                try await village.database.transaction(scope) { _ = try await change.write(in: $0, scope) }
            }
            #expect(error?.constraint == SQL.rowsTouched)
        }
    }

    @Test func `one changes one's own password, and one's other sessions end`() async throws {
        try await withVillage { village in
            try await create(village)
            let credential = try #require(try await credential(village))
            let (here, there) = (try await open(village, credential), try await open(village, credential))
            let me = try #require(try await person(village, here))
            let plan = try await store(village).changePassword(
                of: credential, to: "another password", keeping: me.token)
            try await village.change(plan)
            #expect(try await person(village, here) != nil)
            #expect(try await person(village, there) == nil)
            #expect(try await signIn(village, "li", "another password") != nil)
            let again = try await refusal { try await village.change(plan) }
            #expect(again?.code == "wrong-password", "of a password that is no longer the present one")
        }
    }

    @Test func `one signs out, and only of one's session`() async throws {
        try await withVillage { village in
            try await create(village)
            let credential = try #require(try await credential(village))
            let (here, there) = (try await open(village, credential), try await open(village, credential))
            try await village.change(
                TokenStore.signOut(try #require(try await person(village, here)), now: village.clock.now))
            #expect(try await person(village, here) == nil)
            #expect(try await person(village, there) != nil)
            let made = try await village.change(
                TokenStore.create(
                    name: "打印机", role: .auditor, cooperative: nil, days: 1, maker: nil, now: village.clock.now))
            let printer = try #require(try await person(village, made.text))
            let refused = try await refusal {
                try await village.change(TokenStore.signOut(printer, now: village.clock.now))
            }
            #expect(refused?.code == "no-session")
        }
    }

    @Test func `a token ends with the account that made it, and so does what that token made`() async throws {
        try await withVillage { village in
            try await create(village, role: .administrator)
            let me = try #require(try await credential(village)).person
            func make(by maker: Int?) async throws -> String {
                try await village.change(
                    TokenStore.create(
                        name: "打印机", role: .administrator, cooperative: nil, days: 1, maker: maker,
                        now: village.clock.now)
                ).text
            }
            let first = try await make(by: me.account)
            let second = try await make(by: try #require(try await person(village, first)).account)
            let local = try await make(by: nil)
            let listed = try await TokenStore(village.database).list(village: 1)
            #expect(listed.map(\.madeBy) == ["li", "li", nil])
            try await village.change(store(village).disable(username: "li"))
            for token in [first, second] { #expect(try await person(village, token) == nil) }
            #expect(try await person(village, local) != nil)
            let after = try await TokenStore(village.database).list(village: 1)
            #expect(after.map { $0.revokedAt != nil } == [true, true, false])
        }
    }

    @Test func `a disabled account is opened again, and nothing that ended with it`() async throws {
        try await withVillage { village in
            try await create(village)
            let session = try await open(village, try #require(try await credential(village)))
            let me = try #require(try await person(village, session))
            let token = try await village.change(
                TokenStore.create(
                    name: "打印机", role: .auditor, cooperative: nil, days: 1, maker: me.account, now: village.clock.now)
            ).text
            let early = try await refusal { try await village.change(store(village).enable(username: "li")) }
            #expect(early?.code == "not-disabled" && early?.kind == .conflict)
            try await village.change(store(village).disable(username: "li"))
            let plan = try await store(village).setPassword(username: "li", password: "another password", village: 1)
            #expect(try await village.change(plan), "a new password opens nothing")
            #expect(try await signIn(village, "li", "another password") == nil)
            try await village.change(store(village).enable(username: "LI"))
            #expect(try await signIn(village, "li", "another password") != nil)
            for ended in [session, token] { #expect(try await person(village, ended) == nil) }
            let told = try await AuditStore(village.database).list(village.committee)
            #expect(told.first?.kind == "account.enable" && told.first?.subject == "li")
        }
    }

    @Test func `wrong passwords are told at the first and whenever they have doubled, of accounts only by name`()
        async throws
    {
        try await withVillage { village in
            try await create(village)
            for guesses in 1...9 {
                try await store(village).tell(guesses: guesses, of: "LI", village: 1)
            }
            try await store(village).tell(guesses: 1, of: "correct.horse", village: 1)
            let told: [AuditEntry] = try await AuditStore(village.database).list(village.committee)
                .filter { $0.kind == "session.guess" }
            #expect(told.map(\.subject) == ["?", "li", "li", "li", "li"])
            #expect(told.map(\.figures).last == #"{"guesses": 1}"#)
            #expect(told.map(\.figures).dropFirst().first == #"{"guesses": 8}"#)
        }
    }

    @Test func `an account that is not there can't be changed`() async throws {
        try await withVillage { village in
            for plan in [
                try await store(village).setPassword(username: "li", password: Self.password, village: 1)
            ] {
                let refused = try await refusal { try await village.change(plan) }
                #expect(refused?.code == "no-such-account")
            }
            for plan in [store(village).disable(username: "li"), store(village).enable(username: "li")] {
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
