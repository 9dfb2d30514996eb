import Codes
import Foundation
import Kernel
import Orchard
import Registers
import Sales
import Signing
import TestSupport
import Testing

@testable import Backups
@testable import Income
@testable import Tours

/// Files of nothing but what their readers treat specially: they take as long as others of their size, or so.
@Suite struct SpecialByteTests {
    private static let size = 8 << 20

    private func withFile(_ bytes: some Sequence<UInt8>, _ body: (String) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        try Data(bytes).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    // MARK: Registers

    private static let pieces = [
        "0", "9", "０", "，", ",", ".", "．", "-", "−", "/", ":", "年", "月", "日", "斤", "kg", "元", "￥", "箱", "1/", "1:", " ",
        "\u{3000}", "\u{FEFF}", "\u{200B}", "\u{301}", "\u{1100}\u{1161}\u{11A8}", "e", "1E+12", "#", "#N/A", "'",
        "=\"",
        "\"\"", "\n", "(", "（", "T", "+", "@", "桃", "a", "\u{1F351}", "ﬃ", "\u{FDFA}", "\u{7F}", "\u{1}",
    ]

    /// Rows as in the sample, each with one cell that is as long as cells may be, of one piece or of another.
    private func rows(_ kind: String, _ columns: [Column], _ read: (RegisterRow) throws -> Void) async throws {
        let sample = try await Register(path: Samples.path("\(kind).csv"), columns: columns)
        var sound: [String]?
        for try await part in sample.parts(of: 1) {
            sound = part.rows.first?.cells
            break
        }
        let cells = try #require(sound)
        let long = Self.pieces.map { piece in
            let quoted = piece.replacing("\"", with: "\"\"")
            return "\"" + String(repeating: quoted, count: 9900 / quoted.utf8.count) + "\""
        }
        var text = sample.header.joined(separator: ",") + "\n"
        var number = 0
        while text.utf8.count < Self.size {
            var row = cells
            row[number % row.count] = long[number / row.count % long.count]
            text += row.joined(separator: ",") + "\n"
            number += 1
        }
        #expect(number > cells.count * long.count)
        try await withFile(text.utf8) { path in
            let register = try await Register(path: path, columns: columns)
            #expect(register.rowCount == number)
            for try await part in register.parts(of: 5000) {
                for row in part.rows { _ = try? read(row) }
            }
        }
    }

    /// What grows with the square of the size takes many hours; what does not, minutes where all cores are taken.
    @Test(.timeLimit(.minutes(60)))
    func `registers of households and plots are read in a time that grows with their size`()
        async throws
    {
        try await rows("households", HouseholdRegister.columns) { _ = try HouseholdRegister.identity(of: $0) }
        try await rows("plots", PlotRegister.columns) { _ = try PlotRegister.identity(of: $0) }
    }

    @Test(.timeLimit(.minutes(60))) func `registers of harvests and sales are read in such a time`() async throws {
        try await rows("harvest", HarvestRegister.columns) { _ = try HarvestRegister.identity(of: $0) }
        try await rows("sales", SaleRegister.columns) { _ = try SaleRegister.identity(of: $0) }
    }

    @Test(.timeLimit(.minutes(60))) func `registers of bookings and other income are read in such a time`() async throws
    {
        let today = CivilDay(of: Date())
        try await rows("bookings", BookingRegister.columns) { _ = try BookingRegister(today: today).read($0) }
        try await rows("income", IncomeRegister.columns) { _ = try IncomeRegister(today: today).read($0) }
    }

    // MARK: The gate

    @Test(
        .timeLimit(.minutes(60)),
        arguments: ["\n", "\r", "\t", " ", "{", "}", "[", "]", "\"", "\\", ",", ":", "0", "-", "e", "t", "\u{0}", "桃"])
    func `what a gate takes along is read in such a time`(piece: String) throws {
        for head in ["", "{", "{\"code\":\"", "{\"at\":", "\n["] {
            let size = head.isEmpty ? Self.size : Self.size / 16
            let bytes = Array((head + String(repeating: piece, count: size / piece.utf8.count)).utf8)
            let contents = GateJournal.read(bytes)
            #expect(contents.entries.isEmpty && contents.damage.count <= 2)
            #expect(throws: Refusal.self) { try GateList(json: bytes) }
        }
    }

    @Test func `of what is no journal at all a thousand lines are named, and the others counted`() throws {
        let entry = CheckInEntry(code: "ABCD-EFGH-IJKL", headcount: 8, nonce: "a-nonce-of-its-own", at: Date())
        let bytes = Array(String(repeating: "x\n", count: 5000).utf8) + (try GateJournal.line(entry))
        let contents = GateJournal.read(bytes)
        #expect(contents.entries.map(\.nonce) == [entry.nonce])
        #expect(contents.damage.count == 1001 && contents.damage.last?.line == 1001)
        #expect(contents.damage.last?.why.en.contains("4000") == true)
    }

    // MARK: Backups and keys

    private static func entry(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
        Tar.head(name, size: bytes.count) + bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }

    private static let names = [
        BackupArchive.keys + "0123.pem", BackupArchive.passphrase, BackupArchive.database + "000000001",
        BackupArchive.sums, BackupArchive.digest,
    ]

    @Test(.timeLimit(.minutes(60)), arguments: [0x00, 0x0A, 0x20, 0x22, 0x30, 0x7B, 0xFF] as [UInt8])
    func `backups are read in such a time`(byte: UInt8) async throws {
        let about = BackupArchive.Manifest(
            takenAt: Date(timeIntervalSince1970: 0), village: "韩村", origin: "localhost:8080", villages: 1, schema: 1,
            postgres: 15, dumper: 15)
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        let manifest = Self.entry(BackupArchive.manifest, Array(try encoder.encode(about)))
        let whole = [UInt8](repeating: byte, count: 4 << 20)
        var files: [[UInt8]] = [
            whole + whole, manifest + whole + whole, SealedHead.mark + whole + whole,
            Self.entry(BackupArchive.manifest, whole) + whole,
        ]
        // Two files that are as large as they may be, of each kind, and thousands that are empty.
        files += Self.names.map { manifest + Self.entry($0, whole) + Self.entry($0, whole) }
        if byte == 0 {
            files.append(manifest + repeatElement(Tar.head(Self.names[2], size: 0), count: 16_384).joined())
        }
        for file in files {
            try await withFile(file) { path in
                let passphrase = try Passphrase("one of many words")
                #expect(throws: Refusal.self) { try BackupArchive(checking: path, passphrase: passphrase) }
            }
        }
    }

    @Test func `a file is no passphrase when it is long`() async throws {
        try await withFile(repeatElement(0x0A, count: Self.size)) { path in
            #expect(throws: Refusal.self) { try Passphrase.read(file: path) }
        }
    }
}
