import Foundation
import Kernel

extension EmbeddedPostgres {
    /// What an upgrade has before it.
    public struct UpgradePlan: Sendable {
        /// The cluster's major version.
        public let from: Int
        public let newest: PostgresBinaries
        /// Where the new cluster is made: on the same disk, so that it can take the old one's place.
        public let draft: String
    }

    /// - Parameter force: whether the same version will do.
    /// - Throws: a `Refusal` when there is no cluster, or none newer than its own.
    public static func planUpgrade(
        dataDirectory: String, binaries: String?, force: Bool
    ) async throws -> UpgradePlan {
        let folder = try DataFolder(dataDirectory)
        guard let made = try folder.clusterMajor() else { throw Refusal.noData(folder: folder.root) }
        let newest = try await PostgresBinaries.newest(given: binaries, for: folder)
        guard newest.major > made || force && newest.major == made else { throw Refusal.newestAlready(made) }
        return UpgradePlan(from: made, newest: newest, draft: folder.root + "/upgrading")
    }

    /// Stops the server of a draft that a killed upgrade left, and removes it.
    public static func discard(draft: String) async throws {
        guard FileManager.default.fileExists(atPath: draft) else { return }
        await EmbeddedServer(folder: try DataFolder(draft), binaries: nil).stop()
        try FileManager.default.removeItem(atPath: draft)
    }

    /// Puts the draft's cluster into the place of the data folder's own, and keeps the old one beside it. No server may run
    /// in either.
    /// - Returns: where the old one is now.
    public static func exchange(dataDirectory: String, for plan: UpgradePlan) throws -> String {
        let folder = try DataFolder(dataDirectory)
        let made = try DataFolder(plan.draft).cluster
        var kept = "\(folder.cluster)-\(plan.from)"
        var number = 1
        while FileManager.default.fileExists(atPath: kept) {
            number += 1
            kept = "\(folder.cluster)-\(plan.from)-\(number)"
        }
        guard rename(folder.cluster, kept) == 0 else {
            throw Refusal.file(FileFault(path: folder.cluster, errno: errno))
        }
        guard rename(made, folder.cluster) == 0 else {
            let fault = FileFault(path: made, errno: errno)
            rename(kept, folder.cluster)
            throw Refusal.file(fault)
        }
        return kept
    }
}
