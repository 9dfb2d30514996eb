import Database
import Kernel
import Postgres
import Signing

/// Accounts with passwords.
public struct AccountStore: Sendable {
    let database: Database
    let hasher: PasswordHasher

    public init(_ database: Database, hasher: PasswordHasher) {
        self.database = database
        self.hasher = hasher
    }

    /// A password that was right when it was looked at. What follows from it is written only while it still is.
    public struct Credential: Sendable {
        public let person: Person
        let account: Int
        let username: String
        let hash: [UInt8]
    }

    /// - Parameter cooperative: the one that a clerk is bound to; nil for every other role.
    public func create(
        username: String, password: String, role: Role, cooperative: String?, village: Int
    ) async throws -> Plan<Void> {
        let name = try AccountRules.username(username)
        let new = try await hashed(password, of: name, village)
        return { transaction, scope in
            let cooperativeID = try await Self.cooperative(cooperative, of: role, transaction, scope)
            return Change(
                (),
                writes: [
                    """
                    INSERT INTO account (village_id, username, password_salt, password_hash, role, cooperative_id)
                    VALUES (\(scope.village), \(name), \(new.salt), \(new.hash), \(role.rawValue), \(cooperativeID))
                    """
                ],
                refusals: [
                    "account_village_id_username_key": Refusal(
                        .conflict, "username-taken", field: "username", zh: "用户名已被使用；已停用的账号用 account enable 再启用",
                        en: "the username is taken; a disabled account is enabled again by `account enable`")
                ],
                event: Event("account.create", name, .text("role", role.rawValue)))
        }
    }

    /// Sets a new password and ends the sessions that the old one opened.
    /// - Returns: whether the account is shut all the same.
    public func setPassword(username: String, password: String, village: Int) async throws -> Plan<Bool> {
        let name = username.lowercased()
        let new = try await hashed(password, of: name, village)
        return { transaction, scope in
            let (id, isShut) = try await Self.find(name, transaction, scope)
            return Change(
                isShut,
                writes: [
                    """
                    UPDATE account SET password_salt = \(new.salt), password_hash = \(new.hash)
                    WHERE village_id = \(scope.village) AND id = \(id)
                    """
                ] + Self.endSessions(of: id, scope), event: Event("account.password", name)
            ).endingTokens
        }
    }

    /// Sets one's own password and ends one's other sessions.
    /// - Parameters:
    ///   - credential: of the present password.
    ///   - token: the session that goes on.
    public func changePassword(
        of credential: Credential, to password: String, keeping token: Int?
    ) async throws -> Plan<Void> {
        let new = try await hashed(password, of: credential.username, credential.person.village)
        return { transaction, scope in
            try await credential.check(transaction, scope)
            let update: SQL = """
                UPDATE account SET password_salt = \(new.salt), password_hash = \(new.hash)
                WHERE village_id = \(scope.village) AND id = \(credential.account)
                    AND password_hash = \(credential.hash) AND disabled_at IS NULL
                """
            return Change(
                (),
                writes: [update.touching(1)]
                    + Self.endSessions(of: credential.account, besides: token, scope),
                refusals: [SQL.rowsTouched: AccountRules.wrongPassword],
                event: Event("account.password", credential.username))
        }
    }

    /// After the password itself: whoever is signing in with the old one is either seen here or finds it changed.
    private static func endSessions(of account: Int, besides token: Int? = nil, _ scope: Scope) -> [SQL] {
        [
            """
            UPDATE api_token SET revoked_at = now()
            WHERE village_id = \(scope.village) AND account_id = \(account) AND revoked_at IS NULL
                AND id IS DISTINCT FROM \(token)::int
            """,
            News.tell(scope),
        ]
    }

    /// Hashed before any transaction begins: it takes its time, and may wait for others.
    private func hashed(
        _ password: String, of username: String, _ village: Int
    ) async throws -> (salt: [UInt8], hash: [UInt8]) {
        let names = try await database.queryOutside("SELECT name, brand FROM village WHERE id = \(village)").first
        try PasswordRules.check(
            password, names: [username] + [names?.decode("name"), names?.decode("brand")].compactMap(\.self))
        let salt = try RandomBytes.secret(16)
        return (salt, try await hasher.hash(password, salt: salt))
    }

    /// Shuts an account, and its tokens with it.
    public func disable(username: String) -> Plan<Void> {
        { transaction, scope in
            let (id, _) = try await Self.find(username, transaction, scope)
            return Change(
                (),
                writes: [
                    """
                    UPDATE account SET disabled_at = now()
                    WHERE village_id = \(scope.village) AND id = \(id) AND disabled_at IS NULL
                    """,
                    Self.endTokens(of: id, scope), News.tell(scope),
                ],
                event: Event("account.disable", username.lowercased())
            ).endingTokens
        }
    }

    private static func endTokens(of account: Int, _ scope: Scope) -> SQL {
        """
        UPDATE api_token SET revoked_at = now()
        WHERE village_id = \(scope.village) AND \(account) IN (account_id, made_by) AND revoked_at IS NULL
        """
    }

    /// Opens an account that was shut, with the password that it has. Sessions and tokens that ended with it stay ended.
    public func enable(username: String) -> Plan<Void> {
        { transaction, scope in
            let (id, isShut) = try await Self.find(username, transaction, scope)
            let notShut = Refusal(
                .conflict, "not-disabled", field: "username", zh: "这个账号没有停用", en: "the account is not disabled")
            guard isShut else { throw notShut }
            let update: SQL = """
                UPDATE account SET disabled_at = NULL
                WHERE village_id = \(scope.village) AND id = \(id) AND disabled_at IS NOT NULL
                """
            return Change(
                (),
                // Those too that were made while it was being shut.
                writes: [Self.endTokens(of: id, scope), update.touching(1), News.tell(scope)],
                refusals: [SQL.rowsTouched: notShut], event: Event("account.enable", username.lowercased()))
        }
    }

