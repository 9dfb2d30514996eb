import Backups
import Database
import Foundation
import Kernel

extension Backend {
    /// Brings the embedded database to the newest PostgreSQL of this machine, by a backup that is restored beside it.
    /// Whatever fails leaves the old one as it was.
    /// - Parameter force: also when that is the version which it has.
    /// - Returns: the version before and now, and where the old cluster is kept.
    public static func upgradeDatabase(
        _ configuration: Configuration, force: Bool
    ) async throws -> (from: Int, to: Int, kept: String) {
        guard configuration.isEmbedded else {
            throw Refusal(
                .invalid, "not-embedded", field: "DATABASE_URL", zh: "只升级内置的数据库；自己的 PostgreSQL 请用 backup 和 restore",
                en: "the embedded database alone is upgraded: with a PostgreSQL of your own, use backup and restore")
        }
        let folder = configuration.dataDirectory
        let plan = try await EmbeddedPostgres.planUpgrade(
            dataDirectory: folder, binaries: configuration.postgresBinaries, force: force)
        // A named folder has the new version's programs; those of the old one are looked for.
        let old = try await EmbeddedPostgres.open(
            dataDirectory: folder,
            binaries: plan.from == plan.newest.major ? configuration.postgresBinaries : nil, making: false)
        do {
            try old.useAlone()
            try await EmbeddedPostgres.discard(draft: plan.draft)
            try await fill(plan, configuration, from: old)
            try await old.stop()
            let kept = try EmbeddedPostgres.exchange(dataDirectory: folder, for: plan)
            await old.close()
            try? await EmbeddedPostgres.discard(draft: plan.draft)
            return (plan.from, plan.newest.major, kept)
        } catch {
            await old.close()
            try? await EmbeddedPostgres.discard(draft: plan.draft)
            throw error
        }
    }

    /// Makes the new cluster with everything in it.
    private static func fill(
        _ plan: EmbeddedPostgres.UpgradePlan, _ configuration: Configuration, from old: EmbeddedPostgres
    ) async throws {
        let new = try await EmbeddedPostgres.open(
            dataDirectory: plan.draft, binaries: plan.newest.folder, isDraft: true)
        do {
            let file = plan.draft + "/before.taoyuan"
            _ = try await Backup(
                owner: old.settings(), keysFolder: configuration.keysFolder, binaries: plan.newest.folder
            ).take(to: file, sealing: nil, keyPassphrase: nil)
            let archive = try BackupArchive(checking: file, passphrase: nil)
            try await Restore(
                archive, owner: new.settings(), binaries: plan.newest.folder, skipsNumbers: false
            ).run {}
            unlink(file)
            try await new.finish()
        } catch {
            await new.close()
            throw error
        }
    }
}
