import Kernel

/// One step of the schema, forward only.
public struct Migration: Sendable, Hashable, CustomStringConvertible {
    /// 1 for the first; there are no gaps.
    public let number: Int
    public let topic: String
    /// Several statements, run in one transaction; it has no BEGIN or COMMIT of its own.
    public let sql: String

    public init(number: Int, topic: String, sql: String) {
        self.number = number
        self.topic = topic
        self.sql = sql
    }

    /// A migration file by its path, such as `migrations/0001_village.sql`.
    /// - Throws: a `Refusal` of kind `invalid` when its name is no `NNNN_topic.sql`.
    public init(path: String, sql: String) throws {
        let name = path.split(separator: "/").last ?? ""
        let digits = name.prefix(4)
        guard digits.count == 4, digits.allSatisfy({ ("0"..."9").contains($0) }), let number = Int(digits),
            name.hasSuffix(".sql"), name.dropFirst(4).first == "_", name.count > 9
        else {
            throw Refusal(
                .invalid, "migration-name", zh: "“\(path.shortened)”不是迁移文件名，应如 0001_village.sql",
                en: "“\(path.shortened)” is no name of a migration, such as 0001_village.sql")
        }
        self.init(number: number, topic: String(name.dropFirst(5).dropLast(4)), sql: sql)
    }

    /// Number and topic as in the file's name: `0001_village`.
    public var description: String { Self.name(number, topic) }

    static func name(_ number: Int, _ topic: String) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "_" + topic
    }
}

/// Why a schema and a program do not go together.
extension Refusal {
    static func schemaDrifted(_ migration: Migration) -> Refusal {
        Refusal(
            .conflict, "schema-drifted",
            zh: "数据库执行过的迁移 \(migration) 与本程序的不同：请使用建立该数据库的程序版本，或恢复备份",
            en: "migration \(migration) was another one when this database ran it: use the program that made the "
                + "database, or restore a backup")
    }

    static func schemaNewer(_ name: String) -> Refusal {
        Refusal(
            .conflict, "schema-newer", zh: "数据库比本程序新（有未知的迁移 \(name)）：请使用更新的程序",
            en: "the database is newer than this program, which does not know migration \(name): use a newer program")
    }

    static func schemaOlder(_ migration: Migration) -> Refusal {
        Refusal(
            .conflict, "schema-older", zh: "数据库比本程序旧（缺迁移 \(migration)）：请执行 taoyuan migrate",
            en: "the database is older than this program and lacks migration \(migration): run taoyuan migrate")
    }

    /// As after a dump was restored where its roles were missing.
    static let schemaClosed = Refusal(
        .conflict, "schema-closed", zh: "数据库没有给本程序的角色授权（也许是恢复备份时角色还不存在）：请执行 taoyuan migrate",
        en: "the database grants nothing to this program's role, as after a restore where the roles were missing: run "
            + "taoyuan migrate")

    static func schemaGap(_ name: String) -> Refusal {
        Refusal(
            .conflict, "schema-gap", zh: "迁移 \(name) 缺失，而其后的迁移已存在：请使用完整的程序，或恢复备份",
            en:
                "migration \(name) is missing although there are later ones: use a complete program, or restore a backup"
        )
    }

    static func migrationFailed(_ name: String, reason: String) -> Refusal {
        Refusal(
            .conflict, "migration-failed", zh: "迁移 \(name) 失败，未留下任何改动（\(reason)）",
            en: "migration \(name) failed and has changed nothing (\(reason))")
    }

    static func rolesDenied(reason: String) -> Refusal {
        Refusal(
            .forbidden, "roles-denied", field: "DATABASE_URL",
            zh: "这个用户不能建立或使用角色 taoyuan_owner、taoyuan_service、taoyuan_public，未留下任何改动（\(reason)）。"
                + "请数据库管理员执行 ALTER ROLE 用户 CREATEROLE；或先建好这三个角色并授予：GRANT taoyuan_owner, taoyuan_service, "
                + "taoyuan_public TO 用户 WITH ADMIN OPTION。角色及其密码为整个 PostgreSQL 服务器共有",
            en:
                "this user may not make or use the roles taoyuan_owner, taoyuan_service and taoyuan_public; nothing was "
                + "changed (\(reason)). Have the administrator of the server ALTER ROLE user CREATEROLE; or make the three and "
                + "GRANT taoyuan_owner, taoyuan_service, taoyuan_public TO user WITH ADMIN OPTION. Roles and their passwords are "
                + "shared by the whole PostgreSQL server")
    }

    static func wrongEncoding(_ encoding: String, of database: String) -> Refusal {
        Refusal(
            .conflict, "database-encoding", field: "DATABASE_URL",
            zh: "数据库 \(database.shortened) 的编码是 \(encoding)，存不下所有文字：请另建一个，CREATE DATABASE … ENCODING 'UTF8' "
                + "TEMPLATE template0",
            en:
                "the database \(database.shortened) is encoded in \(encoding), which can't hold every text: make another, "
                + "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0")
    }

    static func othersTables(_ name: String) -> Refusal {
        Refusal(
            .conflict, "others-tables", field: "DATABASE_URL", zh: "数据库里有别的程序的表（\(name.shortened)）：请给本程序一个自己的数据库",
            en: "the database has tables of another program (\(name.shortened)): give this one a database of its own")
    }
}
