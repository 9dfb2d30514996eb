import Access
import Documents
import Foundation
import Kernel

/// How values look in JSON: each with the schema that describes it.
extension Shapes {
    static func text(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }

    static func instant(_ date: Date) -> JSON { .instant(date) }
}

extension Price {
    init(_ json: JSON) throws {
        guard let basis = Basis(rawValue: try json["per"].string) else { throw Self.unknownBasis }
        try self.init(fen: try json["fen"].int64, basis: basis, boxGrams: json["boxWeight"].orNil?.weight.grams)
    }

    private static let unknownBasis = Refusal(
        .invalid, "not-a-price", field: "per", zh: "计价单位须为 jin、kg 或 box", en: "a price is per jin, kg or box")
}
