import Database
import Foundation
import Kernel
import Postgres
import Registers

/// A register of bookings as a whole, in tables of the import's transaction: what each of its rows is beside the books.
///
/// Its rows have no number. One is known by its whole content, and of equal ones by how many there are. What is left over
/// beside what is left over of earlier registers, of the same session days or days of booking, may be a changed row.
enum BookingComparison {
    static let create: SQL = """
        CREATE TEMPORARY TABLE tour_booking_read (
            line int, content text, booked_on date, day date, starts_at timestamptz, site text, programme text, unit text,
            phone text, leader text, headcount int
        ) ON COMMIT DROP
        """

    private static let copy: SQL = "COPY tour_booking_read FROM STDIN"

    private static let left = LeftOver(
        rows: "tour_booking_said", entries: "tour_booking_left",
        order: ["booked_on", "starts_at", "site", "programme", "unit", "phone", "leader", "headcount"])

    /// The levels of likeness, the most alike first.
    private static let likenesses: [[String]] = [
        ["starts_at", "site", "programme", "booked_on", "unit", "phone"], ["starts_at", "site", "programme", "unit"],
        ["starts_at", "site", "programme", "phone", "booked_on"], ["booked_on", "unit", "phone"],
        ["booked_on", "site", "programme", "unit"], ["booked_on", "site", "programme", "phone"],
        ["booked_on", "unit", "headcount"], ["booked_on", "phone", "headcount"], ["day", "unit", "phone"],
        ["day", "unit", "headcount"],
    ]

    static func stage(
        _ entries: [(line: Int, entry: BookingRegister.Entry)], _ transaction: Transaction
    ) async throws {
        var rows = CopyBuffer()
        for (line, entry) in entries {
            try rows.append(line)
            try rows.append(entry.content)
            try rows.append(entry.bookedOn)
            try rows.append(entry.session.day)
            try rows.append(entry.session.startsAt)
            try rows.append(entry.session.site)
            try rows.append(entry.session.programme)
            try rows.append(entry.unit)
            try rows.append(entry.phone)
            try rows.append(entry.leader)
            try rows.append(entry.headcount)
            rows.endRow()
        }
        _ = try await transaction.copyIn(copy, rows.bytes)
    }

    /// Tells of each row whether it is recorded already, may be a changed one, or is new.
    /// - Parameter closed: the day through which the books are closed. What was taken back of a closed period may be a row
    ///   of the register that was corrected since: no new one can be dated there.
    static func compare(through closed: CivilDay?, _ transaction: Transaction, _ scope: Scope) async throws {
        _ = try await transaction.query([
            """
            CREATE TEMPORARY TABLE tour_booking_said ON COMMIT DROP AS
            SELECT line, booked_on, day, starts_at, site, programme, unit, phone, leader, headcount,
                sha256(convert_to(content || E'\\x1f' || row_number() OVER (PARTITION BY content ORDER BY line) - 1,
                    'UTF8')) AS key,
                NULL::bigint AS entry, NULL::text AS verdict
            FROM tour_booking_read
            """,
            "DROP TABLE tour_booking_read",
            "CREATE INDEX ON tour_booking_said (line)",
            "ANALYZE tour_booking_said",
            """
            UPDATE tour_booking_said s SET entry = b.id, verdict = 'already' FROM tour_booking b
            WHERE b.village_id = \(scope.village) AND b.register_key = s.key AND b.register_key IS NOT NULL
                AND NOT b.voided
            """,
            """
            CREATE TEMPORARY TABLE tour_booking_left ON COMMIT DROP AS
            SELECT b.id AS entry, (b.requested_at AT TIME ZONE 'Asia/Shanghai')::date AS booked_on, l.day, s.starts_at,
                t.name AS site, p.name AS programme, b.unit, b.phone, b.leader, b.headcount,
                CASE WHEN b.voided THEN 0 END AS line, b.voided AS is_void,
                b.unit_kind, coalesce(b.arrived, 0) AS arrived, l.price_fen,
                CASE WHEN b.state = 'completed' THEN l.amount_fen ELSE l.kept_fen END AS fee_fen, b.state, s.capacity
            FROM tour_booking b
            JOIN tour_booking_session l ON l.village_id = b.village_id AND l.booking_id = b.id
            JOIN tour_session s ON s.village_id = l.village_id AND s.id = l.session_id
            JOIN tour_site t ON t.village_id = s.village_id AND t.id = s.site_id
            JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id
            WHERE b.village_id = \(scope.village) AND b.register_key IS NOT NULL
                AND (NOT b.voided OR l.day <= \(closed))
                AND (l.day IN (SELECT day FROM tour_booking_said)
                    OR (b.requested_at AT TIME ZONE 'Asia/Shanghai')::date IN (SELECT booked_on FROM tour_booking_said))
                AND NOT EXISTS (SELECT FROM tour_booking_said r WHERE r.entry = b.id)
            """,
        ])
        let counts = try await transaction.query(
            """
            SELECT (SELECT count(*) FROM tour_booking_left) AS entries,
                (SELECT count(*) FROM tour_booking_said WHERE verdict IS NULL) AS rows
            """)
        guard let row = counts.first, try row.decode("rows", as: Int64.self) > 0 else { return }
        let pairs = try row.decode("entries", as: Int64.self) > 0 ? likenesses.map { left.pair(agreeingIn: $0) } : []
        // A row that was taken back does not come to life again when its register does, unless that is said.
        let void: SQL = """
            UPDATE tour_booking_said s SET entry = b.id, verdict = 'void' FROM tour_booking b
            WHERE s.verdict IS NULL AND b.village_id = \(scope.village) AND b.register_key = s.key
                AND b.register_key IS NOT NULL AND b.voided
            """
        let comingBack: SQL = "UPDATE tour_booking_left SET line = NULL WHERE line = 0"
        _ = try await transaction.query(pairs + [void] + (pairs.isEmpty ? [] : [comingBack] + pairs))
    }

