import Database
import Foundation
import Kernel
import Postgres

/// The sites, programmes and sessions that a register of bookings names, and the way of its bookings into the database.
struct RegisteredTours: Sendable {
    struct Key: Hashable, Sendable {
        let site: String
        let programme: String
        let startsAt: Date

        var day: CivilDay { CivilDay(of: startsAt) }
    }

    private struct Session: Sendable {
        /// nil until it is written.
        var id: Int64?
        let capacity: Int
        var taken: Int
        let isOpen: Bool
    }

    /// How long a visit takes whose programme the register alone knows.
    private static let minutes = 120

    private var sites: [String: Int]?
    private var programmes: [String: (id: Int, minutes: Int)] = [:]
    private var sessions: [Key: Session] = [:]
    private var hasStaging = false
    private var newSites: [String] = []
    private var newProgrammes: [String] = []
    private var newSessions: [String: Int] = [:]

    /// What came into being, the sessions counted by their sites.
    var created: [Bilingual] {
        newSites.map { Bilingual(zh: "基地“\($0)”", en: "site “\($0)”") }
            + newProgrammes.map { Bilingual(zh: "课程“\($0)”", en: "programme “\($0)”") }
            + newSessions.sorted { $0.key < $1.key }.map { site, count in
                Bilingual(
                    zh: "“\(site)”的 \(count) 个场次", en: "\(count) \(count == 1 ? "session" : "sessions") at “\(site)”")
            }
    }

    /// Makes known what is there of the rows' sites, programmes and sessions; the sessions are locked until the import
    /// ends, in the order of their numbers.
    mutating func load(_ keys: [Key], _ transaction: Transaction, _ scope: Scope) async throws {
        if sites == nil {
            let answers = try await transaction.query([
                "SELECT id, name FROM tour_site WHERE village_id = \(scope.village)",
                "SELECT id, name, minutes FROM tour_programme WHERE village_id = \(scope.village)",
            ])
            var known: [String: Int] = [:]
            for row in answers[0] { known[try row.decode("name")] = try row.decode("id") }
            sites = known
            for row in answers[1] {
                programmes[try row.decode("name")] = (try row.decode("id"), try row.decode("minutes"))
            }
        }
        let wanted = Set(keys).filter { sessions[$0] == nil }
        guard !wanted.isEmpty else { return }
        for row in try await transaction.query(
            """
            SELECT s.id, w.site, w.programme, s.starts_at, s.capacity, s.held + s.booked AS taken, s.state
            FROM unnest(\(wanted.map(\.site))::text[], \(wanted.map(\.programme))::text[], \(wanted.map(\.startsAt)))
                w (site, programme, starts_at)
            JOIN tour_site t ON t.village_id = \(scope.village) AND t.name = w.site
            JOIN tour_programme p ON p.village_id = \(scope.village) AND p.name = w.programme
            JOIN tour_session s ON s.village_id = \(scope.village) AND s.site_id = t.id AND s.programme_id = p.id
                AND s.starts_at = w.starts_at
            ORDER BY s.id FOR UPDATE OF s
            """)
        {
            let key = Key(
                site: try row.decode("site"), programme: try row.decode("programme"),
                startsAt: try row.decode("starts_at"))
            sessions[key] = Session(
                id: try row.decode("id"), capacity: try row.decode("capacity"), taken: try row.decode("taken"),
                isOpen: try row.decode("state", as: String.self) == TourSession.State.open.rawValue)
        }
    }

    /// A recorded row that the register tells no more, or tells differently.
    struct Left {
        let session: Key
        let unit: String
        let bookedOn: CivilDay
        let unitKind: UnitKind
        let headcount: Int
        let arrived: Int
        let leader: String
        let phone: String
        let price: Money
        let amount: Money
        let kept: Money
        let state: BookingState

        /// Whether the entry may be this row, changed.
        func isLike(_ entry: BookingRegister.Entry) -> Bool {
            session == entry.session && (unit == entry.unit || phone == entry.phone && bookedOn == entry.bookedOn)
        }
    }

