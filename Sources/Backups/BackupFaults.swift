import Foundation
import Kernel

/// Why a backup is not taken or not restored.
extension Refusal {
    static func backupExists(_ path: String) -> Refusal {
        Refusal(
            .conflict, "backup-exists", field: "file", zh: "\(path.shortened) 已经存在，不会被覆盖：请换一个文件名",
            en: "\(path.shortened) is there already and is not overwritten: choose another name")
    }

    static func backupUnderWay(_ path: String) -> Refusal {
        Refusal(
            .conflict, "backup-under-way", field: "file", zh: "另一个备份正在写入 \(path.shortened)",
            en: "another backup is writing \(path.shortened) at this moment")
    }

    static func backupFile(_ path: String, _ code: Int32) -> Refusal {
        if code == ENOSPC || code == EDQUOT {
            return Refusal(
                .unavailable, "disk-full", field: "file", zh: "\(path.shortened) 所在磁盘已满，没有留下备份",
                en: "the disk that is to hold \(path.shortened) is full: there is no backup")
        }
        let reason = String(cString: strerror(code))
        return Refusal(
            .unavailable, "backup-file", field: "file", zh: "文件 \(path.shortened) 不可用（\(reason)）",
            en: "the file \(path.shortened) can't be used (\(reason))")
    }

    static let notABackup = Refusal(
        .invalid, "not-a-backup", field: "file", zh: "这不是 taoyuan backup 写的文件",
        en: "this is no file that `taoyuan backup` wrote")

    static let newerBackup = Refusal(
        .invalid, "newer-backup", field: "file", zh: "这份备份由更新的程序写成：请使用更新的程序",
        en: "this backup was written by a newer program: use that one")

    static let damagedBackup = Refusal(
        .invalid, "damaged-backup", field: "file", zh: "备份不完整或被改动过：没有恢复任何东西，请用另一份备份",
        en: "the backup is cut short or was altered: nothing of it was restored; use another one")

    static let sealedBackup = Refusal(
        .invalid, "sealed-backup", field: "passphraseFile", zh: "这份备份已加密：请给出口令",
        en: "this backup is encrypted: give its passphrase")

    static let wrongBackupPassphrase = Refusal(
        .forbidden, "wrong-passphrase", field: "passphraseFile", zh: "口令不对，或备份的开头已损坏",
        en: "this is not its passphrase, or the beginning of the backup is damaged")

    static let nothingToBackUp = Refusal(
        .notFound, "nothing-to-back-up", zh: "数据库里没有可备份的村庄", en: "there is no village in the database to back up")

    static let databaseNotEmpty = Refusal(
        .conflict, "database-not-empty", zh: "数据库不是空的：备份只恢复到空的数据库里",
        en: "the database is not empty: a backup is restored into an empty one only")

    static let restoreUnderWay = Refusal(
        .conflict, "restore-under-way", zh: "这个数据库正在恢复另一份备份", en: "another backup is being restored into this database")

    public static let unfinishedRestore = Refusal(
        .conflict, "unfinished-restore", zh: "数据库里的恢复没有完成：请再运行一次 taoyuan restore，它会先清除残留",
        en:
            "a restore into this database did not come to its end: run `taoyuan restore` again, which first clears away what is left"
    )

    static func otherSums(_ told: String?, _ found: String?) -> Refusal {
        Refusal(
            .conflict, "other-sums", zh: "恢复出来的与备份时不符，已清除：备份时 \(told ?? "—")，现在 \(found ?? "—")",
            en:
                "what was restored is not what was backed up, and has been removed: then \(told ?? "—"), now \(found ?? "—")"
        )
    }

    static func postgresTooOld(server: Int, needed: Int) -> Refusal {
        Refusal(
            .conflict, "postgres-too-old", zh: "备份来自 PostgreSQL \(needed)，而这里的服务器是 \(server) 版：请用 \(needed) 版或更新的",
            en: "the backup is of PostgreSQL \(needed) and this server is of \(server): use \(needed) or newer")
    }

    /// - Parameter talk: what the program said, of which the first complaint tells why.
    static func program(_ name: String, _ talk: String) -> Refusal {
        let lines = talk.split(separator: "\n")
        var reason = (lines.first { $0.contains("error:") } ?? lines.first ?? "?").replacing("\(name): ", with: "")
        for known in ["error: ", "could not execute query: ", "ERROR:  "] where reason.hasPrefix(known) {
            reason.removeFirst(known.count)
        }
        if reason.contains("No space left on device") {
            return Refusal(
                .unavailable, "disk-full", zh: "数据库所在磁盘已满", en: "the disk that holds the database is full")
        }
        return Refusal(
            .unavailable, "program-failed", zh: "\(name) 失败：\(String(reason).shortened)",
            en: "\(name) failed: \(String(reason).shortened)")
    }
}