    /// Locks the bookings that are to be corrected, before any session: in the order in which everybody does.
    static func lockChanged(_ transaction: Transaction, _ scope: Scope) async throws {
        _ = try await transaction.query(
            """
            SELECT b.id FROM tour_booking b
            WHERE b.village_id = \(scope.village)
                AND b.id IN (SELECT entry FROM tour_booking_said WHERE verdict = 'changed')
            ORDER BY b.id FOR NO KEY UPDATE
            """)
    }

    /// A recorded booking that the register tells no more, or tells differently.
    struct Left: Sendable {
        let entry: Int64
        let session: RegisteredTours.Key
        let unit: String
        let bookedOn: CivilDay
        let unitKind: UnitKind
        let headcount: Int
        let arrived: Int
        let leader: String
        let phone: String
        let price: Money
        let fee: Money
        let state: BookingState
        let capacity: Int
        /// Whether it was taken back by hand.
        let isVoid: Bool
    }

    enum Verdict: Sendable {
        case already
        /// The booking that was taken back.
        case void(Int64)
        case changed(Left)
        case new

        /// What may have been changed.
        var left: Left? { if case .changed(let left) = self { left } else { nil } }
    }

    /// The verdicts of the rows from one line to another and their keys, by line.
    static func verdicts(
        from first: Int, to last: Int, _ transaction: Transaction
    ) async throws -> [Int: (verdict: Verdict, key: [UInt8])] {
        var found: [Int: (verdict: Verdict, key: [UInt8])] = [:]
        for row in try await transaction.query(
            """
            SELECT s.line AS said_line, s.key, s.entry AS said_entry, coalesce(s.verdict, 'new') AS verdict, l.*
            FROM tour_booking_said s
            LEFT JOIN tour_booking_left l ON s.verdict = 'changed' AND l.entry = s.entry
            WHERE s.line BETWEEN \(first) AND \(last)
            """)
        {
            let verdict: Verdict =
                switch try row.decode("verdict", as: String.self) {
                case "already": .already
                case "void": .void(try row.decode("said_entry"))
                case "changed": .changed(try left(row))
                default: .new
                }
            found[try row.decode("said_line")] = (verdict, try row.decode("key"))
        }
        return found
    }

    private static func left(_ row: Row) throws -> Left {
        Left(
            entry: try row.decode("entry"),
            session: RegisteredTours.Key(
                site: try row.decode("site"), programme: try row.decode("programme"),
                startsAt: try row.decode("starts_at")),
            unit: try row.decode("unit"), bookedOn: try row.decode("booked_on"),
            unitKind: try Named(row, "unit_kind").value, headcount: try row.decode("headcount"),
            arrived: try row.decode("arrived"), leader: try row.decode("leader"), phone: try row.decode("phone"),
            price: try row.decode("price_fen"), fee: try row.decode("fee_fen"), state: try Named(row, "state").value,
            capacity: try row.decode("capacity"), isVoid: try row.decode("is_void"))
    }
}
