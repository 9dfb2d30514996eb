import ArgumentParser
import Backend
import Batches
import Codes
import Documents
import Kernel
import Operations
import Signing

struct BatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch",
        abstract: words("批次：采收了什么，还剩多少。", "Batches: what was harvested, and how much of it is left."),
        subcommands: [
            Register.self, List.self, Show.self, Withdraw.self, OperationCommand<CorrectBatch>.self,
            OperationCommand<VoidBatch>.self,
        ])

    struct Register: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("把一次采收登记为批次，并签发溯源码。", "Registers a harvest as a batch and issues its code."),
            discussion: #"""
                taoyuan batch register --plot D01 --variety 瑞蟠21号 --grade 特级 \
                  --harvested 2025-08-21 --weight 1250kg --slip C9001
                """#)

        @OptionGroup var options: SharedOptions
        @Option(help: .words("地块号。", "The plot's number.")) var plot: String
        @Option(help: .words("产品（品种本身说明不了时才需要）。", "The product, when the variety alone does not tell.")) var product:
            String?
        @Option(help: .words("品种。", "The variety.")) var variety: String
        @Option(help: .words("等级。", "The grade.")) var grade: String
        @Option(
            help: .words("采收日期（默认今天）。", "The day of the harvest (default: today)."),
            transform: reading(CivilDay.init(_:)))
        var harvested: CivilDay?
        @Option(
            help: .words("重量及单位：1250kg、2500斤。", "The weight with its unit: 1250kg, 2500斤."),
            transform: reading(Weight.init(_:)))
        var weight: Weight
        @Option(help: .words("采收单号；以后导入采收登记时据此认出这一次。", "The harvest slip's number, by which a register knows it."))
        var slip: String?
        @Option(help: .words("采收人。", "Who picked it.")) var picker: String?

        func run() async throws {
            let code = try await options.change { backend in
                let today = backend.clock.today
                let harvest = Harvest(
                    plot: plot, product: product, variety: variety, grade: grade, day: harvested ?? today,
                    weight: weight, slip: slip, picker: picker)
                return CodeStore(backend.database, keys: backend.keys).register(harvest, today: today)
            }
            try code.show(options)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出批次，最新的在前。", "Lists batches, newest first."),
            discussion: "taoyuan batch list --in-stock --limit 20")

        @OptionGroup var options: SharedOptions
        @Flag(help: .words("只列还有库存的批次。", "Only batches of which something is left.")) var inStock = false
        @OptionGroup var page: PageOptions

        func run() async throws {
            let batches = try await options.withBackend { backend in
                try await page.first {
                    try await BatchStore(backend.database).list(backend.local.scope, inStock: inStock, limit: $0)
                }
            }
            try options.show(batches, Shapes.batch)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("显示批次及其库存变动。", "Shows a batch and its stock movements."),
            discussion: "taoyuan batch show 17")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("批次号。", "The batch's number.")) var batch: Int64
        @Option(help: .words("最多列出多少条变动（默认 50）。", "How many movements at most (default: 50).")) var limit = 50
        @Option(help: .words("只列这个编号以前的变动。", "Only movements before this one.")) var before: Int64?

        func validate() throws { try PageOptions.check(limit) }

        func run() async throws {
            let (history, code) = try await options.withBackend { backend in
                let scope = backend.local.scope
                let history = try await BatchStore(backend.database).show(
                    batch, scope, before: before ?? .max, limit: limit)
                let code = try await CodeStore(backend.database, keys: backend.keys).show(batch: batch, scope)
                return (history, code)
            }
            try options.show(Shapes.batchRecord.json((history, code)), history.text(code))
            if history.older > 0, let last = history.movements.last {
                Terminal.say(
                    words(
                        "还有 \(history.older) 条更早的变动：--before \(last.number)",
                        "\(history.older) older movements: --before \(last.number)"))
            }
        }
    }

    struct Withdraw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("从批次中取出重量（销售以外）。", "Takes weight out of a batch other than by a sale."),
            discussion: """
                taoyuan batch withdraw --batch 17 --kind loss --weight 12斤 --reason 冷库断电
                taoyuan batch withdraw --undo 1042 --reason 重复登记
                """)

        @OptionGroup var options: SharedOptions
        @Option(help: .words("批次号。", "The batch's number.")) var batch: Int64?
        @Option(help: .words("出库原因。", "Why it leaves.")) var kind: Withdrawal?
        @Option(
            help: .words("重量及单位：12kg、24斤。", "The weight with its unit: 12kg, 24斤."), transform: reading(Weight.init(_:))
        )
        var weight: Weight?
        @Option(help: .words("撤销这一次出库（编号见 batch show）。", "Undo this withdrawal (numbers: batch show).")) var undo:
            Int64?
        @Option(
            help: .words("出库日期（默认今天）。", "The day on which it left (default: today)."),
            transform: reading(CivilDay.init(_:)))
        var day: CivilDay?
        @Option(help: .words("备注；撤销时必填理由。", "A note; to undo one, the reason.")) var reason: String?

        func validate() throws {
            if undo != nil {
                guard kind == nil, weight == nil, reason != nil else {
                    throw ValidationError(
                        words(
                            "--undo 只与 --reason、--day、--batch 同用，且须写理由。",
                            "--undo goes with --reason, and --day and --batch, alone."))
                }
            } else if batch == nil || kind == nil || weight == nil {
                throw ValidationError(
                    words("请给出 --batch、--kind 和 --weight，或 --undo。", "Give --batch, --kind and --weight, or --undo."))
            }
        }

        func run() async throws {
            let moved = try await options.change { backend in
                let today = backend.clock.today
                guard let batch, let kind, let weight else {
                    return BatchStore.undo(
                        withdrawal: undo ?? 0, of: batch, reason: reason ?? "", day: day, today: today)
                }
                return BatchStore.withdraw(
                    kind, batch: batch, weight: weight, day: day ?? today, reason: reason, today: today)
            }
            let what = batch.map { words("批次 \($0) ", "batch \($0) has") } ?? words("该批次", "the batch has")
            try options.done(
                Shapes.moved.json((batch, moved)),
                "\(what)还剩 \(moved.stock)", "\(what) \(moved.stock) left")
        }
    }
}
