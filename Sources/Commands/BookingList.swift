import ArgumentParser
import Backend
import Documents
import Kernel
import Tours

extension BookingCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出预约，最新的在前。", "Lists bookings, newest first."),
            discussion: """
                taoyuan booking list --day 2025-09-14 --state confirmed
                taoyuan booking list --money due
                taoyuan booking list --phone 13812345678 --unconfirmed
                """)

        @OptionGroup var options: SharedOptions
        @Option(
            help: .words("只列这一天有场次的预约。", "Only those with a session on that day."),
            transform: reading(CivilDay.init(_:)))
        var day: CivilDay?
        @Option(
            help: .words("只列处于此状态的预约。", "Only those that stand there."))
        var state: BookingState?
        @Option(help: .words("单位、带队人、电话或预约号的一部分。", "A part of the unit, the leader, the phone or the reference."))
        var text: String?
        @Option(
            help: .words("只列这一天及以后有场次的预约。", "Only those with a session on that day or later."),
            transform: reading(CivilDay.init(_:)))
        var from: CivilDay?
        @Option(
            help: .words("只列这一天及以前有场次的预约。", "Only those with a session on that day or before."),
            transform: reading(CivilDay.init(_:)))
        var to: CivilDay?
        @Option(
            help: .words("只列款项是这样的预约。", "Only those whose money stands so."))
        var money: MoneyState?
        @Option(help: .words("只列这个电话的预约。", "Only those of this phone.")) var phone: String?
        @Option(help: .words("只列这个电子邮箱的预约。", "Only those of this e-mail address.")) var email: String?
        @Flag(help: .words("只列未确认也未付款的预约。", "Only what is neither confirmed nor paid.")) var unconfirmed = false
        @OptionGroup var page: PageOptions

        func run() async throws {
            let search = BookingStore.Search(
                day: day, state: state, text: text, from: from, to: to, money: money,
                contact: phone == nil && email == nil ? nil : try BookingContact(phone: phone, email: email),
                isUnconfirmed: unconfirmed)
            let found = try await options.read { database, scope in
                try await page.first { try await BookingStore(database).list(scope, search, limit: $0) }
            }
            try options.show(found, Shapes.booking)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("显示预约及其经过。", "Shows a booking and what happened to it."),
            discussion: "taoyuan booking show 17")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("预约编号或预约号。", "The booking's number or reference.")) var booking: String

        func run() async throws {
            let key = try BookingKey(entered: booking)
            let history = try await options.read { try await BookingStore($0).show(key, $1) }
            let (money, checkIns) = (history.money, history.checkIns)
            let tables =
                [Table(Shapes.booking, of: history.booking)]
                + (money.isEmpty ? [] : [Table(Shapes.bookedMoney, money)])
                + [Table(Shapes.bookingEvent, history.events)]
                + (checkIns.isEmpty ? [] : [Table(Shapes.gateCheckIn, checkIns)])
            try options.show(
                Shapes.bookingHistory.json(history), tables.map(\.text).joined(separator: "\n"))
        }
    }
}
