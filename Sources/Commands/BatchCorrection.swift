import ArgumentParser
import Backend
import Batches
import Codes
import Documents
import Kernel

/// A reason, and the day of what is put right.
struct CorrectionOptions: ParsableArguments {
    @Option(help: .words("理由。", "Why.")) var reason: String
    @Option(
        help: .words(
            "更正的日期（默认今天；不能在已结账的日期）。", "The correction's day (default: today), after the books that are closed."),
        transform: reading(CivilDay.init(_:)))
    var day: CivilDay?
}

extension BatchCommand {
    struct Correct: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "更正一次采收的登记；原来的登记仍然看得到。", "Puts a harvest's record right; what was recorded stays visible."),
            discussion: """
                taoyuan batch correct --batch 424 --weight 1250kg --reason 多写了一个零
                taoyuan batch correct --batch 424 --slip C9001 --reason 补采收单号
                """)

        @OptionGroup var options: SharedOptions
        @Option(help: .words("批次号。", "The batch's number.")) var batch: Int64
        @Option(
            help: .words("正确的入库重量及单位：1250kg、2500斤。", "The right weight with its unit: 1250kg, 2500斤."),
            transform: reading(Weight.init(_:)))
        var weight: Weight?
        @Option(help: .words("正确的等级。", "The right grade.")) var grade: String?
        @Option(help: .words("正确的采收单号。", "The right slip's number.")) var slip: String?
        @Option(help: .words("正确的采收人。", "Who really picked it.")) var picker: String?
        @OptionGroup var correction: CorrectionOptions

        func validate() throws {
            guard weight != nil || grade != nil || slip != nil || picker != nil else {
                throw ValidationError(
                    words(
                        "请给出要更正的：--weight、--grade、--slip 或 --picker。",
                        "Say what is to be put right: --weight, --grade, --slip or --picker."))
            }
        }

        func run() async throws {
            let right = RightHarvest(weight: weight, grade: grade, slip: slip, picker: picker)
            let corrected = try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope,
                    BatchStore.correct(
                        batch, right, reason: correction.reason, day: correction.day, today: backend.clock.today))
            }
            try options.show(corrected.json, Table(facts: corrected.facts).text)
        }
    }

    struct Void: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "作废一个并不存在的批次及其溯源码；只在没有出库时。", "Voids a batch that never was, and its code, while nothing has left it."),
            discussion: "taoyuan batch void --batch 424 --reason 重复登记")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("批次号。", "The batch's number.")) var batch: Int64
        @OptionGroup var correction: CorrectionOptions

        func run() async throws {
            try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope,
                    CodeStore.void(
                        batch: batch, reason: correction.reason, day: correction.day, today: backend.clock.today))
            }
            try options.done(
                ["batch": .integer(batch), "void": true], "批次 \(batch) 已作废，溯源码同时作废",
                "batch \(batch) is void, and its code revoked")
        }
    }
}

extension BatchCorrection {
    /// What was changed, as `重量 12500 kg → 1250 kg`.
    var changes: String {
        if kind == "void" { return words("作废（原 \(before.weight)）", "void (was \(before.weight))") }
        var changes: [String] = []
        func add(_ zh: String, _ en: String, _ before: String?, _ after: String?) {
            if before != after { changes.append("\(words(zh, en)) \(before ?? "—") → \(after ?? "—")") }
        }
        add("重量", "weight", "\(before.weight)", "\(after.weight)")
        add("等级", "grade", before.grade, after.grade)
        add("采收单号", "slip", before.slip, after.slip)
        add("采收人", "picker", before.picker, after.picker)
        return changes.joined(separator: words("，", ", "))
    }

    var json: JSON {
        [
            "correction": .integer(number), "kind": .string(kind), "day": JSON(day), "reason": .string(reason),
            "before": before.json, "after": after.json, "actor": .string(actor), "at": JSON(at),
        ]
    }
}

extension BatchCorrection.State {
    fileprivate var json: JSON {
        ["weight": JSON(weight), "grade": .string(grade), "slip": JSON(slip), "picker": JSON(picker)]
    }
}

extension OpenRecall {
    var json: JSON { ["batch": .integer(batch), "reason": .string(reason), "since": JSON(CivilDay(of: at))] }

    /// Said before all else.
    func warning(of batch: Int64) -> String {
        let since = CivilDay(of: at)
        let text =
            self.batch == batch
            ? words("召回中：\(since) 起，原因：\(reason)", "UNDER RECALL since \(since): \(reason)")
            : words(
                "召回中：所用的批次 \(self.batch) 自 \(since) 起召回，原因：\(reason)",
                "UNDER RECALL with batch \(self.batch) since \(since): \(reason)")
        return Terminal.mark(text, good: false) + "\n"
    }
}

extension BatchHistory {
    var json: JSON {
        [
            "batch": batch.json, "recall": recall?.json ?? .null,
            "corrections": .array(corrections.map(\.json)), "movements": .array(movements.map(\.json)),
            "olderMovements": JSON(older),
        ]
    }

    func text(_ code: IssuedCode) -> String {
        var text = recall?.warning(of: batch.number.value) ?? ""
        if batch.isVoid { text += Terminal.mark(words("已作废", "VOID"), good: false) + "\n" }
        text += Table(facts: batch.facts + code.facts.dropFirst()).text + "\n"
        if !corrections.isEmpty {
            text +=
                Table(
                    [
                        .left("更正日期", "corrected"), .left("更正", "correction"), .left("理由", "reason"), .left("经手", "by"),
                        .left("登记", "entered"),
                    ],
                    rows: corrections.map {
                        ["\($0.day)", $0.changes, $0.reason, Recorded.actor($0.actor), $0.at.minute]
                    }
                ).text + "\n"
        }
        return text
            + Table(
                [
                    .right("编号", "movement"), .left("日期", "day"), .left("变动", "kind"), .right("重量", "weight"),
                    .left("原因", "reason"), .left("经手", "by"),
                ],
                rows: movements.map {
                    [
                        "\($0.number)", $0.day.description, $0.label, $0.signedWeight, $0.reason ?? "",
                        Recorded.actor($0.actor),
                    ]
                }
            ).text
    }
}
