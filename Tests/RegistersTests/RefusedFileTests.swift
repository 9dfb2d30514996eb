import Foundation
import Kernel
import Testing

@testable import Registers

@Suite struct RefusedFileTests {
    @Test(
        arguments: [
            ("", "empty-file", nil), ("\u{FEFF}", "empty-file", nil), (" \r\n\r\n,,,\n", "empty-file", nil),
            ("a,b\n", "no-rows", nil),
            ("a,b\r\n\r\n ,\n", "no-rows", nil), ("a,b\n1,2\n3,\u{0}\n", "nul-byte", 3),
            ("a,b\n\"1\u{0}\",2", "nul-byte", 2),
            ("a,b\n1,2\n\n\"3,4\n5,6\n", "unterminated-quote", 4), ("\"a,b\n1,2\n", "unterminated-quote", 1),
            ("a,\"b\nc\",A\n1,2,3", "duplicate-column", 1),
            ("a\"b,\"x\"y\n1,2", "stray-quote", 1), ("<html><table>", "not-a-text-table", nil),
            ("%PDF-1.7\n", "not-a-text-table", nil),
            ("PK\u{3}\u{4}…", "not-a-text-table", nil), ("\u{FEFF}a,b\n1,2\n\u{0}", "nul-byte", 3),
            (String(repeating: "a,", count: 600) + "b\n1", "too-many-columns", 1),
            (String(repeating: "x", count: 20_000) + "\n1", "cell-too-long", 1),
        ] as [(String, String, Int?)])
    func texts(_ text: String, _ code: String, _ row: Int?) async throws {
        let refusal = try await refusal(of: text.utf8)
        #expect(refusal?.code == code)
        #expect(refusal?.kind == .invalid)
        #expect(refusal?.row == row)
        #expect(refusal?.message.zh.isEmpty == false && refusal?.message.en.isEmpty == false)
    }

    @Test(
        arguments: [
            ([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], "not-a-text-table", nil),
            ([0x1F, 0x8B, 8, 0], "not-a-text-table", nil),
            ([0x89, 0x50, 0x4E, 0x47], "not-a-text-table", nil),
            ([0x7F, 0x45, 0x4C, 0x46, 0, 0xFF, 0xFF], "not-a-text-table", nil),
            (Array("a,b\n1,".utf8) + [0xFF, 0xFF], "damaged-text", 2),
            (Array("a,b\n1,2\n3,".utf8) + [0xB0], "damaged-text", 3),
            (Array("采收单号\n1\n".utf8) + [0xE6, 0xA1], "damaged-text", 3),
            (Array("采收单号\n1\n".utf8) + [0xE6, 0x41, 0x41], "damaged-text", 3),
            ([0xEF, 0xBB, 0xBF] + Array("a\n1\n2\n".utf8) + [0xC0, 0x0A], "damaged-text", 4),
            ([0xFF, 0xFE, 0x61, 0, 0x0A, 0, 0x62], "damaged-text", 2),
            ([0xFF, 0xFE, 0x61, 0, 0x0A, 0, 0x00, 0xDC, 0x61, 0], "damaged-text", 2),
            ([0xFF, 0xFE, 0x61, 0, 0x0A, 0, 0, 0], "nul-byte", 2),
            ([0xFF, 0xFE], "empty-file", nil), ([0x61, 0, 0x0A, 0, 0x62, 0], "nul-byte", 1),
        ] as [([UInt8], String, Int?)])
    func bytes(_ bytes: [UInt8], _ code: String, _ row: Int?) async throws {
        let refusal = try await refusal(of: bytes)
        #expect(refusal?.code == code)
        #expect(refusal?.row == row)
    }

    @Test func placesAreNamed() async throws {
        let columns = [Column("户号"), Column("户主")]
        let open = try await refusal(of: "户号,户主\n1,\"陈\n2,刘\n".utf8, columns: columns)
        #expect(open?.field == "户主")
        #expect(open?.sentence(in: .chinese) == "第 2 行，户主：从这里开始的引号一直没有结束，后面的内容无法读取")
        #expect(try await refusal(of: "户号,户主\n\u{0},刘\n".utf8, columns: columns)?.field == "户号")
    }

