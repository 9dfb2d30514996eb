import ArgumentParser
import Backend
import Documents
import Kernel
import Tours

/// How a booking ends, and its money.
extension BookingCommand {
    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancels a booking by the programme's rules; what goes back is decided by `booking refund`.",
            discussion: "taoyuan booking cancel 17 --reason 下雨 --waive")

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: BookingOptions
        @Flag(help: "Keep nothing of the fee.") var waive = false
        @Option(help: "A note.") var reason: String?

        func run() async throws {
            try await which.carryOut(options) { key, seen, now in
                BookingStore.cancel(key, waive: waive, reason: reason, seen: seen, now: now)
            }
        }
    }

    struct NoShow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "no-show", abstract: "Notes that a group did not come.",
            discussion: "taoyuan booking no-show 17")

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: BookingOptions
        @Flag(help: "Keep nothing of the fee.") var waive = false

        func run() async throws {
            try await which.carryOut(options) { key, seen, now in
                BookingStore.noShow(key, waive: waive, seen: seen, now: now)
            }
        }
    }

    struct Complete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Notes that a visit is over.", discussion: "taoyuan booking complete 17 --arrived 28")

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: BookingOptions
        @Option(help: "How many came; needed where nobody was checked in.") var arrived: Int?

        func run() async throws {
            try await which.carryOut(options) { key, seen, now in
                BookingStore.complete(key, arrived: arrived, seen: seen, now: now)
            }
        }
    }

    struct Pay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Records money that came in for a booking.",
            discussion: "taoyuan booking pay 17 --amount 500 --how 微信")

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: BookingOptions
        @Option(help: "Yuan.", transform: reading(Money.init(yuan:))) var amount: Money
        @Option(help: "How it was paid, such as 微信.") var how: String
        @Option(help: "The day (default: today).", transform: reading(CivilDay.init(_:))) var day: CivilDay?

        func run() async throws {
            try await which.carryOut(options) { key, seen, now in
                PaymentStore.pay(key, amount, how: how, day: day, seen: seen, now: now)
            }
        }
    }

    struct Refund: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Decides how much goes back, and records that it went.", subcommands: [Decide.self, PayOut.self])

        struct Decide: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Decides how much goes back in all.",
                discussion: "taoyuan booking refund decide 17 --amount 400"
            )

            @OptionGroup var options: SharedOptions
            @OptionGroup var which: BookingOptions
            @Option(help: "Yuan.", transform: reading(Money.init(yuan:))) var amount: Money

            func run() async throws {
                try await which.carryOut(options) { key, seen, now in
                    PaymentStore.decideRefund(key, amount, seen: seen, now: now)
                }
            }
        }

        struct PayOut: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "pay", abstract: "Records money that went back.",
                discussion: "taoyuan booking refund pay 17 --how 微信")

            @OptionGroup var options: SharedOptions
            @OptionGroup var which: BookingOptions
            @Option(help: "Yuan (default: all that is due).", transform: reading(Money.init(yuan:)))
            var amount: Money?
            @Option(help: "How it was paid, such as 微信.") var how: String
            @Option(help: "The day (default: today).", transform: reading(CivilDay.init(_:))) var day: CivilDay?

            func run() async throws {
                try await which.carryOut(options) { key, seen, now in
                    PaymentStore.refund(key, amount, how: how, day: day, seen: seen, now: now)
                }
            }
        }
    }

    struct Picked: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: """
                Records what a group picked, as one sale. Out of several batches: repeat --batch and --weight in step.
                """,
            discussion: """
                taoyuan booking picked 17 --batch 5 --weight 12斤
                taoyuan booking picked 17 --batch 5 --weight 12斤 --batch 6 --weight 8.5斤 --paid 微信
                """)

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: BookingOptions
        @Option(help: "The batch's number.") var batch: [Int64]
        @Option(help: "The weight with its unit: 6kg, 12斤.", transform: reading(Weight.init(_:)))
        var weight: [Weight]
        @Option(
            help: "The price (default: the extra's): 12/斤; once, or for each batch.",
            transform: reading(Price.init(_:)))
        var price: [Price] = []
        @Option(help: "The extra, where the programme has several to pick.") var extra: Int?
        @Option(help: "How it was paid, such as 微信.") var paid: String?
        @Option(help: "The day (default: today).", transform: reading(CivilDay.init(_:))) var day: CivilDay?

        func validate() throws {
            guard batch.count == weight.count else {
                throw ValidationError("Give --batch and --weight the same number of times.")
            }
            guard price.count <= 1 || price.count == batch.count else {
                throw ValidationError("Give --price once, or as often as --batch.")
            }
        }

        func run() async throws {
            let lines = batch.indices.map { index in
                BookingStore.Picking.Line(
                    batch: batch[index], weight: weight[index],
                    price: price.count > 1 ? price[index] : price.first)
            }
            let picking = BookingStore.Picking(lines: lines, extra: extra, paidHow: paid, day: day)
            do {
                try await which.carryOut(options) { key, seen, now in
                    BookingStore.pick(key, picking, seen: seen, now: now)
                }
            } catch let refusal as Refusal {
                throw refusal.ofOption(amongLines: lines.count)
            }
        }
    }
}

extension Refusal {
    /// What a line calls `lines[1].weight` is the second `weight` among the options, and `weight` if there is but one.
    func ofOption(amongLines count: Int) -> Refusal {
        guard let field, field.hasPrefix("lines["), let end = field.firstRange(of: "].") else { return self }
        let name = String(field[end.upperBound...])
        guard count > 1, let index = Int(field[..<end.lowerBound].dropFirst(6)) else { return renamed(field: name) }
        return renamed(field: "\(name) \(index + 1)")
    }
}
