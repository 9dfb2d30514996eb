import Foundation
import Kernel
import Testing

@testable import Registers

@Suite struct SampleTests {
    private static let variants: [@Sendable (String) throws -> [UInt8]] = [
        { Array($0.utf8) },
        { [0xEF, 0xBB, 0xBF] + Array($0.utf8) },
        { Array($0.replacing("\n", with: "\r\n").utf8) },
        { Array($0.replacing("\n", with: "\r").utf8) },
        { Array($0.replacing(",", with: ";").utf8) },
        { Array($0.replacing(",", with: "，").utf8) },
        { Array($0.replacing("\n", with: ",,\n").utf8) },
        { try Encoded.gb18030.bytes(of: $0) },
        { try Encoded.gb18030.bytes(of: $0.replacing("\n", with: "\r\n").replacing(",", with: "，")) },
        { try Encoded.utf16LittleEndian.bytes(of: $0.replacing(",", with: "\t").replacing("\n", with: "\r\n")) },
        { try Encoded.utf16BigEndian.bytes(of: $0.replacing(",", with: "\t")) },
    ]

    @Test(arguments: Samples.names, variants.indices)
    func everyVariantGivesTheSameRows(_ name: String, _ variant: Int) async throws {
        let text = try Samples.text(name)
        let lines = text.split(whereSeparator: \.isNewline).map { line in
            line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let rows = lines.enumerated().dropFirst().map { Seen(number: $0 + 1, cells: $1) }
        let file = try Scratch(Self.variants[variant](text))
        for readSize in [131_072, 509] {
            let register = try await Register(path: file.path, columns: lines[0].map { Column($0) }, readSize: readSize)
            #expect(register.header == lines[0])
            #expect(register.rowCount == rows.count)
            #expect(try await register.seen(size: 100) == rows)
        }
    }

    @Test func totalsAreThoseExpected() async throws {
        let day = Column("日期")
        let amount = Column("金额元")
        let product = Column("产品")
        let weight = Column("数量（斤）")
        var sales: [Int: Int64] = [:]
        var other: [Int: Int64] = [:]
        var peaches: [Int: Int64] = [:]
        for row in try await open("sales", [day, amount, product, weight]).rows() {
            let year = try row.day(day).year
            sales[year, default: 0] += try row.money(amount).fen
            guard try row.text(product) == "蟠桃" else { continue }
            peaches[year, default: 0] += try row.weight(weight, unit: 500).grams / 50
        }
        for row in try await open("income", [day, amount]).rows() {
            other[try row.day(day).year, default: 0] += try row.money(amount).fen
        }
        for (year, totals) in try Samples.expected().totals {
            let year = try #require(Int(year))
            #expect(sales[year] == totals.salesFen)
            #expect(other[year] == totals.otherFen)
            #expect(peaches[year] == totals.peachJinTenths)
        }
    }

    private func open(_ name: String, _ columns: [Column]) async throws -> Register {
        let file = try Scratch(try Encoded.gb18030.bytes(of: Samples.text(name)))
        return try await Register(path: file.path, columns: columns)
    }
}
