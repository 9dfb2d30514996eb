import ArgumentParser
import Backend
import Database
import Documents
import Kernel
import Tours

/// When a session can't stay as it was planned.
extension TourSessionCommand {
    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "取消场次，并释放讲解员、教室和大巴；还有预约时须连同预约一起取消：不收费用，已付的列为应退，并逐个通知；还有别的场次的预约只去掉这一场。",
                "Cancels a session and frees whom and what it has; where it is booked, with its bookings: nothing is kept, "
                    + "what was paid is to go back, and all are told. A booking of other sessions too keeps those."),
            discussion: """
                taoyuan tour session cancel 12
                taoyuan tour session cancel 12 --with-bookings --reason 台风
                """)

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("场次编号。", "Its number.")) var session: Int64
        @Flag(help: .words("连同预约一起取消。", "Its bookings too.")) var withBookings = false
        @Option(help: .words("原因；连同预约一起取消时必须给出。", "Why; needed with --with-bookings.")) var reason: String?

        func validate() throws {
            guard withBookings == (reason != nil) else {
                throw ValidationError(
                    words("--with-bookings 与 --reason 须同用。", "Give --with-bookings and --reason together."))
            }
        }

        func run() async throws {
            guard let reason else { return try await options.take(.cancel, of: session) }
            try await options.upset { backend in
                SessionStore.cancelWithBookings(session, reason: reason, now: backend.clock.now())
            }
        }
    }

    struct Move: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "把场次连同预约改到别的日期或时间，并逐个通知。",
                "Moves a session with its bookings to another day or time, and tells all of them."),
            discussion: "taoyuan tour session move 12 --day 2026-08-05 --time 09:00 --reason 台风")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("场次编号。", "Its number.")) var session: Int64
        @Option(help: .words("日期（默认不变）。", "The day (default: the same)."), transform: reading(CivilDay.init(_:)))
        var day: CivilDay?
        @Option(
            help: .words("开始时间，如 09:00（默认不变）。", "When it begins, such as 09:00 (default: the same)."),
            transform: reading(TimeOfDay.init(_:)))
        var time: TimeOfDay?
        @Option(help: .words("原因。", "Why.")) var reason: String?

        func validate() throws {
            guard day != nil || time != nil else {
                throw ValidationError(words("请给出 --day 或 --time。", "Give --day or --time."))
            }
        }

        func run() async throws {
            try await options.upset { backend in
                SessionStore.move(session, day: day, time: time, reason: reason, now: backend.clock.now())
            }
        }
    }
}

extension SharedOptions {
    fileprivate func upset(_ plan: @escaping @Sendable (Backend) -> Plan<UpsetSession>) async throws {
        let upset = try await change(plan)
        let told = upset.bookings.isEmpty ? "" : "\n" + Table(Shapes.upsetBooking, upset.bookings).text
        try show(Shapes.upsetSession.json(upset), Table(Shapes.tourSession, [upset.session]).text + told)
    }
}
