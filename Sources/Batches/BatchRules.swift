import Kernel
import Orchard

public enum BatchRules {
    /// Codes count days from here (CODE-FORMAT), so nothing older can be labelled.
    static let firstDay = CivilDay(daysSince2020: 0)

    /// A harvest is of today or earlier, and not older than codes can say.
    public static func harvestDay(_ day: CivilDay, today: CivilDay) throws {
        guard day <= today else {
            throw Refusal(
                .invalid, "harvest-in-future", field: "harvestedOn", zh: "采收日期 \(day) 在今天之后",
                en: "the harvest day \(day) is in the future")
        }
        guard day >= firstDay else {
            throw Refusal(
                .invalid, "harvest-too-old", field: "harvested", zh: "采收日期不能早于 \(firstDay)",
                en: "the harvest day must not be before \(firstDay)")
        }
    }

    public static func overCeiling(
        plot: String, season: Int, ceiling: Weight, harvested: Weight, weight: Weight
    ) -> Refusal {
        Refusal(
            .conflict, "over-ceiling", field: "weight",
            zh: "地块 \(plot) 在 \(season) 年最多采收 \(ceiling)，已登记 \(harvested)，再登记 \(weight) 就超了；如属实，请村委会登记例外",
            en:
                "plot \(plot) may give at most \(ceiling) in \(season) and has given \(harvested): \(weight) more is over "
                + "the ceiling; if it is true, ask the committee to record an exception")
    }

    public static func cropMismatch(plot: String, crop: String, product: String) -> Refusal {
        Refusal(
            .invalid, "crop-mismatch", field: "product", zh: "地块 \(plot) 种的是\(crop)，不是\(product)",
            en: "plot \(plot) grows \(crop), not \(product)")
    }

    /// - Parameters:
    ///   - known: the first plots that whoever asked may see.
    ///   - count: how many there are of them.
    public static func unknownPlot(_ plot: String, known: [String], count: Int) -> Refusal {
        Refusal.unknown(
            .notFound, "unknown-plot", field: "plot", zh: "地块", en: "plot", name: plot, known: known, count: count)
    }

    public static func notEnough(batch: Int64, stock: Weight, wanted: Weight) -> Refusal {
        Refusal(
            .conflict, "not-enough-stock", field: "weight",
            zh: "批次 \(batch) 只剩 \(stock)，不够 \(wanted)", en: "batch \(batch) has \(stock) left, not \(wanted)")
    }

    /// - Parameter recall: nil where it is not known any more which.
    public static func recalled(_ batch: Int64, _ recall: OpenRecall?) -> Refusal {
        let (zh, en) =
            recall.map { recall in
                let day = CivilDay(of: recall.at)
                return recall.batch == batch
                    ? ("（\(day) 起，原因：\(recall.reason)）", " since \(day) (\(recall.reason))")
                    : (
                        "（由批次 \(recall.batch) 制成，它自 \(day) 起召回，原因：\(recall.reason)）",
                        ", with batch \(recall.batch) that it was made from, since \(day) (\(recall.reason))"
                    )
            } ?? ("", "")
        return Refusal(
            .conflict, "batch-recalled", field: "batch", zh: "批次 \(batch) 正在召回\(zh)，不能出库，只能登记为损耗",
            en: "batch \(batch) is under recall\(en): nothing of it may leave but as a loss")
    }

    public static func void(_ batch: Int64) -> Refusal {
        Refusal(
            .conflict, "batch-void", field: "batch", zh: "批次 \(batch) 已作废（这次采收并不存在）",
            en: "batch \(batch) is void: the harvest never was")
    }

    public static func slipTaken(_ slip: String) -> Refusal {
        Refusal(
            .conflict, "slip-taken", field: "slip", zh: "采收单号“\(slip.shortened)”当年已登记过",
            en: "a harvest of that year with slip “\(slip.shortened)” is recorded already")
    }

    public static func unknownBatch(_ number: Int64) -> Refusal {
        Refusal(
            .notFound, "unknown-batch", field: "batch", zh: "没有批次 \(number)", en: "there is no batch \(number)")
    }
}
