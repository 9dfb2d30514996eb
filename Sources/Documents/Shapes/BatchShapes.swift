import Batches
import Kernel

/// How batches and what happens to them look outside.
extension Shapes {
    public static let batch = Shape<Batch>(
        "Batch",
        [
            .init("batch", "批次", "batch", .id(1...4_294_967_295), \.number), .init("kind", "种类", "kind", .name, \.kind),
            .init("cooperative", "合作社", "cooperative", .text(), \.cooperative),
            .init("plot", "地块", "plot", optional: .text(), \.plot),
            .init("product", "产品", "product", .text(), \.product),
            .init("variety", "品种", "variety", .text(), \.variety),
            .init("grade", "等级", "grade", .text(), \.grade),
            .init("harvestedOn", "采收日期", "harvested", .day, \.harvestedOn),
            .init("slip", "采收单号", "slip", optional: .text(), \.slip),
            .init("picker", "采收人", "picker", optional: .text(), \.picker),
            .init("weightIn", "入库", "in", .weight(), \.weightIn),
            .init("weightOut", "出库", "out", .weight(), \.weightOut),
            .init("stock", "库存", "in stock", .weight(), \.stock),
            .init("void", "作废", "void", .flag, note: "The harvest never was", \.isVoid),
            .init("recalled", "召回中", "under recall", .flag, note: "It, or a batch that it was made from", \.isRecalled),
            .init("registeredAt", "登记", "registered", .instant, \.registeredAt),
            .reading("goods", "品种", "variety") { batch, _ in "\(batch.product) \(batch.variety)" },
            .reading("gradedGoods", "产品", "product") { batch, _ in "\(batch.product) \(batch.variety) \(batch.grade)" },
            .reading("state", "状态", "state") { batch, language in
                batch.isVoid
                    ? Bilingual(zh: "已作废", en: "void")[language]
                    : batch.isRecalled ? Bilingual(zh: "召回中", en: "under recall")[language] : ""
            },
        ],
        list: [
            "batch", "harvestedOn", "cooperative", "plot", "goods", "grade", "weightIn", "stock", "state",
        ],
        facts: [
            "batch", "cooperative", "plot", "gradedGoods", "harvestedOn", "slip", "picker", "weightIn", "weightOut",
            "stock", "registeredAt",
        ])

    public static let movement = Shape<StockMovement>(
        "StockMovement",
        [
            .init("movement", "编号", "movement", .number(), note: "Its number", \.number),
            .init("kind", "变动", "kind", .text(), \.kind),
            .init("grams", "克", "grams", .number(-Weight.limit...Weight.limit), \.grams),
            .init("day", "日期", "day", .day, \.day), .init("sale", "销售", "sale", optional: .number(), \.sale),
            .init("undoes", "撤销", "undoes", optional: .number(), note: "The withdrawal that it undoes", \.undoes),
            .init(
                "undoneBy", "由此撤销", "undone by", optional: .number(), note: "The movement by which it was undone",
                \.undoneBy),
            .init("reason", "原因", "reason", optional: .text(1...1000), \.reason),
            .init("actor", "经手", "by", .actor, \.actor), .init("at", "登记", "entered", .instant, \.at),
            .reading("label", "变动", "kind") { $0.label[$1] },
            .reading("weight", "重量", "weight", alignsRight: true) { movement, _ in
                (movement.grams < 0 ? "-" : "+") + "\(Weight(grams: abs(movement.grams)))"
            },
        ], list: ["movement", "day", "label", "weight", "reason", "actor"])

    public static let recall = Shape<OpenRecall>(
        "OpenRecall",
        [
            .init(
                "batch", "批次", "batch", .batch,
                note: "The batch that is recalled: this one or one that it was made from", \.batch),
            .init("reason", "原因", "reason", .text(1...1000), \.reason),
            .init("since", "自", "since", .day) { CivilDay(of: $0.at) },
        ])

    fileprivate static let correctedState = Shape<BatchCorrection.State>(
        nil,
        [
            .init("weight", "重量", "weight", .weight(), \.weight), .init("grade", "等级", "grade", .text(), \.grade),
            .init("slip", "采收单号", "slip", optional: .text(), \.slip),
            .init("picker", "采收人", "picker", optional: .text(), \.picker),
        ])

    public static let batchCorrection = Shape<BatchCorrection>(
        "BatchCorrection",
        [
            .init("correction", "编号", "number", .number(), \.number),
            .init("kind", "种类", "kind", .oneOf("correct", "void"), \.kind),
            .init("day", "更正日期", "corrected", .day, \.day),
            .init("reason", "理由", "reason", .text(1...1000), \.reason),
            .init("before", "原为", "before", .object(correctedState), \.before),
            .init("after", "改为", "after", .object(correctedState), \.after),
            .init("actor", "经手", "by", .actor, \.actor), .init("at", "登记", "entered", .instant, \.at),
            .reading("changes", "更正", "correction") { $0.changes[$1] },
        ], list: ["day", "changes", "reason", "actor", "at"])

    /// What was taken out of a batch or put back, which may be known by the movement alone.
    public static let moved = Shape<(batch: Int64?, stock: MovedStock)>(
        nil,
        [
            .init("movement", .number()) { $0.stock.movement }, .init("stock", .weight()) { $0.stock.stock },
            .init("batch", optional: .batch) { $0.batch },
        ])
}

extension StockMovement {
    fileprivate var label: Bilingual {
        if let withdrawal = Withdrawal(rawValue: kind) {
            guard let undoneBy else { return withdrawal.label }
            return Bilingual(
                zh: "\(withdrawal.label.zh)（已由 \(undoneBy) 撤销）", en: "\(withdrawal.label.en) (undone by \(undoneBy))")
        }
        func of(_ zh: String, _ en: String, _ number: Int64? = nil) -> Bilingual {
            let number = number.map { " \($0)" } ?? ""
            return Bilingual(zh: zh + number, en: en + number)
        }
        return switch kind {
        case "harvest": of("采收", "harvest")
        case "correction": of("更正", "correction")
        case "sale": of("销售", "sale", sale)
        case "return": of("退回，销售", "back from sale", sale)
        case "undo": of("撤销", "undoes", undoes)
        default: of(kind, kind)
        }
    }
}

extension BatchCorrection {
    /// What was changed, as `重量 12500 kg → 1250 kg`.
    fileprivate var changes: Bilingual {
        if kind == "void" { return Bilingual(zh: "作废（原 \(before.weight)）", en: "void (was \(before.weight))") }
        func changes(_ language: Language) -> String {
            let told = [before, after].map { Shapes.correctedState.facts(of: $0, language) }
            return zip(told[0], told[1]).filter { $0.text != $1.text }.map { before, after in
                "\(before.title) \(before.text ?? "—") → \(after.text ?? "—")"
            }.joined(separator: language == .chinese ? "，" : ", ")
        }
        return Bilingual(zh: changes(.chinese), en: changes(.english))
    }
}
