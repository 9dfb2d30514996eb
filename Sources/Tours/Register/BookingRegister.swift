import Database
import Foundation
import Kernel
import Postgres
import Registers
import Signing

/// Records 研学预约: each row is a booking of the past and what became of it. Its rows have no number: a row is known by
/// its content and by how many equal ones precede it, a changed one by its session and its unit or phone. Sites, programmes and sessions that it names come into being.
public struct BookingRegister: RegisterRecorder, Sendable {
    private static let bookedOn = Column("预约日期")
    private static let day = Column("场次日期")
    private static let time = Column("时间", also: ["场次时间"])
    private static let site = Column("基地", also: ["研学基地"])
    private static let programme = Column("课程")
    private static let capacity = Column("场次容量", also: ["容量"])
    private static let unit = Column("单位名称", also: ["单位"])
    private static let unitKind = Column("单位类别")
    private static let headcount = Column("预约人数")
    private static let arrived = Column("实到人数")
    private static let leader = Column("带队人")
    private static let phone = Column("联系电话", also: ["电话"])
    private static let price = Column("单价元每人", also: ["单价"])
    private static let fee = Column("费用元", also: ["费用"])
    private static let state = Column("状态")
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

    private let today: CivilDay
    private var seen: [String: Int] = [:]
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
    }

    public mutating func record(
        _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
    ) async throws -> [RowOutcome] {
        guard scope.cooperative == nil else {
            throw Refusal(
                .forbidden, "desk-only", zh: "研学预约由村里登记", en: "bookings are the village's to record")
        }
        let closed = try await ClosedBooks.through(transaction, scope)
        let entries = rows.map { row in Result { try read(row) } }
        let good = entries.compactMap { try? $0.get() }
        let known = try await Self.known(good.map(\.key), transaction, scope)
        try await catalogue.load(good.map(\.session), transaction, scope)
        var left = try await catalogue.left(good, transaction, scope)
        var outcomes: [RowOutcome] = []
        var recorded: [Entry] = []
        for (row, entry) in zip(rows, entries) {
            do {
                let entry = try entry.get()
                if known.contains(entry.key) {
                    outcomes.append(.already)
                    continue
                }
                if let place = left.firstIndex(where: { $0.isLike(entry) }) {
                    try Self.check(entry, against: left.remove(at: place))
                }
                try ClosedBooks.check(entry.session.day, through: closed, field: Self.day.name)
                try catalogue.take(entry)
                recorded.append(entry)
                outcomes.append(.recorded)
            } catch let refusal as Refusal {
                outcomes.append(.refused(refusal.of(row: row.number)))
            }
        }
        if !recorded.isEmpty { try await catalogue.write(recorded, today: today, transaction, scope) }
        return outcomes
    }

    /// - Throws: a `Refusal` that names what of the booking is recorded differently.
    private static func check(_ entry: Entry, against old: RegisteredTours.Left) throws {
        var row = RecordedRow()
        row.compare(bookedOn, recorded: old.bookedOn, said: entry.bookedOn)
        row.compare(unit, recorded: old.unit, said: entry.unit)
        row.compare(unitKind, recorded: old.unitKind, said: entry.unitKind) { $0.label.zh }
        row.compare(headcount, recorded: old.headcount, said: entry.headcount)
        row.compare(arrived, recorded: old.arrived, said: entry.arrived)
        row.compare(leader, recorded: old.leader, said: entry.leader)
        row.compare(phone, recorded: old.phone, said: entry.phone)
        row.compare(price, recorded: old.price, said: entry.price)
        row.compare(state, recorded: old.state, said: entry.state) { $0.label.zh }
        row.compare(fee, recorded: old.state == .completed ? old.amount : old.kept, said: entry.fee)
        try row.check(
            "booking-differs",
            Bilingual(zh: "“\(entry.unit.shortened)”的这个预约", en: "this booking of “\(entry.unit.shortened)”"))
    }

    private static func known(
        _ keys: [[UInt8]], _ transaction: Transaction, _ scope: Scope
    ) async throws -> Set<[UInt8]> {
        guard !keys.isEmpty else { return [] }
        let rows = try await transaction.query(
            """
            SELECT register_key FROM tour_booking
            WHERE village_id = \(scope.village) AND register_key IS NOT NULL AND register_key = ANY(\(keys))
            """)
        return Set(try rows.map { try $0.decode("register_key") })
    }

    private mutating func read(_ row: RegisterRow) throws -> Entry {
        let day = try row.day(Self.day)
        guard day <= today else {
            throw Refusal(
                .invalid, "session-in-future", field: Self.day.name, zh: "场次日期在今天之后；登记簿只收已经过去的场次",
                en: "the session is in the future: a register holds what has been")
        }
        let bookedOn = try row.day(Self.bookedOn)
        guard bookedOn <= day else {
            throw Refusal(
                .invalid, "booked-after-visit", field: Self.bookedOn.name, zh: "预约日期在场次日期之后",
                en: "it was booked after its session")
        }
        let time = try named(Self.time) { try TimeOfDay(start: row.key(Self.time, max: 20)) }
        let key = RegisteredTours.Key(
            site: try text(row, Self.site, max: 100), programme: try text(row, Self.programme, max: 100),
            startsAt: time.instant(on: day))
        let state = try Self.outcome(row)
        let headcount = try row.integer(Self.headcount, in: 1...10_000)
        let price = try row.money(Self.price)
        guard ProgrammeRules.price.contains(price.fen) else {
            throw Refusal(
                .invalid, "price-out-of-range", field: Self.price.name, zh: "单价须在 0 到 1,000,000 元之间",
                en: "the price must lie between 0 and 1,000,000 yuan")
        }
        var entry = Entry(
            session: key, capacity: try row.integer(Self.capacity, in: SessionRules.capacity),
            bookedOn: bookedOn, unit: try text(row, Self.unit, max: 200),
            unitKind: try named(Self.unitKind) { try UnitKind(named: row.text(Self.unitKind, max: 60)) },
            headcount: headcount, arrived: try Self.arrivals(row, state), leader: try text(row, Self.leader, max: 60),
            phone: try Self.phoneNumber(row), price: price, fee: try Self.charge(row, of: headcount, price),
            state: state)
        entry.key = newKey(of: entry)
        return entry
    }

    private mutating func newKey(of entry: Entry) -> [UInt8] {
        // No cell holds the separator, so that no two rows spell one content.
        let content = [
            "\(entry.bookedOn)", "\(Int64(entry.session.startsAt.timeIntervalSince1970))", entry.session.site,
            entry.session.programme, "\(entry.capacity)", entry.unit, entry.unitKind.rawValue, "\(entry.headcount)",
            "\(entry.arrived)", entry.leader, entry.phone, "\(entry.price.fen)", "\(entry.fee.fen)",
            entry.state.rawValue,
        ].joined(separator: "\u{1F}")
        let place = seen[content, default: 0]
        seen[content] = place + 1
        return Digest.sha256(Array("\(content)\u{1F}\(place)".utf8))
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

    private static func arrivals(_ row: RegisterRow, _ state: BookingState) throws -> Int {
        let number = try row.optionalInteger(arrived, in: 0...10_000) ?? 0
        guard (number > 0) == (state == .completed) else {
            throw Refusal(
                .invalid, "arrivals-differ", field: arrived.name,
                zh: state == .completed ? "已完成的预约须有实到人数" : "“\(state.label.zh)”的预约不应有实到人数",
                en: state == .completed
                    ? "a completed booking has people who came" : "nobody came of a booking that is \(state.label.en)")
        }
        return number
    }

    private static func charge(_ row: RegisterRow, of headcount: Int, _ price: Money) throws -> Money {
        let fee = try row.money(fee)
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

    private func named<Value>(_ column: Column, _ read: () throws -> Value) throws -> Value {
        do {
            return try read()
        } catch let refusal as Refusal {
            throw refusal.renamed(field: column.name)
        }
    }

    static func notEnough(_ free: Int) -> Refusal {
        Refusal(
            .conflict, "not-enough-seats", field: headcount.name, zh: "场次只剩 \(free) 个名额",
            en: "the session has only \(free) seats left")
    }

    static func capacityDiffers(_ known: Int) -> Refusal {
        Refusal(
            .conflict, "capacity-differs", field: capacity.name, zh: "这个场次的容量是 \(known)",
            en: "this session has a capacity of \(known)")
    }

    static let notOpen = Refusal(
        .conflict, "session-not-open", field: day.name, zh: "这个场次已停止预约或已取消",
        en: "this session is closed or cancelled")
}
