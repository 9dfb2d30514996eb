import Foundation
import Kernel

/// Why the embedded PostgreSQL does not run, each in one sentence that says what to do.
extension Refusal {
    static func noPostgres(given: String?, folder: String) -> Refusal {
        guard let given else {
            return Refusal(
                .unavailable, "postgres-missing",
                zh: "数据目录 \(folder) 需要 PostgreSQL，本机却没有：请安装（apt-get install postgresql），"
                    + "或用 DATABASE_URL 指定已有的服务器",
                en:
                    "the data folder \(folder) needs PostgreSQL, which is not installed: run apt-get install postgresql, "
                    + "or name a server by DATABASE_URL")
        }
        return Refusal(
            .unavailable, "postgres-missing",
            zh: "数据目录 \(folder) 需要 PostgreSQL，而 TAOYUAN_POSTGRES_BIN 所指的 \(given) 里没有 initdb 和 postgres："
                + "请改正，或安装（apt-get install postgresql）",
            en: "the data folder \(folder) needs PostgreSQL, but TAOYUAN_POSTGRES_BIN names \(given), which has no "
                + "initdb and postgres: correct it, or run apt-get install postgresql")
    }

    static func noClients(server: Int, found: Int?) -> Refusal {
        Refusal(
            .unavailable, "postgres-clients-missing",
            zh: "需要 PostgreSQL \(server) 或更新的 pg_dump 与 pg_restore，本机\(found.map { "只有 \($0) 版" } ?? "没有")："
                + "请安装（apt-get install postgresql-client-\(server)）",
            en: "pg_dump and pg_restore of PostgreSQL \(server) or newer are needed, and this machine has "
                + "\(found.map { "version \($0)" } ?? "none"): run apt-get install postgresql-client-\(server)")
    }

    static func postgresTooOld(_ found: PostgresBinaries, folder: String) -> Refusal {
        Refusal(
            .unavailable, "postgres-too-old",
            zh: "数据目录 \(folder) 至少需要 PostgreSQL \(PostgresBinaries.oldestMajor) 版，"
                + "而 \(found.folder) 里的是 \(found.major) 版：请升级",
            en: "the data folder \(folder) needs PostgreSQL \(PostgresBinaries.oldestMajor) or newer and "
                + "\(found.folder) has version \(found.major): upgrade it")
    }

    static func otherMajor(folder: String, made: Int, found: Int) -> Refusal {
        Refusal(
            .unavailable, "data-other-version",
            zh: "数据目录 \(folder) 由 PostgreSQL \(made) 建立，而本机是 \(found) 版：请装上 \(made) 版"
                + "（apt-get install postgresql-\(made)），再运行 taoyuan upgrade-database；或把备份恢复到另一个 --data-dir",
            en: "the data in \(folder) was made by PostgreSQL \(made) and this machine has \(found): install \(made) "
                + "beside it (apt-get install postgresql-\(made)) and run `taoyuan upgrade-database`, or restore a backup "
                + "into another --data-dir")
    }

    static func noServerUser(folder: String) -> Refusal {
        Refusal(
            .unavailable, "no-postgres-user",
            zh: "数据目录 \(folder) 里的 PostgreSQL 不能以 root 运行，而系统没有用户 postgres："
                + "请安装（apt-get install postgresql），或换普通用户运行",
            en: "the PostgreSQL of the data folder \(folder) does not run as root and there is no user postgres: run "
                + "apt-get install postgresql, or run this as an ordinary user")
    }

    static func unreachable(folder: String, user: String) -> Refusal {
        Refusal(
            .unavailable, "data-dir-unreachable",
            zh: "用户 \(user) 进不了数据目录 \(folder)（上级目录不许）：请换一个，如 --data-dir /var/lib/taoyuan",
            en: "the user \(user) cannot reach the data folder \(folder), because a folder above it is closed: choose "
                + "another, such as --data-dir /var/lib/taoyuan")
    }

    static func noData(folder: String) -> Refusal {
        Refusal(
            .notFound, "no-data", field: "dataDir",
            zh: "\(folder) 里没有村庄的数据：请核对 --data-dir（或 TAOYUAN_DATA_DIR），或先用 taoyuan init 建立一个村",
            en:
                "there is no village's data in \(folder): check --data-dir (or TAOYUAN_DATA_DIR), or found a village with "
                + "`taoyuan init` first")
    }

    static func foreignFiles(folder: String) -> Refusal {
        Refusal(
            .unavailable, "data-dir-foreign",
            zh: "\(folder) 里有别的文件，不是本程序的数据目录：请用 --data-dir 指定一个空目录",
            en: "\(folder) holds files that are not this program's: name an empty folder by --data-dir")
    }

    static func foreignOwner(folder: String, owner: uid_t?) -> Refusal {
        let owner = owner.map(String.init) ?? "?"
        return Refusal(
            .unavailable, "data-dir-owner",
            zh: "\(folder) 属于另一个用户（uid \(owner)）：请以该用户运行，或用 --data-dir 另选目录",
            en: "\(folder) belongs to another user (uid \(owner)): run this as that user, or choose another --data-dir")
    }

