import Database
import Foundation
import Kernel
import Orchard
import Postgres
import Registers
import Signing

/// Records 研学预约: each row is a booking of the past and what became of it. Sites, programmes and sessions that it names
/// come into being.
public struct BookingRegister: RegisterRecorder, Sendable {
    static let bookedOn = Column("预约日期")
    static let day = Column("场次日期")
    static let time = Column("时间", also: ["场次时间"])
    static let site = Column("基地", also: ["研学基地"])
    static let programme = Column("课程")
    static let capacity = Column("场次容量", also: ["容量"])
    static let unit = Column("单位名称", also: ["单位"])
    static let unitKind = Column("单位类别")
    static let headcount = Column("预约人数")
    static let arrived = Column("实到人数")
    static let leader = Column("带队人")
    static let phone = Column("联系电话", also: ["电话"])
    static let price = Column("单价元每人", also: ["单价"])
    static let fee = Column("费用元", also: ["费用"])
    static let state = Column("状态")
    public static let columns = [
        bookedOn, day, time, site, programme, capacity, unit, unitKind, headcount, arrived, leader, phone, price, fee,
        state,
    ]

    private static let meanwhile = Refusal(
        .conflict, "tours-taken", zh: "导入期间有人登记了同样的预约、场次、基地或课程；什么都没有记录，请重试",
        en: "while this ran, someone else recorded the same booking, session, site or programme: nothing was recorded, "
            + "try again")
    public static let refusals = [
        "tour_booking_register_once": meanwhile, "tour_session_once": meanwhile, "tour_site_name_once": meanwhile,
        "tour_programme_name_once": meanwhile,
    ]

    public static let surveysRows = true

    let today: CivilDay
    var context = ImportContext.none
    private var isCompared = false
    public internal(set) var changed: [ChangedRow] = []
    private var catalogue = RegisteredTours()
    public var created: [Bilingual] { catalogue.created }

    public init(today: CivilDay) {
        self.today = today
    }

    /// A row that says what a booking has to say.
    struct Entry {
        /// No other row has it.
        var key: [UInt8] = []
        let session: RegisteredTours.Key
        let capacity: Int
        let bookedOn: CivilDay
        let unit: String
        let unitKind: UnitKind
        let headcount: Int
        let arrived: Int
        let leader: String
        let phone: String
        let price: Money
        let fee: Money
        let state: BookingState

        /// What the visit costs or would have cost.
        var amount: Money { state == .completed ? fee : Money(fen: price.fen * Int64(headcount)) }
        /// What the village keeps of a visit that did not take place.
        var kept: Money { state == .completed ? .zero : fee }
        var seats: Int { state.ownsSeats ? headcount : 0 }

        /// All that the row says. No cell holds the separator, so that no two rows spell one content.
        var content: String {
            [
                "\(bookedOn)", "\(Int64(session.startsAt.timeIntervalSince1970))", session.site, session.programme,
                "\(capacity)", unit, unitKind.rawValue, "\(headcount)", "\(arrived)", leader, phone, "\(price.fen)",
                "\(fee.fen)", state.rawValue,
            ].joined(separator: "\u{1F}")
        }
    }

    public mutating func begin(
        _ context: ImportContext, in transaction: Transaction, _ scope: Scope
    ) async throws {
        guard scope.cooperative == nil else {
            throw Refusal(
                .forbidden, "desk-only", zh: "研学预约由村里登记", en: "bookings are the village's to record")
        }
        self.context = context
        try await catalogue.load(transaction, scope)
        _ = try await transaction.query(BookingComparison.create)
    }

    public mutating func survey(_ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope) async throws {
        let said = rows.compactMap { row in (try? read(row)).map { (line: row.number, entry: $0) } }
        try await BookingComparison.stage(said, transaction)
    }