    /// What earlier registers told of the entries' sessions and these rows don't tell word by word.
    func left(
        _ entries: [BookingRegister.Entry], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [Left] {
        var keys: [Int64: Key] = [:]
        for entry in entries {
            if let id = sessions[entry.session]?.id { keys[id] = entry.session }
        }
        guard !keys.isEmpty else { return [] }
        return try await transaction.query(
            """
            SELECT l.session_id, b.unit, b.requested_at, b.unit_kind, b.headcount, coalesce(b.arrived, 0) AS arrived,
                b.leader, b.phone, l.price_fen, l.amount_fen, l.kept_fen, b.state
            FROM tour_booking_session l
            JOIN tour_booking b ON b.village_id = l.village_id AND b.id = l.booking_id
            WHERE l.village_id = \(scope.village) AND l.session_id = ANY(\(Array(keys.keys))::bigint[])
                AND b.register_key IS NOT NULL AND NOT b.register_key = ANY(\(entries.map(\.key)))
            ORDER BY b.id
            """
        ).compactMap { row in
            guard let session = keys[try row.decode("session_id")] else { return nil }
            return Left(
                session: session, unit: try row.decode("unit"),
                bookedOn: CivilDay(of: try row.decode("requested_at")), unitKind: try Named(row, "unit_kind").value,
                headcount: try row.decode("headcount"), arrived: try row.decode("arrived"),
                leader: try row.decode("leader"), phone: try row.decode("phone"), price: try row.decode("price_fen"),
                amount: try row.decode("amount_fen"), kept: try row.decode("kept_fen"),
                state: try Named(row, "state").value)
        }
    }

    /// Gives a booking its seats.
    /// - Throws: a `Refusal` when its session is another than the row says, or has not so many left.
    mutating func take(_ entry: BookingRegister.Entry) throws {
        var session =
            sessions[entry.session] ?? Session(id: nil, capacity: entry.capacity, taken: 0, isOpen: true)
        guard session.capacity == entry.capacity else { throw BookingRegister.capacityDiffers(session.capacity) }
        if entry.seats > 0 {
            guard session.isOpen else { throw BookingRegister.notOpen }
            guard session.taken + entry.seats <= session.capacity else {
                throw BookingRegister.notEnough(session.capacity - session.taken)
            }
        }
        session.taken += entry.seats
        sessions[entry.session] = session
    }

    mutating func write(
        _ entries: [BookingRegister.Entry], today: CivilDay, _ transaction: Transaction, _ scope: Scope
    ) async throws {
        try await makePlaces(entries, transaction, scope)
        try await makeSessions(entries, transaction, scope)
        if !hasStaging {
            _ = try await transaction.query(BookingStaging.create)
            hasStaging = true
        }
        let rows = try BookingStaging.rows(entries) { sessions[$0]?.id }
        _ = try await transaction.copyIn(BookingStaging.copy, rows)
        _ = try await transaction.query(BookingStaging.move(today: today, scope))
    }

    /// Sites and programmes that are named for the first time; a programme's price is that of its first row.
    private mutating func makePlaces(
        _ entries: [BookingRegister.Entry], _ transaction: Transaction, _ scope: Scope
    ) async throws {
        let places = Self.firsts(entries, \.session.site) { sites?[$0] == nil }.map(\.session.site)
        let offers = Self.firsts(entries, \.session.programme) { programmes[$0] == nil }
        let answers = try await transaction.query([
            """
            INSERT INTO tour_site (village_id, name, kind)
            SELECT \(scope.village), w.name, w.kind
            FROM unnest(\(places)::text[], \(places.map { Self.kind(of: $0).rawValue })::text[]) w (name, kind)
            RETURNING id, name
            """,
            """
            INSERT INTO tour_programme (village_id, name, minutes, price_fen)
            SELECT \(scope.village), w.name, \(Self.minutes), w.price_fen
            FROM unnest(\(offers.map(\.session.programme))::text[], \(offers.map(\.price.fen))::bigint[])
                w (name, price_fen)
            RETURNING id, name
            """,
        ])
        for row in answers[0] { sites?[try row.decode("name")] = try row.decode("id") }
        for row in answers[1] { programmes[try row.decode("name")] = (try row.decode("id"), Self.minutes) }
        newSites += places
        newProgrammes += offers.map(\.session.programme)
    }

    private mutating func makeSessions(
        _ entries: [BookingRegister.Entry], _ transaction: Transaction, _ scope: Scope
    ) async throws {
        let missing = Self.firsts(entries, \.session) { sessions[$0]?.id == nil }
        guard !missing.isEmpty else { return }
        let ids = try await transaction.query(
            "SELECT nextval('tour_session_id_seq') AS id FROM generate_series(1, \(missing.count)::int)"
        ).map { try $0.decode("id", as: Int64.self) }
        let keys = missing.map(\.session)
        _ = try await transaction.query(
            """
            INSERT INTO tour_session (village_id, id, site_id, programme_id, day, starts_at, ends_at, capacity)
            SELECT \(scope.village), w.id, w.site_id, w.programme_id, w.day, w.starts_at,
                w.starts_at + make_interval(mins => w.minutes), w.capacity
            FROM unnest(\(ids)::bigint[], \(keys.map { sites?[$0.site] ?? 0 })::int[],
                \(keys.map { programmes[$0.programme]?.id ?? 0 })::int[], \(keys.map(\.day.description))::date[],
                \(keys.map(\.startsAt)), \(keys.map { programmes[$0.programme]?.minutes ?? 0 })::int[],
                \(missing.map(\.capacity))::int[])
                w (id, site_id, programme_id, day, starts_at, minutes, capacity)
            """)
        for (key, id) in zip(keys, ids) {
            sessions[key]?.id = id
            newSessions[key.site, default: 0] += 1
        }
    }

    /// Of each value that is wanted, the first entry that has it, in their order.
    private static func firsts<Value: Hashable>(
        _ entries: [BookingRegister.Entry], _ value: (BookingRegister.Entry) -> Value, where isWanted: (Value) -> Bool
    ) -> [BookingRegister.Entry] {
        var found: Set<Value> = []
        return entries.filter { isWanted(value($0)) && found.insert(value($0)).inserted }
    }

    /// What kind of place it is, as its name tells.
    private static func kind(of site: String) -> TourSite.Kind {
        if site.contains("实践教学基地") { return .base }
        if site.contains("实践点") { return .practicePoint }
        return site.contains("园") ? .orchard : .base
    }
}
