import Postgres

/// The passwords with which the program's two roles log in to a PostgreSQL of one's own.
public enum RolePasswords {
    /// Sets the password of both roles; the server keeps its SCRAM hash.
    /// - Parameter owner: a pool of a user that may alter the roles.
    public static func set(_ password: String, owner: Pool) async throws {
        // ALTER ROLE takes no parameters. A bound setting of this transaction carries the password, so that it stands
        // in no statement's text and so in no log of statements.
        try await owner.transaction { transaction in
            _ = try await transaction.query("SELECT set_config('taoyuan.password', \(password), true)")
            _ = try await transaction.query(
                """
                DO $$
                BEGIN
                    EXECUTE format('ALTER ROLE taoyuan_service PASSWORD %L', current_setting('taoyuan.password'));
                    EXECUTE format('ALTER ROLE taoyuan_public PASSWORD %L', current_setting('taoyuan.password'));
                END
                $$
                """)
        }
    }
}
