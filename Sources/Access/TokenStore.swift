import Database
import Foundation
import Kernel
import Postgres

/// API tokens.
public struct TokenStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// Makes a token for a role, valid from now for `days` (1 to 3650).
    /// - Parameters:
    ///   - cooperative: the one that a clerk is bound to; nil for every other role.
    ///   - maker: the account with which the token ends; nil when it is made at the server's machine.
    public static func create(
        name: String, role: Role, cooperative: String?, days: Int, maker: Int?, now: Date
    ) -> Plan<TokenSecret> {
        { transaction, scope in
            let name = try CleanText.name(name, field: "name", max: 100)
            guard (1...3650).contains(days) else {
                throw Refusal(
                    .invalid, "out-of-range", field: "days", zh: "有效期须在 1 到 3650 天之间",
                    en: "a token is valid for 1 to 3650 days")
            }
            let cooperativeID = try await AccountStore.cooperative(cooperative, of: role, transaction, scope)
            let secret = try TokenSecret.make()
            let expiry = now.addingTimeInterval(Double(days) * 86_400)
            // Whoever shuts the maker's account waits for this token, and then ends it too.
            let hold: [SQL] =
                maker.map { maker in
                    ["SELECT FROM account WHERE village_id = \(scope.village) AND id = \(maker) FOR SHARE"]
                } ?? []
            return Change(
                secret,
                writes: hold + [
                    """
                    INSERT INTO api_token (village_id, token_hash, name, role, cooperative_id, made_by, expires_at)
                    VALUES (\(scope.village), \(TokenSecret.hash(secret.text)), \(name), \(role.rawValue),
                        \(cooperativeID), \(maker), \(expiry))
                    """
                ],
                event: Event("token.create", name, .text("role", role.rawValue)))
        }
    }

    /// Makes the token of a session that a password opened, unless it was changed or the account shut meanwhile. Whoever
    /// does that at the same moment waits for this one, and then ends it.
    public static func open(
        for credential: AccountStore.Credential, hours: Double, now: Date
    ) -> Plan<TokenSecret> {
        { transaction, scope in
            try await credential.check(transaction, scope)
            let secret = try TokenSecret.make()
            let expiry = now.addingTimeInterval(hours * 3600)
            let own = try await transaction.query("SELECT own_number('api_token') AS id")
            let number: Int64? = try own.first?.decode("id")
            let insert: SQL = """
                INSERT INTO api_token (village_id, id, token_hash, name, role, cooperative_id, account_id, expires_at)
                SELECT village_id, \(number), \(TokenSecret.hash(secret.text)), \(credential.person.name), role, cooperative_id, id,
                    \(expiry)
                FROM account WHERE village_id = \(scope.village) AND id = \(credential.account)
                    AND password_hash = \(credential.hash) AND disabled_at IS NULL
                FOR SHARE
                """
            return Change(
                secret, writes: [insert.touching(1)],
                refusals: [SQL.rowsTouched: AccountRules.wrongPassword],
                event: Event("session.open", credential.person.name))
        }
    }

    /// Ends the session of whoever asks for it.
    public static func signOut(_ person: Person, now: Date) -> Plan<Void> {
        { transaction, scope in
            let rows = try await transaction.query(
                """
                SELECT id FROM api_token
                WHERE village_id = \(scope.village) AND id = \(person.token) AND account_id IS NOT NULL
                """)
            guard let session = try rows.first?.decode("id", as: Int.self) else {
                throw Refusal(
                    .conflict, "no-session", zh: "这是令牌，不是登录；令牌由管理员注销",
                    en: "this is a token and no session: an administrator revokes it")
            }
            return Change((), writes: end(Int64(session), now, scope), event: Event("session.close", person.name))
                .endingTokens
        }
    }

    private static func end(_ id: Int64, _ now: Date, _ scope: Scope) -> [SQL] {
        [
            """
            UPDATE api_token SET revoked_at = coalesce(revoked_at, \(now))
            WHERE village_id = \(scope.village) AND id = \(id)
            """,
            News.tell(scope),
        ]
    }

    /// Ends a token at once, everywhere.
    public static func revoke(id: Identifier<Token>, now: Date) -> Plan<Void> {
        { transaction, scope in
            let rows = try await transaction.query(
                "SELECT id FROM api_token WHERE village_id = \(scope.village) AND id = \(id.value)")
            guard !rows.isEmpty else {
                throw Refusal(.notFound, "no-such-token", field: "id", zh: "没有这个令牌", en: "there is no such token")
            }
            return Change((), writes: end(id.value, now, scope), event: Event("token.revoke", id.description))
                .endingTokens
        }
    }

    /// - Returns: whose token it is, or nil when it is unknown, expired, revoked, or the account that it or whose maker it is
    ///   is shut.
    public func person(secret: String, village: Int, now: Date) async throws -> Person? {
        let rows = try await database.query(
            """
            SELECT t.id, t.role, t.account_id IS NOT NULL AS is_session, a.id AS account, a.username, c.meant, c.spellings
            FROM api_token t
            LEFT JOIN account a ON a.village_id = t.village_id AND a.id = coalesce(t.account_id, t.made_by)
            LEFT JOIN cooperative_spelled c ON c.village_id = t.village_id AND c.id = t.cooperative_id
            WHERE t.village_id = \(village) AND t.token_hash = \(TokenSecret.hash(secret))
                AND t.revoked_at IS NULL AND t.expires_at > \(now) AND a.disabled_at IS NULL
            """, .program(village))
        guard let row = rows.first, let role = Role(rawValue: try row.decode("role")) else { return nil }
        let id: Int = try row.decode("id")
        let isSession: Bool = try row.decode("is_session")
        return Person(
            name: isSession ? "account:\(try row.decode("username", as: String.self))" : "token:\(id)", role: role,
            cooperative: try row.decode("meant"), spellings: try row.decode("spellings") ?? [], village: village,
            account: try row.decode("account"), token: id)
    }

    public func list(village: Int) async throws -> [Token] {
        let rows = try await database.query(
            """
            SELECT t.id, t.name, t.role, c.name AS cooperative, m.username AS made_by,
                t.account_id IS NOT NULL AS is_session, t.created_at, t.expires_at,
                least(t.revoked_at, a.disabled_at) AS revoked_at
            FROM api_token t
            LEFT JOIN cooperative_meant c ON c.village_id = t.village_id AND c.id = t.cooperative_id
            LEFT JOIN account a ON a.village_id = t.village_id AND a.id = coalesce(t.account_id, t.made_by)
            LEFT JOIN account m ON m.village_id = t.village_id AND m.id = t.made_by
            WHERE t.village_id = \(village) ORDER BY t.id
            """, .program(village))
        return try rows.map { row in
            Token(
                id: Identifier(try row.decode("id")), name: try row.decode("name"),
                role: try Role(named: row.decode("role")), cooperative: try row.decode("cooperative"),
                madeBy: try row.decode("made_by"), isSession: try row.decode("is_session"),
                createdAt: try row.decode("created_at"),
                expiresAt: try row.decode("expires_at"),
                revokedAt: try row.decode("revoked_at"))
        }
    }
}
