import Kernel

public enum SaleRules {
    /// A sale of 1 to 100 lines, on a day that is not in the future.
    static func check(_ sale: NewSale, today: CivilDay) throws {
        guard (1...100).contains(sale.lines.count) else {
            throw Refusal(
                .invalid, "no-lines", field: "lines", zh: "一笔销售须有 1 到 100 行", en: "a sale has 1 to 100 lines")
        }
        guard sale.day <= today else {
            throw Refusal(
                .invalid, "sale-in-future", field: "day", zh: "销售日期 \(sale.day) 在今天之后",
                en: "the day of the sale \(sale.day) is in the future")
        }
        try text(sale.channel, field: "channel", max: 40)
        try text(sale.buyer, field: "buyer", max: 200)
        if let paidHow = sale.paidHow { try text(paidHow, field: "paidHow", max: 40) }
        if let number = sale.number { try text(number, field: "number", max: 60) }
    }

    private static func text(_ text: String, field: String, max: Int) throws {
        guard (1...max).contains(text.unicodeScalars.count), !text.trimmed.isEmpty,
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            throw Refusal(
                .invalid, "bad-text", field: field, zh: "须有 1 到 \(max) 个字", en: "it has 1 to \(max) characters")
        }
    }

    static func beforeHarvest(batch: Int64, harvested: CivilDay) -> Refusal {
        Refusal(
            .invalid, "sold-before-harvest", field: "day", zh: "批次 \(batch) 在 \(harvested) 才采收",
            en: "batch \(batch) was harvested only on \(harvested)")
    }

    /// Asks about goods past their best-before day.
    static func ask(_ sale: NewSale, _ batches: [Int64: SaleStore.Source]) throws {
        guard !sale.confirmed.contains(.pastBestBefore) else { return }
        for (index, line) in sale.lines.enumerated() {
            guard let bestBefore = batches[line.batch]?.bestBefore, sale.day > bestBefore else { continue }
            throw Refusal(
                .conflict, "past-best-before", field: "lines[\(index)].batch",
                zh:
                    "批次 \(line.batch) 的最佳食用期到 \(bestBefore) 为止，\(sale.day) 已过；确要销售就确认一下（--past-best-before，pastBestBefore）",
                en:
                    "batch \(line.batch) was best before \(bestBefore), and this is \(sale.day): if it is to be sold all "
                    + "the same, say so (--past-best-before, pastBestBefore)")
        }
    }

    static func unknownSale(_ sale: Int64) -> Refusal {
        Refusal(.notFound, "unknown-sale", field: "sale", zh: "没有销售 \(sale)", en: "there is no sale \(sale)")
    }
}
