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
    /// - Parameter cooperative: the one that a clerk is bound to; nil for every other role.
    public static func create(
        name: String, role: Role, cooperative: String?, days: Int, now: Date
    ) -> Plan<TokenSecret> {
        { transaction, scope in
            guard (1...3650).contains(days) else {
                throw Refusal(
                    .invalid, "out-of-range", field: "days", zh: "有效期须在 1 到 3650 天之间",
                    en: "a token is valid for 1 to 3650 days")
            }
            let cooperativeID = try await AccountStore.cooperative(cooperative, of: role, transaction, scope)
            let secret = try TokenSecret.make()
            let expiry = now.addingTimeInterval(Double(days) * 86_400)
            return Change(
                secret,
                writes: [insert(secret, name: name, role, cooperativeID, account: nil, expiry, scope)],
                event: Event("token.create", name, .text("role", role.rawValue)))
        }
    }

    /// Makes the token of a session that a password opened.
    public static func open(for account: Int, _ person: Person, hours: Double, now: Date) -> Plan<TokenSecret> {
        { _, scope in
            let secret = try TokenSecret.make()
            let expiry = now.addingTimeInterval(hours * 3600)
            return Change(
                secret,
                writes: [
                    insert(
                        secret, name: person.name, person.role, person.cooperative, account: account, expiry, scope)
                ],
                event: Event("session.open", person.name))
        }
    }

    private static func insert(
        _ secret: TokenSecret, name: String, _ role: Role, _ cooperative: Int?, account: Int?, _ expiry: Date,
        _ scope: Scope
    ) -> SQL {
        """
        INSERT INTO api_token (village_id, token_hash, name, role, cooperative_id, account_id, expires_at)
        VALUES (\(scope.village), \(TokenSecret.hash(secret.text)), \(name), \(role.rawValue), \(cooperative),
            \(account), \(expiry))
        """
    }

    /// Ends a token at once, everywhere.
    public static func revoke(id: Identifier<Token>, now: Date) -> Plan<Void> {
        { transaction, scope in
            let rows = try await transaction.query(
                "SELECT id FROM api_token WHERE village_id = \(scope.village) AND id = \(id.value)")
            guard !rows.isEmpty else {
                throw Refusal(.notFound, "no-such-token", field: "id", zh: "没有这个令牌", en: "there is no such token")
            }
            return Change(
                (),
                writes: [
                    """
                    UPDATE api_token SET revoked_at = coalesce(revoked_at, \(now))
                    WHERE village_id = \(scope.village) AND id = \(id.value)
                    """,
                    "SELECT pg_notify('taoyuan_access', '')",
                ],
                event: Event("token.revoke", id.description))
        }
    }

    /// - Returns: whose token it is, or nil when it is unknown, expired, revoked, or its account is disabled.
    public func person(secret: String, village: Int, now: Date) async throws -> Person? {
        let rows = try await database.query(
            """
            SELECT t.id, t.role, a.username, c.meant, c.spellings
            FROM api_token t LEFT JOIN account a ON a.village_id = t.village_id AND a.id = t.account_id
            LEFT JOIN cooperative_spelled c ON c.village_id = t.village_id AND c.id = t.cooperative_id
            WHERE t.village_id = \(village) AND t.token_hash = \(TokenSecret.hash(secret))
                AND t.revoked_at IS NULL AND t.expires_at > \(now) AND a.disabled_at IS NULL
            """, .program(village))
        guard let row = rows.first, let role = Role(rawValue: try row.decode("role")) else { return nil }
        let username: String? = try row.decode("username")
        return Person(
            name: try username.map { "account:\($0)" } ?? "token:\(row.decode("id", as: Int.self))", role: role,
            cooperative: try row.decode("meant"), spellings: try row.decode("spellings") ?? [], village: village)
    }

    public func list(village: Int) async throws -> [Token] {
        let rows = try await database.query(
            """
            SELECT t.id, t.name, t.role, c.name AS cooperative, t.created_at, t.expires_at, t.revoked_at
            FROM api_token t LEFT JOIN cooperative_meant c ON c.village_id = t.village_id AND c.id = t.cooperative_id
            WHERE t.village_id = \(village) ORDER BY t.id
            """, .program(village))
        return try rows.map { row in
            Token(
                id: Identifier(try row.decode("id")), name: try row.decode("name"),
                role: try Role(named: row.decode("role")), cooperative: try row.decode("cooperative"),
                createdAt: try row.decode("created_at"), expiresAt: try row.decode("expires_at"),
                revokedAt: try row.decode("revoked_at"))
        }
    }
}
