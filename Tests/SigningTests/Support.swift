import Foundation
import Kernel
import Signing
import Testing

let origin = CodeVectors.shared.siteOrigin

extension CivilDay {
    static let issued = CivilDay(daysSince2020: 2060)
    static let bestBefore = CivilDay(daysSince2020: 2425)
}

struct CodeVectors: Decodable {
    struct Vector: Decodable, CustomTestStringConvertible {
        let payload: String
        let expect: String
        let why: String
        let bodyHex: String?
        let kind: String?
        let batch: UInt32?
        let issuedDay: Int?
        let bestBeforeDay: Int?
        let serial: String?

        var testDescription: String { "\(expect): \(why), \(payload.prefix(16))…" }
    }

    let origin: String
    let algorithm: String
    let keyId: String
    let publicKeyPEM: String
    let privateKeyPEM: String
    let vectors: [Vector]

    static let shared: CodeVectors = {
        do {
            let url = try #require(Bundle.module.url(forResource: "Resources/code-vectors", withExtension: "json"))
            return try JSONDecoder().decode(CodeVectors.self, from: Data(contentsOf: url))
        } catch {
            preconditionFailure("code-vectors.json: \(error)")
        }
    }()

    var siteOrigin: Origin {
        do {
            return try Origin(origin)
        } catch {
            preconditionFailure("origin of code-vectors.json: \(error)")
        }
    }
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { (($0 < 16) ? "0" : "") + String($0, radix: 16) }.joined()
}

func bytes(hex: String) -> [UInt8] {
    hex.filter { !$0.isWhitespace }.chunks(of: 2).compactMap { UInt8($0, radix: 16) }
}

extension String {
    func chunks(of length: Int) -> [Substring] {
        stride(from: 0, to: count, by: length).map { dropFirst($0).prefix(length) }
    }
}

/// The `Refusal` that the body throws, or a recorded failure.
func refusal(
    _ code: String, _ kind: Refusal.Kind? = nil, sourceLocation: SourceLocation = #_sourceLocation,
    from body: () throws -> some Any
) {
    let refusal = #expect(throws: Refusal.self, sourceLocation: sourceLocation) { _ = try body() }
    #expect(refusal?.code == code, sourceLocation: sourceLocation)
    if let kind { #expect(refusal?.kind == kind, sourceLocation: sourceLocation) }
}

/// A folder that goes with the test that made it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/signing-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ name: String, _ content: some Sequence<UInt8>) throws {
        try Data(content).write(to: URL(filePath: file(name)))
    }

    func read(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(filePath: file(name))))
    }

    func setMode(_ name: String, _ mode: Int) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file(name))
    }

    func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions] as? Int
    }

    /// Runs a line of shell in the folder.
    @discardableResult
    func shell(_ script: String, _ environment: [String: String] = [:]) async throws -> (status: Int32, output: String)
    {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script]
        process.currentDirectoryURL = URL(filePath: path)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                continuation.resume(throwing: error)
            }
        }
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        return (status, String(decoding: data, as: UTF8.self))
    }
}

func isInstalled(_ command: String) -> Bool {
    let folders = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
    return folders.split(separator: ":").contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(command)") }
}