    @Test func pathsThatAreNoFiles() async throws {
        let missing = await #expect(throws: Refusal.self) {
            try await Register(path: "/nonexistent/采收.csv", columns: [])
        }
        #expect(missing?.code == "no-such-file")
        #expect(missing?.kind == .notFound)
        #expect(missing?.message.en.contains("nonexistent") == false)
        for path in [FileManager.default.temporaryDirectory.path, "/dev/null"] {
            let refusal = await #expect(throws: Refusal.self) { try await Register(path: path, columns: []) }
            #expect(refusal?.code == "not-a-file")
        }
    }

    @Test func rowsThatAreNotWellFormedStayInTheirPlace() async throws {
        let long = String(repeating: "桃", count: 3_334)
        let fits = String(repeating: "x", count: 10_000)
        let rows = try await read("a,b\n1,2,3\n4,\(long)\n\"5\"x,6\n\(fits),7\n8,9,,\n\"\(fits)y\",\n")
        #expect(rows.map(\.problem) == ["too-many-cells", "cell-too-long", "stray-quote", nil, nil, "cell-too-long"])
        #expect(rows.map(\.number) == Array(2...7))
        #expect(rows[0].cells == ["1", "2", "3"])
        #expect(rows[1].cells[1].utf8.count <= 10_002)
    }

    @Test func aProblemIsThrownByEveryReading() async throws {
        let columns = [Column("a"), Column("b")]
        let file = try Scratch("a,b\n1,\"2\"x\n")
        let row = try #require(try await Register(path: file.path, columns: columns).rows().first)
        #expect(row.problem?.row == 2)
        #expect(row.problem?.field == "b")
        let thrown = #expect(throws: Refusal.self) { try row.optionalText(columns[0]) }
        #expect(thrown == row.problem)
    }

    /// A square of the size would take an hour.
    @Test(
        arguments: [
            [0x00], [0xFF], Array("\u{200B}".utf8), Array("\u{FEFF}".utf8), Array("\u{301}".utf8), [0x0D], [0x22],
            [0x2C],
        ] as [[UInt8]])
    func `a megabyte of anything is refused or holds no row that could be recorded`(piece: [UInt8]) async throws {
        let body = Array(repeatElement(piece, count: 1_048_576 / piece.count).joined())
        let column = Column("日期")
        #expect(try await refusal(of: body, columns: [column]) != nil)
        let file = try Scratch(Array("日期,摘要\n".utf8) + body)
        let rows = try? await Register(path: file.path, columns: [column]).rows()
        #expect(rows?.contains { (try? $0.day(column)) != nil } != true)
    }

    @Test func countlessCellsAreCountedNotKept() async throws {
        let rows = try await read(
            "a,b\n" + String(repeating: "1,", count: 20_000) + "\n1" + String(repeating: ",", count: 20_000))
        #expect(rows.map(\.problem) == ["too-many-cells", nil])
        #expect(rows.map(\.cells.count) == [500, 2])
    }

    /// Any bytes at all give rows or a refusal, the same for pieces of any size.
    @Test(arguments: UInt64(1)...150)
    func noiseIsReadOrRefused(_ seed: UInt64) async throws {
        var generator = SplitMix(seed: seed)
        let alphabet: [UInt8] = [
            0x61, 0x2C, 0x2C, 0x22, 0x22, 0x0A, 0x0A, 0x0D, 0x09, 0x20, 0xB0, 0xA1, 0xEF, 0xBC, 0x8C, 0x81, 0x30, 0x00,
        ]
        let letters = seed.isMultiple(of: 2) ? alphabet : Array(alphabet.prefix(10))
        let noise = (0..<200).map { _ in letters.randomElement(using: &generator) ?? 0 }
        let file = try Scratch(Array("a,b,c\n".utf8) + noise)
        var outcomes: [Result<[Seen], Refusal>] = []
        for readSize in [131_072, 1, 5] {
            do {
                outcomes.append(
                    .success(try await Register(path: file.path, columns: [], readSize: readSize).seen(size: 3)))
            } catch let refusal as Refusal {
                outcomes.append(.failure(refusal))
            }
        }
        #expect(outcomes[0] == outcomes[1])
        #expect(outcomes[0] == outcomes[2])
    }
}
