import Foundation
import Kernel

/// The folder of PostgreSQL's own programs on this machine.
public struct PostgresBinaries: Sendable {
    static let oldestMajor = 15

    public let folder: String
    public let major: Int

    /// Those with `pg_dump` and `pg_restore`: of the server's version, or else of the newest.
    /// - Throws: a `Refusal` when there are none, or only such as are older than the server.
    public static func clients(given: String?, server: Int) async throws -> PostgresBinaries {
        var found: [PostgresBinaries] = []
        for folder in await candidates() + (given.map { [$0] } ?? []) {
            if let binaries = await PostgresBinaries(folder: folder, with: ["pg_dump", "pg_restore"]) {
                found.append(binaries)
            }
        }
        let fitting = found.last { $0.major == server } ?? found.max { $0.major < $1.major }
        guard let fitting, fitting.major >= server else {
            throw Refusal.noClients(server: server, found: fitting?.major)
        }
        return fitting
    }

    /// - Parameters:
    ///   - given: the folder that the user named; no other is looked at then.
    ///   - wanted: the major version that the data folder was made by, if there is one.
    ///   - data: the folder that needs it, which refusals name.
    /// - Throws: a `Refusal` when there is none, or only ones that are too old or do not fit the data.
    static func locate(given: String?, wanted: Int?, for data: DataFolder) async throws -> PostgresBinaries {
        var found: [PostgresBinaries] = []
        let folders = if let given { [given] } else { await candidates() }
        for folder in folders {
            if let binaries = await PostgresBinaries(folder: folder, with: ["postgres", "initdb"]) {
                found.append(binaries)
            }
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

    /// The newest that there is, for a new cluster.
    static func newest(given: String?, for data: DataFolder) async throws -> PostgresBinaries {
        try await locate(given: given, wanted: nil, for: data)
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

    /// - Parameter programs: what there has to be; the first tells its version.
    private init?(folder: String, with programs: [String]) async {
        guard programs.allSatisfy({ access("\(folder)/\($0)", X_OK) == 0 }), let first = programs.first,
            let answer = try? await Command(["\(folder)/\(first)", "--version"]).run(),
            let version = answer.output.split(separator: " ").first(where: { $0.first?.isNumber == true }),
            let major = Int(version.prefix { $0.isNumber })
        else { return nil }
        self.folder = folder
        self.major = major
    }
}
