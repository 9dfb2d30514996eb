import Foundation
import Glibc
import Kernel
import Testing

@testable import Registers

/// A file that lasts as long as its value.
final class Scratch: Sendable {
    let path: String

    init(_ bytes: some Sequence<UInt8> = []) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "register-\(UUID().uuidString).csv").path
        try Data(bytes).write(to: URL(filePath: path))
    }

    convenience init(_ text: String) throws {
        try self.init(text.utf8)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// A row as it was read: its number, its cells, and its problem's code.
struct Seen: Equatable {
    let number: Int
    let cells: [String]
    var problem: String?
}

extension Register {
    func rows(size: Int = 1000) async throws -> [RegisterRow] {
        var rows: [RegisterRow] = []
        for try await part in parts(of: size) { rows += part.rows }
        return rows
    }

    func seen(size: Int = 1000) async throws -> [Seen] {
        try await rows(size: size).map { Seen(number: $0.number, cells: $0.cells, problem: $0.problem?.code) }
    }
}

func read(_ text: String, columns: [Column] = [], readSize: Int = 131_072) async throws -> [Seen] {
    let file = try Scratch(text)
    return try await Register(path: file.path, columns: columns, readSize: readSize).seen()
}

/// The refusal of a file that cannot be opened as a register.
func refusal(of bytes: some Sequence<UInt8>, columns: [Column] = []) async throws -> Refusal? {
    let file = try Scratch(bytes)
    return await #expect(throws: Refusal.self) { try await Register(path: file.path, columns: columns) }
}

/// The only row below a header that names `column`.
func row(_ column: Column, _ cell: String) async throws -> RegisterRow {
    let quoted = "\"" + cell.replacing("\"", with: "\"\"") + "\""
    let file = try Scratch("\(column.name),序\r\n\(quoted),1\r\n")
    return try #require(try await Register(path: file.path, columns: [column]).rows().first)
}

/// The encodings beside UTF-8 in which registers arrive.
enum Encoded: CaseIterable {
    case gb18030, utf16LittleEndian, utf16BigEndian

    /// UTF-16 has its byte order mark.
    func bytes(of text: String) throws -> [UInt8] {
        switch self {
        case .gb18030: try Self.gb18030(text)
        case .utf16LittleEndian: [0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        case .utf16BigEndian: [0xFE, 0xFF] + text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        }
    }

    private static func gb18030(_ text: String) throws -> [UInt8] {
        let handle = iconv_open("GB18030", "UTF-8")
        defer { iconv_close(handle) }
        var input = text.utf8.map { CChar(bitPattern: $0) }
        var output = [CChar](repeating: 0, count: input.count * 2 + 4)
        var left = input.count
        var room = output.count
        let status = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                var from = input.baseAddress
                var to = output.baseAddress
                return iconv(handle, &from, &left, &to, &room)
            }
        }
        try #require(status == 0)
        return output.dropLast(room).map { UInt8(bitPattern: $0) }
    }
}

/// The names of the sample registers, and their text.
enum Samples {
    static let names = ["households", "plots", "harvest", "sales", "income"]
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../TestSupport/Resources/samples")

    static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: "\(name).csv"), encoding: .utf8)
    }

    static func expected() throws -> Expected {
        try JSONDecoder().decode(Expected.self, from: Data(contentsOf: folder.appending(path: "expect.json")))
    }

    struct Expected: Decodable {
        struct Year: Decodable {
            let salesFen: Int64
            let otherFen: Int64
            let peachJinTenths: Int64
        }

        let totals: [String: Year]
    }
}

struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