    /// - Returns: nil when the password is wrong, or the account shut or unknown.
    public func authenticate(username: String, password: String, village: Int) async throws -> Credential? {
        let rows = try await database.query(
            """
            SELECT a.id, a.username, a.password_salt, a.password_hash, a.role, c.meant, c.spellings
            FROM account a
            LEFT JOIN cooperative_spelled c ON c.village_id = a.village_id AND c.id = a.cooperative_id
            WHERE a.village_id = \(village) AND a.username = \(username.lowercased()) AND a.disabled_at IS NULL
            """, .program(village))
        guard let row = rows.first, let role = Role(rawValue: try row.decode("role")) else {
            // The same work for an unknown name, so that the time tells nobody which names exist.
            _ = try await hasher.hash(String(password.prefix(200)), salt: [UInt8](repeating: 0, count: 16))
            return nil
        }
        let hash = try await hasher.hash(String(password.prefix(200)), salt: row.decode("password_salt"))
        guard constantTimeEqual(hash, try row.decode("password_hash")), password.count <= 200 else { return nil }
        let (id, name) = (try row.decode("id", as: Int.self), try row.decode("username", as: String.self))
        let person = Person(
            name: "account:\(name)", role: role, cooperative: try row.decode("meant"),
            spellings: try row.decode("spellings") ?? [], village: village, account: id)
        return Credential(person: person, account: id, username: name, hash: hash)
    }

    /// What the audit calls a name that nobody has.
    public static let unknownName = "?"

    /// Tells the audit of wrong passwords, of the first and whenever there are twice as many. It takes as long for a name
    /// that nobody has, which the audit doesn't repeat: it may be a password that was typed into the wrong field.
    public func tell(guesses: Int, of username: String, village: Int) async throws {
        guard guesses > 0, guesses & (guesses - 1) == 0 else { return }
        let name = username.lowercased()
        try await database.change(Scope(village: village, cooperative: nil, actor: "public")) { transaction, scope in
            let known = try await transaction.query(
                "SELECT FROM account WHERE village_id = \(scope.village) AND username = \(name)")
            return Change(
                (),
                event: Event(
                    "session.guess", known.isEmpty ? Self.unknownName : name, .number("guesses", guesses)))
        }
    }

    public func list(village: Int) async throws -> [Account] {
        let rows = try await database.query(
            """
            SELECT a.id, a.username, a.role, c.name AS cooperative, a.created_at, a.disabled_at
            FROM account a LEFT JOIN cooperative_meant c ON c.village_id = a.village_id AND c.id = a.cooperative_id
            WHERE a.village_id = \(village) ORDER BY a.username
            """, .program(village))
        return try rows.map { row in
            Account(
                id: Identifier(try row.decode("id")), username: try row.decode("username"),
                role: try Role(named: row.decode("role")), cooperative: try row.decode("cooperative"),
                createdAt: try row.decode("created_at"), disabledAt: try row.decode("disabled_at"))
        }
    }

    private static func find(
        _ username: String, _ transaction: Transaction, _ scope: Scope
    ) async throws -> (id: Int, isShut: Bool) {
        let rows = try await transaction.query(
            """
            SELECT id, disabled_at IS NOT NULL AS shut FROM account
            WHERE village_id = \(scope.village) AND username = \(username.lowercased())
            """)
        guard let row = rows.first else {
            throw Refusal(
                .notFound, "no-such-account", field: "username", zh: "没有这个账号", en: "there is no such account")
        }
        return (try row.decode("id"), try row.decode("shut"))
    }

    /// The number of the cooperative that a clerk is bound to; every other role has none.
    static func cooperative(
        _ name: String?, of role: Role, _ transaction: Transaction, _ scope: Scope
    ) async throws -> Int? {
        switch (role, name) {
        case (.clerk, let name?):
            let rows = try await transaction.query(
                "SELECT id FROM cooperative WHERE village_id = \(scope.village) AND name = \(name)")
            guard let row = rows.first else {
                let known = try await transaction.query(
                    """
                    SELECT name FROM cooperative
                    WHERE village_id = \(scope.village)
                        AND (\(scope.cooperative)::int IS NULL OR id = \(scope.cooperative))
                    ORDER BY name
                    """)
                throw Refusal.unknown(
                    .notFound, "no-such-cooperative", field: "cooperative", zh: "合作社", en: "cooperative", name: name,
                    known: try known.map { try $0.decode("name") })
            }
            return try row.decode("id")
        case (.clerk, nil):
            throw Refusal(
                .invalid, "missing-field", field: "cooperative", zh: "文员须属于一个合作社",
                en: "a clerk belongs to one cooperative")
        case (_, nil):
            return nil
        case (_, _?):
            throw Refusal(
                .invalid, "role-without-cooperative", field: "cooperative", zh: "只有文员属于一个合作社",
                en: "only a clerk belongs to one cooperative")
        }
    }
}

extension AccountStore.Credential {
    /// - Throws: a `Refusal` when the password is no longer the account's, or the account is shut.
    func check(_ transaction: Transaction, _ scope: Scope) async throws {
        let rows = try await transaction.query(
            """
            SELECT FROM account WHERE village_id = \(scope.village) AND id = \(account)
                AND password_hash = \(hash) AND disabled_at IS NULL
            """)
        guard !rows.isEmpty else { throw AccountRules.wrongPassword }
    }
}
