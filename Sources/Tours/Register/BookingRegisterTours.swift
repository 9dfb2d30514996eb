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
        var capacity: Int
        var taken: Int
        let isOpen: Bool
        /// Whether the register has put its capacity right: once, so that its rows can't contradict each other.
        var isCorrected = false
    }

    private struct Programme: Sendable {
        let id: Int
        let minutes: Int
    }

    /// How long a visit takes whose programme the register alone knows.
    private static let minutes = 120

    private var sites = KnownNames<Int>()
    private var programmes = KnownNames<Programme>()
    private var sessions: [Key: Session] = [:]
    private var hasStaging = false
    private var newSites: [String] = []
    private var newProgrammes: [String] = []
    private var newSessions: [String: Int] = [:]
    /// Those whose capacity is to be written.
    private var corrected: Set<Key> = []

    /// What came into being, the sessions counted by their sites.
    var created: [Bilingual] {
        newSites.map { Bilingual(zh: "基地“\($0)”", en: "site “\($0)”") }
            + newProgrammes.map { Bilingual(zh: "课程“\($0)”", en: "programme “\($0)”") }
            + newSessions.sorted { $0.key < $1.key }.map { site, count in
                Bilingual(
                    zh: "“\(site)”的 \(count) 个场次", en: "\(count) \(count == 1 ? "session" : "sessions") at “\(site)”")
            }
    }

    /// Reads the sites and programmes that are there.
    mutating func load(_ transaction: Transaction, _ scope: Scope) async throws {
        let answers = try await transaction.query([
            "SELECT id, name FROM tour_site WHERE village_id = \(scope.village) ORDER BY id",
            "SELECT id, name, minutes FROM tour_programme WHERE village_id = \(scope.village) ORDER BY id",
        ])
        for row in answers[0] { sites.add(try row.decode("name"), try row.decode("id")) }
        for row in answers[1] {
            programmes.add(
                try row.decode("name"), Programme(id: try row.decode("id"), minutes: try row.decode("minutes")))
        }
    }

    /// A session by the names as they are recorded.
    func key(site: String, programme: String, startsAt: Date) -> Key {
        Key(
            site: sites.recorded(site) ?? site, programme: programmes.recorded(programme) ?? programme,
            startsAt: startsAt)
    }

    /// Makes known what is there of the rows' sessions; they are locked until the import ends, in the order of their
    /// numbers.
    mutating func load(_ keys: [Key], _ transaction: Transaction, _ scope: Scope) async throws {
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

    /// Gives a booking its seats.
    /// - Parameter old: a recorded booking that gives its own back.
    /// - Throws: a `Refusal` when its session is another than the row says, or has not so many left.
    mutating func take(_ entry: BookingRegister.Entry, insteadOf old: BookingComparison.Left? = nil) throws {
        let before = (sessions, corrected)
        if let old { sessions[old.session]?.taken -= old.state.ownsSeats ? old.headcount : 0 }
        do {
            if old?.session == entry.session { try correctCapacity(entry) }
            try take(entry)
        } catch {
            (sessions, corrected) = before
            throw error
        }
    }

    /// A corrected row has another capacity of its session, which then is that of all of them.
    private mutating func correctCapacity(_ entry: BookingRegister.Entry) throws {
        guard let session = sessions[entry.session], session.capacity != entry.capacity, !session.isCorrected else {
            return
        }
        guard session.taken <= entry.capacity else { throw BookingRegister.capacityBelow(session.taken) }
        sessions[entry.session]?.capacity = entry.capacity
        sessions[entry.session]?.isCorrected = true
        if session.id != nil { corrected.insert(entry.session) }
    }

    private mutating func take(_ entry: BookingRegister.Entry) throws {
        var session =
            sessions[entry.session] ?? Session(id: nil, capacity: entry.capacity, taken: 0, isOpen: true)
        guard session.capacity == entry.capacity else {
            throw BookingRegister.capacityDiffers(session.capacity, session.isCorrected ? nil : session.id)
        }
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
        try await correctSessions(transaction, scope)
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
        let places = Self.firsts(entries, \.session.site) { sites[$0] == nil }.map(\.session.site)
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
        for row in answers[0] { sites.add(try row.decode("name"), try row.decode("id")) }
        for row in answers[1] {
            programmes.add(try row.decode("name"), Programme(id: try row.decode("id"), minutes: Self.minutes))
        }
        newSites += places
        newProgrammes += offers.map(\.session.programme)
    }

    private mutating func makeSessions(
        _ entries: [BookingRegister.Entry], _ transaction: Transaction, _ scope: Scope
    ) async throws {
        let missing = Self.firsts(entries, \.session) { sessions[$0]?.id == nil }
        guard !missing.isEmpty else { return }
        let ids = try await transaction.query(
            "SELECT own_number('tour_session') AS id FROM generate_series(1, \(missing.count)::int)"
        ).map { try $0.decode("id", as: Int64.self) }
        let keys = missing.map(\.session)
        let insert: SQL = """
            INSERT INTO tour_session (village_id, id, site_id, programme_id, day, starts_at, ends_at, capacity)
            SELECT \(scope.village), w.id, w.site_id, w.programme_id, w.day, w.starts_at,
                w.starts_at + make_interval(mins => w.minutes), w.capacity
            FROM unnest(\(ids)::bigint[], \(keys.map { sites[$0.site] ?? 0 })::int[],
                \(keys.map { programmes[$0.programme]?.id ?? 0 })::int[], \(keys.map(\.day.description))::date[],
                \(keys.map(\.startsAt)), \(keys.map { programmes[$0.programme]?.minutes ?? 0 })::int[],
                \(missing.map(\.capacity))::int[])
                w (id, site_id, programme_id, day, starts_at, minutes, capacity)
            """
        _ = try await transaction.query(insert.counting)
        for (key, id) in zip(keys, ids) {
            sessions[key]?.id = id
            newSessions[key.site, default: 0] += 1
        }
    }

    private mutating func correctSessions(_ transaction: Transaction, _ scope: Scope) async throws {
        let changed = corrected.compactMap { sessions[$0] }
        corrected = []
        guard !changed.isEmpty else { return }
        _ = try await transaction.query(
            """
            UPDATE tour_session s SET capacity = w.capacity, version = s.version + 1, changed_at = now()
            FROM unnest(\(changed.compactMap(\.id))::bigint[], \(changed.map(\.capacity))::int[]) w (id, capacity)
            WHERE s.village_id = \(scope.village) AND s.id = w.id
            """)
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
