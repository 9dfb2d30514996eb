import ArgumentParser
import Backend
import Documents
import Kernel
import Tours

/// How a booking ends, and its money.
extension BookingCommand {
    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "按预约时的规定取消预约；已付的款除收取的费用外列为应退。",
                "Cancels a booking by the terms under which it was made; what was paid and isn't kept is to go back."),
            discussion: """
                taoyuan booking cancel 17 --reason 临时有事
                taoyuan booking cancel 17 --by-village --reason 台风
                taoyuan booking cancel --unconfirmed --phone 13812345678 --reason 占位
                """)

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("预约编号或预约号。", "The booking's number or reference.")) var booking: String?
        @Option(
            help: .words(
                "您看到的版本号；预约已不是这一版时拒绝。", "The version that you have seen: refused when it is no longer this one."))
        var seen: Int?
        @Flag(
            help: .words(
                "取消一个电话或邮箱的所有未确认也未付款的预约。",
                "Cancel all of a phone's or an e-mail address's that is neither confirmed nor paid."))
        var unconfirmed = false
        @Option(help: .words("与 --unconfirmed 一起：谁的电话。", "With --unconfirmed: whose phone.")) var phone: String?
        @Option(help: .words("与 --unconfirmed 一起：谁的电子邮箱。", "With --unconfirmed: whose e-mail address.")) var email:
            String?
        @Flag(help: .words("不收取任何费用。", "Keep nothing of the fee.")) var waive = false
        @Flag(
            help: .words(
                "由村里取消（如台风）：不收取任何费用。", "It is the village that cancels, as for a typhoon: nothing is kept."))
        var byVillage = false
        @Option(help: .words("备注。", "A note.")) var reason: String?

        func validate() throws {
            guard unconfirmed != (booking != nil), unconfirmed || phone == nil && email == nil,
                !unconfirmed || !waive && !byVillage && seen == nil && reason != nil
            else {
                throw ValidationError(
                    words(
                        "请写预约编号，或 --unconfirmed 加 --phone 或 --email 以及 --reason。",
                        "Give a booking, or --unconfirmed with --phone or --email and --reason."))
            }
        }

        func run() async throws {
            guard let booking else { return try await cancelUnconfirmed() }
            try await BookingOptions(booking: booking, seen: seen).carryOut(options) { key, seen, now in
                BookingStore.cancel(key, waive: waive, byVillage: byVillage, reason: reason, seen: seen, now: now)
            }
        }

        private func cancelUnconfirmed() async throws {
            let contact = try BookingContact(phone: phone, email: email)
            let cancelled = try await options.withBackend { backend in
                try await BookingStore(backend.database).cancelUnconfirmed(
                    of: contact, reason: reason ?? "", now: backend.clock.now(), backend.local.scope)
            }
            let numbers = cancelled.map { "\($0.id)" }.joined(separator: ", ")
            try options.show(
                ["bookings": .array(cancelled.map(Shapes.booking.json))],
                cancelled.isEmpty
                    ? words("没有未确认的预约", "there is nothing unconfirmed")
                    : words("已取消 \(cancelled.count) 个预约：\(numbers)", "\(cancelled.count) cancelled: \(numbers)"))
        }
    }

    struct NoShow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "no-show", abstract: words("登记团队没有来。", "Notes that a group did not come."),
            discussion: "taoyuan booking no-show 17")

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: BookingOptions
        @Flag(help: .words("不收取任何费用。", "Keep nothing of the fee.")) var waive = false

        func run() async throws {
            try await which.carryOut(options) { key, seen, now in
                BookingStore.noShow(key, waive: waive, seen: seen, now: now)
            }
        }
    }

    struct Complete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("登记参观已结束。", "Notes that a visit is over."),
            discussion: "taoyuan booking complete 17 --arrived 28")

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: BookingOptions
        @Option(help: .words("实到人数；没有签到记录时必须给出。", "How many came; needed where nobody was checked in.")) var arrived:
            Int?

        func run() async throws {
            try await which.carryOut(options) { key, seen, now in
                BookingStore.complete(key, arrived: arrived, seen: seen, now: now)
            }
        }
    }

    struct Pay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("登记预约的收款。", "Records money that came in for a booking."),
            discussion: "taoyuan booking pay 17 --amount 500 --how 微信")

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: BookingOptions
        @Option(help: .words("金额（元）。", "Yuan."), transform: reading(Money.init(yuan:))) var amount: Money
        @Option(
            name: [.customLong("how"), .customLong("paid")],
            help: .words("付款方式，如 微信。", "How it was paid, such as 微信."))
        var how: String
        @Option(help: .words("日期（默认今天）。", "The day (default: today)."), transform: reading(CivilDay.init(_:))) var day:
            CivilDay?

        func run() async throws {
            try await which.carryOut(options) { key, seen, now in
                PaymentStore.pay(key, amount, how: how, day: day, seen: seen, now: now)
            }
        }
    }

    struct Refund: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("决定退多少，并登记已退。", "Decides how much goes back, and records that it went."),
            subcommands: [Decide.self, PayOut.self])

        struct Decide: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: words("决定一共退多少。", "Decides how much goes back in all."),
                discussion: "taoyuan booking refund decide 17 --amount 400 --reason 已订午餐不能退"
            )

            @OptionGroup var options: SharedOptions
            @OptionGroup var which: BookingOptions
            @Option(help: .words("金额（元）。", "Yuan."), transform: reading(Money.init(yuan:))) var amount: Money
            @Option(
                help: .words("原因；比按规定应退的少时必须给出。", "Why; needed where less goes back than what isn't kept."))
            var reason: String?

            func run() async throws {
                try await which.carryOut(options) { key, seen, now in
                    PaymentStore.decideRefund(key, amount, reason: reason, seen: seen, now: now)
                }
            }
        }

        struct PayOut: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "pay", abstract: words("登记已退的款。", "Records money that went back."),
                discussion: "taoyuan booking refund pay 17 --how 微信")

            @OptionGroup var options: SharedOptions
            @OptionGroup var which: BookingOptions
            @Option(
                help: .words("金额（元，默认退全部应退款）。", "Yuan (default: all that is due)."),
                transform: reading(Money.init(yuan:)))
            var amount: Money?
            @Option(
                name: [.customLong("how"), .customLong("paid")],
                help: .words("付款方式，如 微信。", "How it was paid, such as 微信."))
            var how: String
            @Option(help: .words("日期（默认今天）。", "The day (default: today)."), transform: reading(CivilDay.init(_:)))
            var day: CivilDay?

            func run() async throws {
                try await which.carryOut(options) { key, seen, now in
                    PaymentStore.refund(key, amount, how: how, day: day, seen: seen, now: now)
                }
            }
        }
    }

    struct Picked: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "把团队采摘的产品登记为销售，每个合作社一笔。出自几个批次时，成对重复 --batch 和 --weight。",
                "Records what a group picked, as a sale of each cooperative. Out of several batches: repeat --batch and --weight in step."
            ),
            discussion: """
                taoyuan booking picked 17 --batch 5 --weight 12斤
                taoyuan booking picked 17 --batch 5 --weight 12斤 --batch 6 --weight 8.5斤 --paid 微信
                """)

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: BookingOptions
        @Option(help: .words("批次号。", "The batch's number.")) var batch: [Int64]
        @Option(
            help: .words("重量及单位：6kg、12斤。", "The weight with its unit: 6kg, 12斤."), transform: reading(Weight.init(_:)))
        var weight: [Weight]
        @Option(
            help: .words(
                "单价（默认用附加项目的单价）：12/斤；写一次，或每个批次写一次。",
                "The price (default: the extra's): 12/斤; once, or for each batch."),
            transform: reading(Price.init(_:)))
        var price: [Price] = []
        @Option(help: .words("附加项目（课程有几个采摘项目时需要）。", "The extra, where the programme has several to pick."))
        var extra: Int?
        @Option(help: .words("付款方式，如 微信。", "How it was paid, such as 微信.")) var paid: String?
        @Option(help: .words("日期（默认今天）。", "The day (default: today)."), transform: reading(CivilDay.init(_:)))
        var day: CivilDay?
        @OptionGroup var questions: GoodsQuestions

        func validate() throws {
            guard batch.count == weight.count else {
                throw ValidationError(
                    words("--batch 和 --weight 的个数须相同。", "Give --batch and --weight the same number of times."))
            }
            guard price.count <= 1 || price.count == batch.count else {
                throw ValidationError(
                    words("--price 写一次，或与 --batch 个数相同。", "Give --price once, or as often as --batch."))
            }
        }

        func run() async throws {
            let lines = batch.indices.map { index in
                BookingStore.Picking.Line(
                    batch: batch[index], weight: weight[index],
                    price: price.count > 1 ? price[index] : price.first)
            }
            let picking = BookingStore.Picking(
                lines: lines, extra: extra, paidHow: paid, day: day, confirmed: questions.confirmed)
            try await which.carryOut(options) { key, seen, now in
                BookingStore.pick(key, picking, seen: seen, now: now)
            }
        }
    }
}
