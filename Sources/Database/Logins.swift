import Kernel
import Postgres

extension Database {
    /// Sees to it that whoever gets a statement of theirs run here gains nothing by it: neither login may become a
    /// superuser or the schema's owner, as `SET ROLE NONE` would make of one that only acts as another role, nor one of
    /// the roles that PostgreSQL makes itself, which read, write or run what is nobody's table; and the strangers' not the
    /// service.
    /// - Throws: a `Refusal` that names the login.
    public func checkLogins() async throws {
        for (pool, name, others) in [
            (service, "TAOYUAN_SERVICE_URL", []), (open, "TAOYUAN_PUBLIC_URL", ["taoyuan_service"]),
        ] {
            let rows = try await Self.available {
                try await pool.query(
                    """
                    SELECT session_user::text AS login, (
                        SELECT r.rolname::text FROM pg_roles r
                        WHERE pg_has_role(session_user, r.oid, 'MEMBER') AND (
                            r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication
                            OR starts_with(r.rolname, 'pg_') OR r.rolname = ANY (\(others)::text[])
                            OR r.oid IN (SELECT relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace)
                            OR r.oid = (SELECT datdba FROM pg_database WHERE datname = current_database()))
                        ORDER BY starts_with(r.rolname, 'pg_'), r.rolname LIMIT 1) AS power
                    """)
            }
            guard let row = rows.first, let power = try row.decode("power", as: String?.self) else { continue }
            let login: String = try row.decode("login")
            throw Refusal(
                .forbidden, "serves-as-owner", field: name, zh: "登录名 \(login) 有 \(power) 的权力，太大，不能用来提供服务",
                en: "the login \(login) has the power of \(power), which is too much to serve with")
        }
    }
}
