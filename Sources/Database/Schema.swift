extension Migrator {
    /// The schema of this program: `sql/roles.sql`, `sql/migrations` and `sql/grants.sql`, which are part of it.
    /// - Throws: a `Refusal` when a migration file is misnamed.
    public static func ofThisProgram() throws -> Migrator {
        let files = EmbeddedFiles.all
        func text(_ name: String) -> String { files.first { $0.name == name }?.text ?? "" }
        return Migrator(
            roles: text("roles.sql"),
            migrations: try files.filter { $0.name.hasPrefix("migrations/") }.map {
                try Migration(path: $0.name, sql: $0.text)
            },
            grants: text("grants.sql"), owner: Self.owner)
    }
}
