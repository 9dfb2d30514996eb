import Kernel
import Postgres

/// The passwords with which the program's roles log in to a PostgreSQL of one's own.
public enum RolePasswords {
    /// Sets a role's password. What is sent, and may stand in a log, is its SCRAM verifier.
    /// - Parameters:
    ///   - role: one of the program's own.
    ///   - connection: of a user that may alter it.
    public static func set(_ password: String, of role: String, on connection: Connection) async throws {
        let verifier = try await connection.passwordVerifier(password, of: role)
        do {
            // ALTER ROLE takes no parameters; a verifier is of letters, digits and `+/=$:-`.
            try await connection.changingRoles("ALTER ROLE \"\(role)\" PASSWORD '\(verifier)'")
        } catch let error as PostgresError where error.sqlState == "42501" {
            throw Refusal(
                .forbidden, "role-password", field: "DATABASE_URL",
                zh: "这个用户无权给角色 \(role) 设置密码：需要 CREATEROLE；或由数据库管理员设好密码，此处不给 TAOYUAN_SERVICE_URL 和 "
                    + "TAOYUAN_PUBLIC_URL",
                en:
                    "this user may not set the password of the role \(role): it needs CREATEROLE; or have the administrator of "
                    + "the server set it, and leave TAOYUAN_SERVICE_URL and TAOYUAN_PUBLIC_URL out here")
        }
    }
}

extension Connection {
    /// Runs a script that writes to what all databases of a server share. A lock is one database's, so somebody who
    /// migrates another one may be in the way.
    func changingRoles(_ script: String) async throws {
        for _ in 0..<10 {
            do {
                return try await run(script: "BEGIN;\n\(script)\n;COMMIT")
            } catch let error as PostgresError where ["XX000", "23505", "42710"].contains(error.sqlState) {
                try await run(script: "ROLLBACK")
                try await Task.sleep(for: .milliseconds(Int.random(in: 20...100)))
            }
        }
        try await run(script: "BEGIN;\n\(script)\n;COMMIT")
    }
}
