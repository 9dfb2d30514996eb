import Foundation
import Kernel
import Postgres
import Testing

@testable import Database

/// Runs `body` with a new data folder's path, which nothing has made yet; afterwards neither it nor its server is there.
func withDataFolder(in place: String = "/tmp", _ body: (String) async throws -> Void) async throws {
    let parent = "\(place)/taoyuan-test-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    let path = parent + "/data"
    defer {
        if let process = postmaster(path) { kill(process, SIGQUIT) }
        try? FileManager.default.removeItem(atPath: parent)
    }
    try await body(path)
}

/// Runs `body` on a small file system of its own.
func withSmallDisk(megabytes: Int, _ body: (String) async throws -> Void) async throws {
    let path = "/tmp/taoyuan-disk-\(UUID().uuidString.prefix(8))"
    mkdir(path, 0o755)
    try #require(await succeeds("mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path))
    do {
        try await withDataFolder(in: path, body)
    } catch {
        Issue.record(error)
    }
    #expect(await succeeds("umount", path))
    rmdir(path)
}

func mayMount() async -> Bool {
    let path = "/tmp/taoyuan-mount-\(UUID().uuidString.prefix(8))"
    mkdir(path, 0o755)
    defer { rmdir(path) }
    guard geteuid() == 0, await succeeds("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path) else { return false }
    return await succeeds("umount", path)
}

func succeeds(_ words: String...) async -> Bool {
    (try? await Command(words).run())?.status == 0
}

/// The postmaster of a data folder, if it lives.
func postmaster(_ path: String) -> pid_t? {
    let text = try? String(contentsOfFile: path + "/postgres/postmaster.pid", encoding: .utf8)
    guard let process = text?.split(separator: "\n").first.flatMap({ pid_t($0) }), kill(process, 0) == 0 else {
        return nil
    }
    return process
}

/// Expects that the folder cannot be opened, in one sentence of each language that names `part`.
func expectRefusal(_ code: String, toOpen path: String, binaries: String? = nil, naming part: String) async throws {
    let refusal = await #expect(throws: Refusal.self) {
        let embedded = try await EmbeddedPostgres.open(dataDirectory: path, binaries: binaries)
        await embedded.close()
    }
    #expect(refusal?.code == code)
    #expect(refusal?.kind == .unavailable)
    for sentence in [refusal?.message.zh, refusal?.message.en] {
        #expect(sentence?.contains(part) == true)
        #expect(sentence?.contains("\n") == false)
    }
}

/// Runs statements on a connection of their own.
/// - Returns: the rows of the last one.
@discardableResult
func run(_ settings: Settings, _ statements: SQL...) async throws -> Rows? {
    let connection = try await Connection.open(settings)
    var rows: Rows?
    do {
        for statement in statements { rows = try await connection.query(statement) }
    } catch {
        await connection.close()
        throw error
    }
    await connection.close()
    return rows
}
