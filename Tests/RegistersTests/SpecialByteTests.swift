import Foundation
import Kernel
import Testing

@testable import Registers

/// Files of nothing but what readers treat specially: reading them takes as long as others of their size, or so.
@Suite struct SpecialByteTests {
    private static let megabyte = 1 << 20
    private static let columns = [Column("户号"), Column("户主"), Column("人口", required: false)]

    /// Each alone, some pairs, and what begins a cell, a row or a line above the header.
    private static let pieces: [[UInt8]] =
        [
            "\n", "\r", "\r\n", "\"", "\"\"", "\",", "\"\n", ",", ";", "\t", "，", " ", "\n ", " \n", ",\n", "，\n", "'",
            "=",
            "=\"", "sep=\n", "sep=,\n", "合计\n", "单位\n", "０", "\u{3000}", "\u{FEFF}", "\u{301}", "a", "桃", "a\"",
            "a,\"b\"c,",
            "-", ".", "%", "\u{7F}", "\u{1}",
        ].map { Array($0.utf8) } + [
            [0], [0xFF], [0x80], [0x8C], [0xBC, 0x8C], [0x81, 0x30], [0xD8, 0x00], [0xFF, 0xFE],
        ]

    /// What may stand before them, and how many bytes follow; after the header, 8 MB of each byte.
    private static let heads: [(bytes: [UInt8], count: Int)] = [
        ([], megabyte), (Array("户号,户主\n".utf8), megabyte / 4), (Array("户号,户主\n1,\"".utf8), megabyte / 4),
        ([0xFF, 0xFE], megabyte / 8),
    ]

    /// Everything that an import does with a file before it asks the database.
    private func readWhole(_ bytes: [UInt8]) async throws {
        let file = try Scratch(bytes)
        do {
            let register = try await Register(path: file.path, columns: Self.columns)
            var survey = Survey()
            for try await part in register.parts(of: 5000) {
                try survey.add(part.rows, numbering: nil, names: [Self.columns[1]], all: Self.columns)
                // Cells are as long as they may be elsewhere; here rows are many.
                for row in part.rows.prefix(100) {
                    for column in Self.columns { _ = try? row.optionalText(column) }
                    _ = try? row.optionalKey(Self.columns[0])
                    _ = try? row.optionalDay(Self.columns[1])
                    _ = try? row.optionalWeight(Self.columns[1], unit: 500)
                    _ = try? row.optionalMoney(Self.columns[1])
                    _ = try? row.optionalDecimal(Self.columns[1], places: 2)
                    _ = try? row.optionalInteger(Self.columns[2], in: 0...10)
                }
            }
            _ = survey.finish()
        } catch is Refusal {
            // Few of them are registers.
        }
    }

    /// What grows with the square of the size takes many hours; what does not, minutes where all cores are taken.
    @Test(.timeLimit(.minutes(60)), arguments: pieces.indices)
    func `it is read in a time that grows with its size`(index: Int) async throws {
        let piece = Self.pieces[index]
        for (place, head) in Self.heads.enumerated() {
            let count = piece.count == 1 && place == 1 ? 8 * Self.megabyte : head.count
            let bytes =
                piece.count == 1
                ? [UInt8](repeating: piece[0], count: count)
                : Array(repeatElement(piece, count: count / piece.count).joined())
            try await readWhole(head.bytes + bytes)
        }
    }

    @Test func `reading ends when nobody wants the rows any more`() async throws {
        let file = try Scratch(Array("户号,户主\n".utf8) + [UInt8](repeating: 10, count: 32 * Self.megabyte))
        let reading = Task { try await Register(path: file.path, columns: Self.columns) }
        reading.cancel()
        await #expect(throws: CancellationError.self) { try await reading.value }
    }

    /// A part is cut between rows, also where its bytes run out in a row's first cell.
    @Test(arguments: ["\"", ""]) func `long first cells are read whole`(quote: String) async throws {
        let rows = (1...1100).map { number in "\(number)-" + String(repeating: "x", count: 9000 + number % 7) }
        let file = try Scratch("户号,户主\n" + rows.map { "\(quote)\($0)\(quote),y\n" }.joined())
        let register = try await Register(path: file.path, columns: Self.columns)
        var seen: [String] = []
        for try await part in register.parts(of: 5000) { seen += part.rows.map { $0.cells[0] } }
        #expect(seen == rows)
    }
}
