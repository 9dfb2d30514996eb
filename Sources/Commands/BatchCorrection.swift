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
            try options.show(corrected, Shapes.batch)
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

extension OpenRecall {
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
            "batch": Shapes.batch.json(batch), "recall": recall.map(Shapes.recall.json) ?? .null,
            "corrections": .array(corrections.map(Shapes.batchCorrection.json)),
            "movements": .array(movements.map(Shapes.movement.json)), "olderMovements": JSON(older),
        ]
    }

    func text(_ code: IssuedCode) -> String {
        var text = recall?.warning(of: batch.number.value) ?? ""
        if batch.isVoid { text += Terminal.mark(words("已作废", "VOID"), good: false) + "\n" }
        let facts = Shapes.batch.facts(of: batch, .ofThisRun).map { (name: $0.title, value: $0.text) }
        text += Table(facts: facts + code.facts.dropFirst()).text + "\n"
        if !corrections.isEmpty { text += Table(Shapes.batchCorrection, corrections).text + "\n" }
        return text + Table(Shapes.movement, movements).text
    }
}