    public mutating func record(
        _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
    ) async throws -> [RowOutcome] {
        if !isCompared {
            try await BookingComparison.compare(through: context.closedThrough, transaction, scope)
            if context.choices.changed == .correct { try await BookingComparison.lockChanged(transaction, scope) }
            isCompared = true
        }
        guard let first = rows.first, let last = rows.last else { return [] }
        let entries = try rows.map { row in try Result { try read(row) } }
        let verdicts = try await BookingComparison.verdicts(from: first.number, to: last.number, transaction)
        let corrected = context.choices.changed == .correct ? verdicts.values.compactMap(\.verdict.left) : []
        let voids = try await voids(corrected.filter { !$0.isVoid }.map(\.entry), transaction, scope)
        let sessions = entries.compactMap { try? $0.get().session } + corrected.map(\.session)
        try await catalogue.load(sessions, transaction, scope)
        var corrections: [SQL] = []
        var outcomes: [RowOutcome] = []
        var recorded: [Entry] = []
        for (row, entry) in zip(rows, entries) {
            outcomes.append(
                try RowOutcome.of {
                    var entry = try entry.get()
                    guard let (verdict, key) = verdicts[row.number] else { throw MissingRow() }
                    switch verdict {
                    case .already: return .already
                    case .void(let booking) where context.choices.changed == .correct:
                        throw takenBack(row, booking)
                    case .void where context.choices.changed == nil: return .already
                    case .changed(let old) where context.choices.changed != .new:
                        try ask(row, entry, old)
                        entry.key = key
                        corrections += try correct(old, as: entry, voids[old.entry], scope)
                        recorded.append(entry)
                        return .updated([])
                    // What was taken back of a closed period is recorded again on a day after it.
                    case .void: break
                    case .changed, .new:
                        try ClosedBooks.check(
                            entry.session.day, through: context.closedThrough, field: Self.day.name)
                    }
                    entry.key = key
                    try catalogue.take(entry)
                    recorded.append(entry)
                    return .recorded
                })
        }
        for start in stride(from: 0, to: corrections.count, by: 1000) {
            _ = try await transaction.query(Array(corrections[start..<min(start + 1000, corrections.count)]))
        }
        if !recorded.isEmpty { try await catalogue.write(recorded, today: today, transaction, scope) }
        return outcomes
    }

    /// Takes the recorded booking back, and gives its row the seats. What that changes of a closed period is dated after it.
    /// - Parameter void: what takes it back; nil when it is void already.
    private mutating func correct(
        _ old: BookingComparison.Left, as entry: Entry, _ void: Result<Change<Booking>, any Error>?,
        _ scope: Scope
    ) throws -> [SQL] {
        do {
            let change = try void?.get()
            try catalogue.take(entry, insteadOf: old)
            return change?.statements(by: scope) ?? []
        } catch let refusal as Refusal where refusal.field == "booking" || refusal.field == "state" {
            throw refusal.renamed(field: Self.state.name)
        }
    }

    func read(_ row: RegisterRow) throws -> Entry {
        var faults = RowFaults()
        let day = try faults.reading { try row.day(Self.day) }
        if let day, day > today {
            faults.note(
                Refusal(
                    .invalid, "session-in-future", field: Self.day.name, zh: "场次日期在今天之后；登记簿只收已经过去的场次",
                    en: "the session is in the future: a register holds what has been"))
        }
        let bookedOn = try faults.reading { try row.day(Self.bookedOn) }
        if let day, let bookedOn, bookedOn > day {
            faults.note(
                Refusal(
                    .invalid, "booked-after-visit", field: Self.bookedOn.name, zh: "预约日期在场次日期之后",
                    en: "it was booked after its session"))
        }
        let time = try faults.reading(TimeOfDay(minute: 0)) {
            try Self.time.naming { try TimeOfDay(start: row.key(Self.time, max: 20)) }
        }
        let key = try catalogue.key(
            site: faults.reading("") { try text(row, Self.site, max: 100) },
            programme: faults.reading("") { try text(row, Self.programme, max: 100) },
            startsAt: time.instant(on: day ?? today))
        let state = try faults.reading { try Self.outcome(row) }
        let headcount = try faults.reading { try row.integer(Self.headcount, in: 1...10_000) }
        let price = try faults.reading { try Self.pricePerHead(row) }
        let entry = try Entry(
            session: key, capacity: faults.reading(0) { try row.integer(Self.capacity, in: SessionRules.capacity) },
            bookedOn: bookedOn ?? today, unit: faults.reading("") { try text(row, Self.unit, max: 200) },
            unitKind: faults.reading(UnitKind.allCases[0]) {
                try Self.unitKind.naming { try UnitKind(named: row.text(Self.unitKind, max: 60)) }
            },
            headcount: headcount ?? 0, arrived: faults.reading(0) { try Self.arrivals(row, state) },
            leader: faults.reading("") { try text(row, Self.leader, max: 60) },
            phone: faults.reading("") { try Self.phoneNumber(row) }, price: price ?? .zero,
            fee: faults.reading(.zero) { try Self.charge(row, of: headcount, price) }, state: state ?? .completed)
        try faults.check()
        return entry
    }

