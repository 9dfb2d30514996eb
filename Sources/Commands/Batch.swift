import ArgumentParser
import Backend
import Batches
import Codes
import Documents
import Kernel
import Signing

struct BatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch",
        abstract: words("批次：采收了什么，还剩多少。", "Batches: what was harvested, and how much of it is left."),
        subcommands: [Register.self, List.self, Show.self, Withdraw.self])

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
        @Option(help: .words("采收单号。", "The harvest slip's number.")) var slip: String?
        @Option(help: .words("采收人。", "Who picked it.")) var picker: String?

        func run() async throws {
            let code = try await options.withBackend { backend in
                let today = backend.clock.today
                let harvest = Harvest(
                    plot: plot, product: product, variety: variety, grade: grade, day: harvested ?? today,
                    weight: weight, slip: slip, picker: picker)
                return try await backend.database.change(
                    backend.local.scope, CodeStore(backend.database, keys: backend.keys).register(harvest, today: today)
                )
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
            try options.show(
                batches, json: \.json,
                [
                    .right("批次", "batch"), .left("采收日期", "harvested"), .left("合作社", "cooperative"),
                    .left("地块", "plot"), .left("品种", "variety"), .left("等级", "grade"), .right("入库", "in"),
                    .right("库存", "in stock"),
                ]
            ) { batch in
                [
                    "\(batch.number)", "\(batch.harvestedOn)", batch.cooperative, batch.plot,
                    "\(batch.product) \(batch.variety)", batch.grade, "\(batch.weightIn)", "\(batch.stock)",
                ]
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("显示批次及其库存变动。", "Shows a batch and its stock movements."),
            discussion: "taoyuan batch show 17")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("批次号。", "The batch's number.")) var batch: Int64

        func run() async throws {
            let (found, movements, code) = try await options.withBackend { backend in
                let scope = backend.local.scope
                let (found, movements) = try await BatchStore(backend.database).show(batch, scope)
                let code = try await CodeStore(backend.database, keys: backend.keys).show(batch: batch, scope)
                return (found, movements, code)
            }
            let facts = Table(facts: found.facts + code.facts.dropFirst()).text
            let moves = Table(
                [
                    .left("日期", "day"), .left("变动", "movement"), .right("重量", "weight"), .left("原因", "reason"),
                    .left("经手", "by"),
                ],
                rows: movements.map {
                    [$0.day.description, $0.label, $0.signedWeight, $0.reason ?? "", Recorded.actor($0.actor)]
                }
            ).text
            try options.show(
                [
                    "batch": found.json, "code": code.json["code"], "revoked": .bool(code.revoked),
                    "movements": .array(movements.map(\.json)),
                ], facts + "\n" + moves)
        }
    }

    struct Withdraw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("从批次中取出重量（销售以外）。", "Takes weight out of a batch other than by a sale."),
            discussion: "taoyuan batch withdraw --batch 17 --kind loss --weight 12斤 --reason 冷库断电")

        enum Kind: String, ExpressibleByArgument, CaseIterable {
            case ownUse = "own-use"
            case loss, gift

            var withdrawal: Withdrawal {
                switch self {
                case .ownUse: .ownUse
                case .loss: .loss
                case .gift: .gift
                }
            }
        }

        @OptionGroup var options: SharedOptions
        @Option(help: .words("批次号。", "The batch's number.")) var batch: Int64
        @Option(help: .words("出库原因。", "Why it leaves.")) var kind: Kind
        @Option(
            help: .words("重量及单位：12kg、24斤。", "The weight with its unit: 12kg, 24斤."), transform: reading(Weight.init(_:))
        )
        var weight: Weight
        @Option(
            help: .words("出库日期（默认今天）。", "The day on which it left (default: today)."),
            transform: reading(CivilDay.init(_:)))
        var day: CivilDay?
        @Option(help: .words("备注。", "A note.")) var reason: String?

        func run() async throws {
            let left = try await options.withBackend { backend in
                let today = backend.clock.today
                return try await backend.database.change(
                    backend.local.scope,
                    BatchStore.withdraw(
                        kind.withdrawal, batch: batch, weight: weight, day: day ?? today, reason: reason, today: today))
            }
            try options.done(
                ["batch": .integer(batch), "stock": JSON(left)], "批次 \(batch) 还剩 \(left)",
                "batch \(batch) has \(left) left")
        }
    }
}
