import CPostgres

extension Connection {
    /// What a server keeps of a role's password (SCRAM-SHA-256, RFC 5803), worked out here: a role that is given this
    /// instead of the password logs in with the password, and the password is in no statement.
    /// - Throws: a `PostgresError`.
    public func passwordVerifier(_ password: String, of role: String) async throws -> String {
        try await perform(patience: nil) { wire in
            guard let text = PQencryptPasswordConn(wire.connection, password, role, "scram-sha-256") else {
                throw PostgresError(.cannotConnect, "the password's verifier cannot be worked out")
            }
            defer { PQfreemem(text) }
            return String(cString: text)
        }
    }
}
