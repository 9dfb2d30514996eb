import ArgumentParser
import Backend
import Backups
import Documents
import Foundation
import Kernel
import Signing

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: words(
            "备份数据库和密钥到一个文件，可在服务运行时进行。", "Backs up the database and the keys into a file, also while serving."),
        discussion: "taoyuan backup 2026-11-27.taoyuan --encrypt --passphrase-file backup.txt --with-key-passphrase")

    @OptionGroup var options: ProgramOptions
    @Argument(help: .words("写入的文件，不能已存在。", "The file to write, which must not be there yet.")) var file: String
    @Flag(
        help: .words(
            "加密（AES-256-GCM），口令另行询问或取自文件。", "Encrypt it (AES-256-GCM) with a passphrase, asked for or from a file."))
    var encrypt = false
    @Option(help: .words("加密口令所在的文件。", "The file with that passphrase.")) var passphraseFile: String?
    @Flag(help: .words("把密钥口令也放进（加密的）备份。", "Put what opens the keys into it, too; only with --encrypt."))
    var withKeyPassphrase = false

    func validate() throws {
        guard encrypt || passphraseFile == nil && !withKeyPassphrase else {
            throw ValidationError(
                words(
                    "--passphrase-file 和 --with-key-passphrase 须与 --encrypt 同用。",
                    "--passphrase-file and --with-key-passphrase go with --encrypt."))
        }
    }

    func run() async throws {
        let configuration = try options.configuration()
        let sealing = encrypt ? try BackupPassphrase.new(file: passphraseFile) : nil
        let about = try await Interruption.watching {
            try await Backend.backUp(
                configuration, to: file, sealing: sealing, includingKeyPassphrase: withKeyPassphrase)
        }
        try options.show(
            about.json(file: file), words("已备份 \(about.who)，写入 \(file)", "backed up \(about.who) to \(file)"))
        if let sealing = withKeyPassphrase ? nil : keptBeside(configuration) { Terminal.say(sealing) }
    }

    /// Without this no new code can be signed after a restore.
    private func keptBeside(_ configuration: Configuration) -> String {
        let place =
            configuration.keyPassphrase == nil
            ? words("\(configuration.dataDirectory)/key-passphrase", "\(configuration.dataDirectory)/key-passphrase")
            : words("TAOYUAN_KEY_PASSPHRASE 的值", "the value of TAOYUAN_KEY_PASSPHRASE")
        return words(
            "备份里没有密钥口令：请另行保管 \(place)，恢复后没有它就不能再签发",
            "what opens the keys is not in it: keep \(place) elsewhere, without which a restored village signs nothing new"
        )
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: words(
            "把备份恢复到新的数据目录或空的数据库。", "Restores a backup into a new data folder or an empty database."),
        discussion: "taoyuan restore 2026-11-27.taoyuan --data-dir /var/lib/taoyuan")

    @OptionGroup var options: ProgramOptions
    @Argument(help: .words("taoyuan backup 写的文件。", "A file that `taoyuan backup` wrote.")) var file: String
    @Option(help: .words("加密口令所在的文件（默认询问）。", "The file with its passphrase, instead of asking for it."))
    var passphraseFile: String?
    @Option(help: .words("密钥口令所在的文件，备份里没有时才需要。", "The file with what opens the keys, if that is not in the backup."))
    var keyPassphraseFile: String?
    @Flag(
        help: .words(
            "不恢复签发密钥（口令已丢失时）：旧码照样可查验，新码用新密钥签发。",
            "Leave the signing keys away, where what opens them is lost: old codes are verified, new ones signed with a new key."
        ))
    var withoutKeys = false
    @Flag(help: .words("只检查备份是否完整，什么也不恢复。", "Only look whether the backup is whole; restore nothing."))
    var check = false

    func run() async throws {
        let configuration = try options.configuration()
        let keyPassphrase = try keyPassphraseFile.map { try Passphrase.read(file: $0) }
        let archive: BackupArchive
        do {
            archive = try BackupArchive(
                checking: file, passphrase: try passphraseFile.map { try Passphrase.read(file: $0) })
        } catch let refusal as Refusal where refusal.code == "sealed-backup" {
            archive = try BackupArchive(checking: file, passphrase: try BackupPassphrase.asked())
        }
        let about = archive.about
        guard !check else {
            let text = words(
                "备份完整：\(about.who)，\(about.takenAt.minute)",
                "the backup is whole: \(about.who), \(about.takenAt.minute)")
            return try options.show(about.json(file: file), text)
        }
        let keys = try await Interruption.watching {
            try await Backend.restore(
                configuration, from: archive, opening: withoutKeys ? .none : .passphrase(keyPassphrase))
        }
        let ids = keys.map(\.hex).joined(separator: words("、", ", "))
        try options.show(
            about.json(file: file),
            words(
                "已恢复 \(about.who)在 \(about.takenAt.minute) 的 \(archive.sums.count) 张表，总数与备份时相同；",
                "restored the \(archive.sums.count) tables of \(about.who) as of \(about.takenAt.minute); "
                    + "their sums are those of the backup. ")
                + (keys.isEmpty
                    ? words(
                        "没有签发密钥：请用 taoyuan key create --algorithm ed25519 生成",
                        "There is no key to sign with: make one by `taoyuan key create --algorithm ed25519`")
                    : words("签发密钥：\(ids)", "It signs with: \(ids)")))
        Terminal.say(
            words(
                "此后登记的批次和预约跳过一段编号：备份之后可能已有标签和票证用过它们，重新补录的请重印",
                "The batches and bookings to come skip some numbers, which labels and tickets may bear that were made after the "
                    + "backup: what is entered again needs new ones"))
    }

    func validate() throws {
        guard !withoutKeys || keyPassphraseFile == nil else {
            throw ValidationError(
                words(
                    "--without-keys 与 --key-passphrase-file 只能用一个。",
                    "Give --without-keys or --key-passphrase-file, not both."))
        }
    }
}

/// What a backup is encrypted with.
private enum BackupPassphrase {
    static func new(file: String?) throws -> Passphrase {
        if let file { return try Passphrase.read(file: file) }
        let first = try PasswordOptions.ask(words("备份口令：", "Passphrase of the backup: "))
        guard try PasswordOptions.ask(words("再输一次：", "Once more: ")) == first else {
            throw Refusal(
                .invalid, "passphrases-differ", field: "passphraseFile", zh: "两次输入不一致", en: "the two are not the same")
        }
        return try Passphrase(first)
    }

    static func asked() throws -> Passphrase {
        guard isatty(STDIN_FILENO) == 1 else {
            throw Refusal(
                .invalid, "sealed-backup", field: "passphraseFile", zh: "这份备份已加密：请给出口令",
                en: "this backup is encrypted: give its passphrase")
        }
        return try Passphrase(PasswordOptions.ask(words("备份口令：", "Passphrase of the backup: ")))
    }
}

extension BackupArchive.Manifest {
    var who: String {
        let first = words("\(village)（\(origin)）", "\(village) (\(origin))")
        return villages == 1 ? first : words("\(first)等 \(villages) 个村", "\(first) and \(villages - 1) more")
    }

    func json(file: String) -> JSON {
        [
            "file": .string(file), "takenAt": JSON(takenAt), "village": .string(village), "origin": .string(origin),
            "villages": .integer(Int64(villages)), "schema": .integer(Int64(schema)),
            "postgres": .integer(Int64(postgres)),
        ]
    }
}
