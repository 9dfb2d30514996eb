import Access
import Batches
import Codes
import Documents
import Foundation
import Income
import Kernel

/// How the values of the capabilities look in JSON: each with the schema that describes it.
enum Shapes {
    static let code = Schema.named(
        "Code",
        .object([
            Field("payload", .string(1...200), "What the label carries, without the address"),
            Field("url", .string(1...400), "The address in the QR"),
        ]))

    static func code(_ code: IssuedCode) -> JSON { ["payload": .string(code.payload), "url": .string(code.url)] }

    static let batch = Schema.named(
        "Batch",
        .object([
            Field("batch", .integer(1...4_294_967_295)),
            Field("kind", .enumeration(Batch.Kind.allCases.map(\.rawValue))),
            Field("cooperative", .string()), .optional("plot", .string()), Field("product", .string()),
            Field("variety", .string()), Field("grade", .string()), Field("harvestedOn", .day),
            .optional("slip", .string()), .optional("picker", .string()),
            Field("weightIn", .weight(0...Weight.limit)), Field("weightOut", .weight(0...Weight.limit)),
            Field("stock", .weight(0...Weight.limit)), Field("void", .boolean, "The harvest never was"),
            Field("recalled", .boolean, "It, or a batch that it was made from"), Field("registeredAt", .instant),
        ]))

    static func batch(_ batch: Batch) -> JSON {
        [
            "batch": JSON(batch.number), "kind": .string(batch.kind.rawValue),
            "cooperative": .string(batch.cooperative), "plot": text(batch.plot), "product": .string(batch.product),
            "variety": .string(batch.variety), "grade": .string(batch.grade), "harvestedOn": JSON(batch.harvestedOn),
            "slip": text(batch.slip), "picker": text(batch.picker), "weightIn": JSON(batch.weightIn),
            "weightOut": JSON(batch.weightOut), "stock": JSON(batch.stock), "void": .bool(batch.isVoid),
            "recalled": .bool(batch.isRecalled), "registeredAt": instant(batch.registeredAt),
        ]
    }

    /// `per` is `jin`, `kg` or `box`; a box needs its net weight.
    static let price = Schema.named(
        "Price",
        .object([
            Field("fen", .integer(0...100_000_000)),
            Field("per", .enumeration(Price.Basis.allCases.map(\.rawValue))),
            .optional("boxWeight", .weight(1...1_000_000)),
        ]))

    static func price(_ json: JSON) throws -> Price {
        guard let basis = Price.Basis(rawValue: try json["per"].string) else { throw Price.unknownBasis }
        return try Price(
            fen: json["fen"].int64, basis: basis, boxGrams: json["boxWeight"].orNil?.weight.grams)
    }

    static func price(_ price: Price) -> JSON {
        [
            "fen": .integer(price.fen), "per": .string(price.basis.rawValue),
            "boxWeight": price.basis == .box ? JSON(Weight(grams: price.basisGrams)) : .null,
        ]
    }

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

    static func instant(_ date: Date) -> JSON {
        let seconds = Int(date.timeIntervalSince1970.rounded(.down))
        let day = CivilDay(daysSince1970: Int((Double(seconds) / 86_400).rounded(.down)))
        let time = seconds - day.daysSince1970 * 86_400
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return .string("\(day)T\(two(time / 3600)):\(two(time / 60 % 60)):\(two(time % 60))Z")
    }
}

extension Price {
    static let unknownBasis = Refusal(
        .invalid, "not-a-price", field: "per", zh: "计价单位须为 jin、kg 或 box", en: "a price is per jin, kg or box")
}
