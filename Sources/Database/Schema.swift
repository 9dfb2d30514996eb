extension Migrator {
    /// The schema of this program: `sql/roles.sql` and `sql/migrations`, which are part of it.
    /// - Throws: a `Refusal` when a migration file is misnamed.
    public static func ofThisProgram() throws -> Migrator {
        let files = EmbeddedFiles.all
        return Migrator(
            roles: files.first { $0.name == "roles.sql" }?.text ?? "",
            migrations: try files.filter { $0.name.hasPrefix("migrations/") }.map {
                try Migration(path: $0.name, sql: $0.text)
            })
    }
}
