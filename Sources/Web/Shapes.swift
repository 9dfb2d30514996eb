import Access
import Codes
import Documents
import Foundation
import Income
import Kernel

/// How values look in JSON: each with the schema that describes it.
extension Shapes {
    static let code = Schema.named(
        "Code",
        .object([
            Field("payload", .string(1...200), "What the label carries, without the address"),
            Field("url", .string(1...400), "The address in the QR"),
        ]))

    static func code(_ code: IssuedCode) -> JSON { ["payload": .string(code.payload), "url": .string(code.url)] }

    static let incomeEntry = Schema.named(
        "IncomeEntry",
        .object([
            Field("entry", .integer(1...Int64.max)), Field("day", .day),
            Field("source", .enumeration(IncomeSource.entered.map(\.rawValue))), Field("memo", .string(0...500)),
            Field("amount", .money(-Money.limit...Money.limit)), .optional("corrects", .integer(1...Int64.max)),
        ]))

    static func incomeEntry(_ entry: IncomeEntry) -> JSON {
        [
            "entry": JSON(entry.id), "day": JSON(entry.day), "source": .string(entry.source.rawValue),
            "memo": .string(entry.memo), "amount": JSON(entry.amount),
            "corrects": entry.corrects.map(JSON.integer) ?? .null,
        ]
    }

    static func text(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }

    static func instant(_ date: Date) -> JSON { .instant(date) }

    static func number(_ number: Int64?) -> JSON { number.map { .integer($0) } ?? .null }
}

extension Price {
    init(_ json: JSON) throws {
        guard let basis = Basis(rawValue: try json["per"].string) else { throw Self.unknownBasis }
        try self.init(fen: try json["fen"].int64, basis: basis, boxGrams: json["boxWeight"].orNil?.weight.grams)
    }

    private static let unknownBasis = Refusal(
        .invalid, "not-a-price", field: "per", zh: "计价单位须为 jin、kg 或 box", en: "a price is per jin, kg or box")
}
