import ArgumentParser
import Backend
import Documents
import Foundation
import Kernel
import Tours

/// What puts a booking's money right.
extension BookingCommand {
    struct Adjust: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "调整预约的费用：少来、多来或优惠；到场以后也可以。",
                "Changes what a booking comes to: fewer or more came, a discount; after the visit too."),
            discussion: "taoyuan booking adjust 17 --amount -136 --reason 少来两人")

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: BookingOptions
        @Option(
            parsing: .unconditional, help: .words("调整多少元，减少写负数。", "By how many yuan; below zero lowers it."),
            transform: reading(Money.init(yuan:)))
        var amount: Money
        @Option(help: .words("原因。", "Why.")) var reason: String
        @Option(help: .words("日期（默认今天）。", "The day (default: today)."), transform: reading(CivilDay.init(_:))) var day:
            CivilDay?

        func run() async throws {
            try await which.carryOut(options) { key, seen, now in
                AdjustmentStore.adjust(key, amount, reason: reason, day: day, seen: seen, now: now)
            }
        }
    }

    struct PaymentReverse: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "payment-reverse",
            abstract: words(
                "撤销登记错的收款或退款，每笔只能撤销一次；编号见 booking show 或 payment list。",
                "Takes back a payment or a refund that was entered by mistake, once; `booking show` and `payment list` tell "
                    + "its number."),
            discussion: "taoyuan booking payment-reverse --booking 17 --payment 31 --reason 重复登记")

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: NamedBookingOptions
        @Option(help: .words("收款或退款的编号。", "The payment's or refund's number.")) var payment: Int64
        @Option(help: .words("原因。", "Why.")) var reason: String
        @Option(help: .words("日期（默认今天）。", "The day (default: today)."), transform: reading(CivilDay.init(_:))) var day:
            CivilDay?

        func run() async throws {
            try await which.booking.carryOut(options) { key, seen, now in
                PaymentStore.reverse(key, payment: payment, reason: reason, day: day, seen: seen, now: now)
            }
        }
    }

    struct Todo: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "列出要办的事：即将过期、待确认、已过未结、待退款、多收未定、签到不符（见 booking conflicts）。",
                "Lists what is to be done: about to lapse, to confirm, past and unresolved, refunds due, overpaid, gate conflicts (booking conflicts lists them)."
            ),
            discussion: "taoyuan booking todo")

        @OptionGroup var options: SharedOptions
        @OptionGroup var page: PageOptions

        func run() async throws {
            let tasks = try await options.withBackend { backend in
                try await page.first {
                    try await BookingStore(backend.database).todo(
                        limit: $0, now: backend.clock.now(), backend.local.scope)
                }
            }
            try options.show(tasks, Shapes.bookingTask)
        }
    }
}

/// Which booking, by an option, and as who has seen it.
struct NamedBookingOptions: ParsableArguments {
    @Option(name: .customLong("booking"), help: .words("预约编号或预约号。", "The booking's number or reference.")) var number:
        String
    @Option(
        help: .words("您看到的版本号；预约已不是这一版时拒绝。", "The version that you have seen: refused when it is no longer this one."))
    var seen: Int?

    var booking: BookingOptions { BookingOptions(booking: number, seen: seen) }
}

struct PaymentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "payment", abstract: words("研学收款与退款。", "Money of study tours."), subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "列出一段时间的收款和退款，并按日期和方式合计；默认今天。",
                "Lists the money that came in and went back, with sums by day and way of payment; today unless told."),
            discussion: """
                taoyuan payment list --from 2026-07-01 --to 2026-07-31 --how 微信
                taoyuan payment list --from 2026-07-01 --to 2026-07-31 --format csv > 收款.csv
                """)

        @OptionGroup var options: SharedOptions
        @Option(help: .words("第一天。", "The first day."), transform: reading(CivilDay.init(_:))) var from: CivilDay?
        @Option(help: .words("最后一天。", "The last day."), transform: reading(CivilDay.init(_:))) var to: CivilDay?
        @Option(help: .words("只列这种方式的，如 微信。", "Only money that came or went in this way, such as 微信.")) var how: String?
        @Option(help: .words("table、csv 或 json。", "table, csv or json.")) var format = Format.table
        @OptionGroup var page: PageOptions

        enum Format: String, ExpressibleByArgument, CaseIterable { case table, csv, json }

        func run() async throws {
            let limit = format == .csv ? 10_000_000 : page.limit
            let book = try await options.withBackend { backend in
                let from = from ?? to ?? backend.clock.today
                return try await PaymentStore.book(
                    backend.database, from: from, to: to ?? max(from, backend.clock.today), how: how,
                    limit: limit + 1, backend.local.scope)
            }
            if book.entries.count > limit {
                Terminal.say(words("只列出前 \(limit) 条，用 --limit 多列", "only the first \(limit); --limit shows more"))
            }
            let entries = Array(book.entries.prefix(limit))
            if format == .csv, !options.json { return try Terminal.write(book.csv(options.language)) }
            if options.json || format == .json {
                return try Terminal.print(
                    Shapes.tillSums.json(book).adding("rows", .array(entries.map(Shapes.tillEntry.json))).text)
            }
            if entries.isEmpty { return Terminal.say(words("没有记录", "nothing to show")) }
            let sums = Table(
                Shapes.tillSum, book.sums, last: [words("合计", "total"), "", "", "", book.total.yuan])
            try Terminal.print(Table(Shapes.tillEntry, entries).text + "\n" + sums.text)
        }
    }
}
