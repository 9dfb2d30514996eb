import Database
import Kernel
import Postgres

/// Where the database is and how to log in.
struct Place {
    /// nil where only the service's own logins are known.
    let owner: Settings?
    let service: Settings
    let open: Settings
    /// What the program's roles log in with, as far as we say it.
    var passwords: [(role: String, password: String)] = []
    var embedded: EmbeddedPostgres?

    /// - Parameter making: whether an embedded database is made when there is none.
    static func find(
        _ configuration: Configuration, for use: Backend.Use, making: Bool,
        _ settingUp: @escaping @Sendable (String) -> Void
    ) async throws -> Place {
        if use == .serving, configuration.databaseURL != nil {
            throw Refusal(
                .forbidden, "serves-as-owner", field: "DATABASE_URL",
                zh: "提供服务的程序不能持有数据库所有者的登录：请去掉 DATABASE_URL，只给 TAOYUAN_SERVICE_URL 和 TAOYUAN_PUBLIC_URL",
                en: "a server must not hold the login of the database's owner: leave DATABASE_URL out and give "
                    + "TAOYUAN_SERVICE_URL and TAOYUAN_PUBLIC_URL")
        }
        let owner = try configuration.databaseURL.map { try login($0, "DATABASE_URL") }
        if let serviceURL = configuration.serviceURL, let publicURL = configuration.publicURL {
            let service = try login(serviceURL, "TAOYUAN_SERVICE_URL")
            let open = try login(publicURL, "TAOYUAN_PUBLIC_URL")
            let passwords = [(service, serviceRole), (open, publicRole)].compactMap { settings, role in
                settings.user == role ? settings.password.map { (role: role, password: $0) } : nil
            }
            return Place(owner: owner, service: service, open: open, passwords: passwords)
        }
        guard let owner else {
            let embedded = try await EmbeddedPostgres.open(
                dataDirectory: configuration.dataDirectory, binaries: configuration.postgresBinaries, making: making,
                settingUp: settingUp)
            return Place(
                owner: embedded.settings(), service: embedded.settings(user: serviceRole),
                open: embedded.settings(user: publicRole), embedded: embedded)
        }
        return Place(
            owner: owner, service: becoming(serviceRole, owner), open: becoming(publicRole, owner))
    }

    /// - Throws: a `Refusal` when only the service's own logins are known.
    func ownerLogin() throws -> Settings {
        guard let owner else {
            throw Refusal(
                .invalid, "bad-setting", field: "DATABASE_URL", zh: "这要以数据库所有者登录：请给出 DATABASE_URL",
                en: "this takes the login of the database's owner: give DATABASE_URL")
        }
        return owner
    }

    private static let serviceRole = "taoyuan_service"
    private static let publicRole = "taoyuan_public"

    private static func login(_ url: String, _ name: String) throws -> Settings {
        do {
            var settings = try Settings(url: url)
            settings.setting = name
            return settings
        } catch {
            throw Refusal(
                .invalid, "bad-setting", field: name,
                zh: "不是 PostgreSQL 地址，如 postgres://用户:密码@主机:5432/库；用户名和密码里的 / @ : ? # % 和空格须写成百分号编码，如 / 写成 %2F",
                en: "this is no PostgreSQL address such as postgres://user:password@host:5432/database; in user and "
                    + "password, / @ : ? # % and spaces are percent-encoded: / is %2F")
        }
    }

    /// The owner's login, which becomes the role at its start: for commands, whose administrator is the owner.
    private static func becoming(_ role: String, _ owner: Settings) -> Settings {
        var settings = owner
        settings.options = [owner.options, "-c role=\(role)"].compactMap(\.self).joined(separator: " ")
        return settings
    }
}
