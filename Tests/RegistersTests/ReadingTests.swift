import Foundation
import Kernel
import Testing

@testable import Registers

@Suite struct ReadingTests {
    @Test(arguments: ["\n", "\r\n", "\r"], [",", ";", "\t", "，"])
    func anyLineEndAndSeparator(_ end: String, _ separator: String) async throws {
        let lines = [["户号", "户主", "备注"], ["H001", "陈,；;玉梅", ""], ["H002", "刘\"丽\"娟", "一"]]
        let text = lines.map { cells in
            cells.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: separator)
        }.joined(separator: end)
        let rows = [Seen(number: 2, cells: lines[1]), Seen(number: 3, cells: lines[2])]
        #expect(try await read(text) == rows)
        #expect(try await read(text + end) == rows)
    }

    @Test(arguments: 1...9)
    func piecesOfAnySize(_ readSize: Int) async throws {
        let text = "\u{FEFF}户号，\"户\r\n主\"，备注\r\n\r\nH1，\"a，\"\"桃\"\"\r\n𠮷\"，\"\" \r\n，，\rH2，😀，\"x\"，，\nH3"
        let rows = [
            Seen(number: 3, cells: ["H1", "a，\"桃\"\r\n𠮷", ""]), Seen(number: 5, cells: ["H2", "😀", "x"]),
            Seen(number: 6, cells: ["H3"]),
        ]
        #expect(try await read(text, readSize: readSize) == rows)
    }

    @Test(arguments: Encoded.allCases, 1...7)
    func otherEncodingsInPiecesOfAnySize(_ encoding: Encoded, _ readSize: Int) async throws {
        let text = "户号\t户主\t备注\r\nH1\t陈玉梅\t\"𠮷，\r\n😀\"\r\nH2\t㐀镕€\t桃\r\n"
        let file = try Scratch(encoding.bytes(of: text))
        let register = try await Register(path: file.path, columns: [Column("户主")], readSize: readSize)
        #expect(register.header == ["户号", "户主", "备注"])
        let rows = [
            Seen(number: 2, cells: ["H1", "陈玉梅", "𠮷，\r\n😀"]), Seen(number: 3, cells: ["H2", "㐀镕€", "桃"]),
        ]
        #expect(try await register.seen() == rows)
    }

    @Test func chineseMayComeLateInAFile() async throws {
        let text = "id,name\n" + (1...15_000).map { "\($0),plain\n" }.joined() + "15001,桃\n"
        let file = try Scratch(Encoded.gb18030.bytes(of: text))
        let last = try #require(try await Register(path: file.path, columns: []).seen().last)
        #expect(last == Seen(number: 15_002, cells: ["15001", "桃"]))
    }

    @Test(arguments: [
        ("a,b\n1,2\n\n\n3,4\n", [2, 5]), ("\n\na,b\n1,2\n", [4]), ("a,b\n ,\u{3000}\n1,2\n", [3]),
        ("a,b\n\"1\n\n\",2\n3,4", [2, 3]),
        ("a,b\r\r1,2\r\n\n3,4", [3, 5]), ("\u{FEFF}\na,b\n1,2", [3]),
    ])
    func rowsAreNumberedAsASpreadsheetDoes(_ text: String, _ numbers: [Int]) async throws {
        #expect(try await read(text).map(\.number) == numbers)
    }

    @Test(arguments: [
        ("a,b,,\n1,2,,,,\n", ["1", "2"]), ("a,b\n1\n", ["1"]), ("a,b\n1,\n", ["1", ""]), ("a,b\n,2\n", ["", "2"]),
        ("a\n1\n", ["1"]),
        ("a,b\nx\"y\"z,5\"\n", ["x\"y\"z", "5\""]), ("a,b\n\"x\" ,2\n", ["x", "2"]),
        ("a,b\n \"x\",2\n", [" \"x\"", "2"]),
        ("a;b,c;d\n1;2;3\n", ["1", "2", "3"]), ("\"a;;;\",b\n1,2\n", ["1", "2"]), ("a,b\n\"\",\"\"\"\"\n", ["", "\""]),
    ])
    func cellsAsTheyStand(_ text: String, _ cells: [String]) async throws {
        #expect(try await read(text) == [Seen(number: 2, cells: cells)])
    }

    @Test func partsAreSmallInOrderAndRepeatable() async throws {
        let file = try Scratch("a,b\n" + (1...1000).map { "\($0),x\n" }.joined())
        let register = try await Register(path: file.path, columns: [Column("a")], readSize: 64)
        #expect(register.rowCount == 1000)
        #expect(register.byteCount == 5897)
        for size in [1, 7, 1000, 5000] {
            var sizes: [Int] = []
            var numbers: [Int] = []
            var progress: [Int] = []
            for try await part in register.parts(of: size) {
                sizes.append(part.rows.count)
                numbers += part.rows.map(\.number)
                progress.append(part.bytesRead)
            }
            #expect(numbers == Array(2...1001))
            #expect(sizes.dropLast().allSatisfy { $0 == size })
            #expect(progress == progress.sorted())
            #expect(progress.last == register.byteCount)
        }
    }

    @Test func anIteratorStaysAtItsEnd() async throws {
        let file = try Scratch("a\n1\n")
        var iterator = try await Register(path: file.path, columns: []).parts(of: 5).makeAsyncIterator()
        #expect(try await iterator.next()?.rows.count == 1)
        #expect(try await iterator.next()?.rows.count == nil)
        #expect(try await iterator.next()?.rows.count == nil)
    }

    @Test func partsOfLongRowsAreSmaller() async throws {
        let long = String(repeating: "x", count: 9_999)
        let file = try Scratch("a,b\n" + String(repeating: "\(long),\(long)\n", count: 230))
        var sizes: [Int] = []
        for try await part in try await Register(path: file.path, columns: []).parts(of: 1000) {
            sizes.append(part.rows.count)
        }
        #expect(sizes.reduce(0, +) == 230)
        #expect(sizes.count > 1)
    }
}