    static func brokenCluster(folder: String, reason: String) -> Refusal {
        Refusal(
            .unavailable, "data-dir-broken",
            zh: "数据目录 \(folder) 已损坏（\(reason)）：请把它移开并恢复备份，或用 --data-dir 另选目录",
            en: "the data in \(folder) is damaged (\(reason)): move it away and restore the backup, or choose another "
                + "--data-dir")
    }

    static func diskFull(folder: String) -> Refusal {
        Refusal(
            .unavailable, "disk-full", zh: "\(folder) 所在磁盘已满：请腾出空间后再试",
            en: "the disk that holds \(folder) is full: free some space and try again")
    }

    static func inUse(folder: String) -> Refusal {
        Refusal(
            .unavailable, "data-dir-in-use",
            zh: "\(folder) 正被另一个服务器占用（也许在另一个容器里）：请先停止它，或用 --data-dir 另选目录",
            en:
                "another server uses \(folder), perhaps in another container: stop it first, or choose another --data-dir"
        )
    }

    static func takenAlone(folder: String) -> Refusal {
        Refusal(
            .unavailable, "database-being-upgraded", zh: "\(folder) 里的数据库正在升级，请稍后再试",
            en: "the database in \(folder) is being upgraded: try again later")
    }

    static func usedByOthers(folder: String) -> Refusal {
        Refusal(
            .conflict, "database-in-use", zh: "\(folder) 里的数据库正被别的命令或服务使用：请先停止它们",
            en: "other commands or a server use the database in \(folder): stop them first")
    }

    static func newestAlready(_ major: Int) -> Refusal {
        Refusal(
            .conflict, "newest-already", zh: "数据库已是 PostgreSQL \(major)，本机没有更新的版本",
            en: "the database is PostgreSQL \(major) already, and this machine has no newer one")
    }

    static func closed(folder: String) -> Refusal {
        Refusal(
            .unavailable, "database-closed", zh: "\(folder) 里的数据库已被本程序关闭",
            en: "this program has closed the database in \(folder)")
    }

    /// - Parameter log: lies in the data folder, and so names it.
    static func startFailed(log: String, reason: String) -> Refusal {
        Refusal(
            .unavailable, "postgres-not-starting", zh: "数据目录里的 PostgreSQL 启动失败（\(reason)）：详见 \(log)",
            en: "the data folder's PostgreSQL does not start (\(reason)): see \(log)")
    }

    static func file(_ fault: FileFault) -> Refusal {
        switch fault.errno {
        case ENOSPC, EDQUOT:
            return diskFull(folder: fault.path)
        case EACCES, EPERM, EROFS:
            return Refusal(
                .unavailable, "data-dir-not-writable",
                zh: "无权写入 \(fault.path)：请改正权限，或换一个目录，如 --data-dir /var/lib/taoyuan",
                en: "\(fault.path) cannot be written: correct its permissions, or choose another folder, such as "
                    + "--data-dir /var/lib/taoyuan")
        default:
            let reason = String(cString: strerror(fault.errno))
            return Refusal(
                .unavailable, "data-dir-unusable", zh: "\(fault.path) 不可用（\(reason)）：请用 --data-dir 另选目录",
                en: "\(fault.path) cannot be used (\(reason)): choose another --data-dir")
        }
    }

    /// What `complaint`, the talk of `initdb` or the server's log, comes down to.
    static func classify(_ complaint: String, folder: DataFolder) -> Refusal {
        func says(_ phrases: String...) -> Bool { phrases.contains { complaint.contains($0) } }
        // On a full disk the log, too, may have had no room for the reason.
        if says("No space left on device", "Disk quota exceeded") || folder.isFull {
            return diskFull(folder: folder.root)
        }
        if says("could not bind Unix", "lock file \"\(folder.socket).lock\" already exists") {
            return inUse(folder: folder.socketFolder)
        }
        let fatal = complaint.split(separator: "\n").last { line in
            ["FATAL: ", "PANIC: ", "error: ", "could not"].contains { line.contains($0) }
        }
        let reason = fatal.map { line in
            var text = line
            for mark in ["FATAL:", "PANIC:", "error:"] {
                if let range = text.range(of: mark) { text = text[range.upperBound...] }
            }
            return text.trimmed
        }
        let damage = [
            "pg_control", "checkpoint record", "control file", "not a valid data directory", "PG_VERSION",
            "could not find the database system", "incompatible with server", "could not open directory",
            "could not access directory", "invalid page", "could not open file \"global/",
        ]
        if let reason, damage.contains(where: { complaint.contains($0) }) {
            return brokenCluster(folder: folder.cluster, reason: reason)
        }
        return startFailed(log: folder.log, reason: reason ?? "?")
    }
}