    private static func pricePerHead(_ row: RegisterRow) throws -> Money {
        let price = try row.money(price)
        guard ProgrammeRules.price.contains(price.fen) else {
            throw Refusal(
                .invalid, "price-out-of-range", field: Self.price.name, zh: "单价须在 0 到 1,000,000 元之间",
                en: "the price must lie between 0 and 1,000,000 yuan")
        }
        return price
    }

    private static func outcome(_ row: RegisterRow) throws -> BookingState {
        let text = try row.text(state, max: 60)
        let states: [BookingState] = [.completed, .cancelled, .noShow]
        guard let found = states.first(where: { $0.label.zh == text || $0.rawValue == text.lowercased() }) else {
            throw Refusal(
                .invalid, "unknown-state", field: state.name, zh: "没有“\(text.shortened)”这个状态，可用：已完成、已取消、未到",
                en: "there is no state “\(text.shortened)”; there are 已完成, 已取消 and 未到")
        }
        return found
    }

    private static func arrivals(_ row: RegisterRow, _ state: BookingState?) throws -> Int {
        let number = try row.optionalInteger(arrived, in: 0...10_000) ?? 0
        guard let state else { return number }
        guard (number > 0) == (state == .completed) else {
            throw Refusal(
                .invalid, "arrivals-differ", field: arrived.name,
                zh: state == .completed ? "已完成的预约须有实到人数" : "“\(state.label.zh)”的预约不应有实到人数",
                en: state == .completed
                    ? "a completed booking has people who came" : "nobody came of a booking that is \(state.label.en)")
        }
        return number
    }

    private static func charge(_ row: RegisterRow, of headcount: Int?, _ price: Money?) throws -> Money {
        let fee = try row.money(fee)
        guard let headcount, let price else { return fee }
        guard (0...Int64(headcount) * price.fen).contains(fee.fen) else {
            throw Refusal(
                .invalid, "fee-out-of-range", field: Self.fee.name, zh: "费用 \(fee) 须在 0 到人数×单价之间",
                en: "the fee \(fee) must lie between 0 and heads × price")
        }
        return fee
    }

    /// Masked digits are kept as they are: `139****6211`.
    private static func phoneNumber(_ row: RegisterRow) throws -> String {
        let text = try row.key(phone, max: 30)
        guard text.unicodeScalars.allSatisfy({ "0123456789*+-() ".unicodeScalars.contains($0) }),
            text.filter({ $0.isNumber || $0 == "*" }).count >= 5
        else {
            throw Refusal(
                .invalid, "not-a-phone", field: phone.name, zh: "“\(text.shortened)”不是电话号码",
                en: "“\(text.shortened)” is no phone number")
        }
        return text
    }

    private func text(_ row: RegisterRow, _ column: Column, max: Int) throws -> String {
        try SiteRules.name(row.text(column, max: max), field: column.name, max: max)
    }

    static func notEnough(_ free: Int) -> Refusal {
        Refusal(
            .conflict, "not-enough-seats", field: headcount.name, zh: "场次只剩 \(free) 个名额",
            en: "the session has only \(free) seats left")
    }

    /// - Parameter session: its number, where the desk can change it.
    static func capacityDiffers(_ known: Int, _ session: Int64?) -> Refusal {
        let command = session.map { "tour session change \($0) --capacity" }
        return Refusal(
            .conflict, "capacity-differs", field: capacity.name,
            zh: "这个场次的容量是 \(known)" + (command.map { "；要改请先用 \($0)" } ?? ""),
            en: "this session has a capacity of \(known)" + (command.map { ": to change it, use \($0) first" } ?? ""))
    }

    static func capacityBelow(_ taken: Int) -> Refusal {
        Refusal(
            .conflict, "capacity-below-taken", field: capacity.name, zh: "这个场次还有 \(taken) 个名额被其他预约占用，容量不能更小",
            en: "other bookings have \(taken) seats of this session: its capacity can't be less")
    }

    static let notOpen = Refusal(
        .conflict, "session-not-open", field: day.name, zh: "这个场次已停止预约或已取消",
        en: "this session is closed or cancelled")
}
