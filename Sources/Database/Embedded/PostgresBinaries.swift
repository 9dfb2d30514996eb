import Foundation
import Kernel

/// The folder of PostgreSQL's own programs on this machine.
struct PostgresBinaries: Sendable {
    static let oldestMajor = 15

    let folder: String
    let major: Int

    /// - Parameters:
    ///   - given: the folder that the user named; no other is looked at then.
    ///   - wanted: the major version that the data folder was made by, if there is one.
    ///   - data: the folder that needs it, which refusals name.
    /// - Throws: a `Refusal` when there is none, or only ones that are too old or do not fit the data.
    static func locate(given: String?, wanted: Int?, for data: DataFolder) async throws -> PostgresBinaries {
        var found: [PostgresBinaries] = []
        let folders = if let given { [given] } else { await candidates() }
        for folder in folders {
            if let binaries = await PostgresBinaries(folder: folder) { found.append(binaries) }
        }
        guard let newest = found.max(by: { $0.major < $1.major }) else {
            throw Refusal.noPostgres(given: given, folder: data.root)
        }
        guard newest.major >= oldestMajor else {
            throw Refusal.postgresTooOld(newest, folder: data.root)
        }
        guard let wanted else { return newest }
        guard let fitting = found.first(where: { $0.major == wanted }) else {
            throw Refusal.otherMajor(folder: data.cluster, made: wanted, found: newest.major)
        }
        return fitting
    }

    private static func candidates() async -> [String] {
        var folders: [String] = []
        if let answer = try? await Command(["pg_config", "--bindir"]).run(), answer.status == 0 {
            folders.append(String(answer.output.trimmed))
        }
        let debian = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: debian)) ?? []
        folders += versions.map { "\(debian)/\($0)/bin" }
        folders += (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        var seen: Set<String> = []
        return folders.filter { seen.insert($0).inserted }
    }

    private init?(folder: String) async {
        guard ["initdb", "postgres"].allSatisfy({ access("\(folder)/\($0)", X_OK) == 0 }),
            let answer = try? await Command(["\(folder)/postgres", "--version"]).run(),
            let version = answer.output.split(separator: " ").first(where: { $0.first?.isNumber == true }),
            let major = Int(version.prefix { $0.isNumber })
        else { return nil }
        self.folder = folder
        self.major = major
    }
}
