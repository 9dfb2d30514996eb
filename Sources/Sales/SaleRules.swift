import Kernel

public enum SaleRules {
    /// A sale of 1 to 100 lines, on a day that is not in the future, with its texts as they are stored.
    static func checked(_ sale: NewSale, today: CivilDay) throws -> NewSale {
        guard (1...100).contains(sale.lines.count) else {
            throw Refusal(
                .invalid, "no-lines", field: "lines", zh: "一笔销售须有 1 到 100 行", en: "a sale has 1 to 100 lines")
        }
        guard sale.day <= today else {
            throw Refusal(
                .invalid, "sale-in-future", field: "day", zh: "销售日期 \(sale.day) 在今天之后",
                en: "the day of the sale \(sale.day) is in the future")
        }
        return NewSale(
            number: try sale.number.map { try CleanText.number($0, field: "number", max: 60) }, day: sale.day,
            channel: try CleanText.name(sale.channel, field: "channel", max: 40),
            buyer: try CleanText.name(sale.buyer, field: "buyer", max: 200),
            paidHow: try sale.paidHow.map { try CleanText.name($0, field: "paidHow", max: 40) }, lines: sale.lines,
            replaces: sale.replaces, confirmed: sale.confirmed)
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
