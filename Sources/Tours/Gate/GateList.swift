import Codes
import Database
import Foundation
import Kernel
import Signing

/// A day's bookings with the keys of their tickets, taken to a gate that can't ask the register.
///
/// Written as JSON: days `2025-08-03`, instants `2025-08-03T01:30:00Z`.
public struct GateList: Sendable, Codable {
    public struct Entry: Sendable, Codable {
        public let booking: Int64
        /// 12 letters and digits.
        public let reference: String
        public let unit: String
        public let headcount: Int
        /// A `BookingState`; all are listed, so that the gate can say why somebody is turned away.
        public let state: String
        /// On this day.
        public let sessions: [Visit]
    }

    public struct Visit: Sendable, Codable {
        public let session: Int64
        public let startsAt: Date
        public let endsAt: Date
        public let site: String
        public let programme: String
        public let capacity: Int
        public let headcount: Int
        /// Who had come when the list was made.
        public let arrived: Int?
    }

    /// RFC 7517; each key with the `origin` for which it signs.
    public struct KeySet: Sendable, Codable {
        public let keys: [[String: String]]
    }

    public let format: String
    public let day: String
    public let madeAt: Date
    /// What tickets are signed for now; older ones may be for the origin of their own key.
    public let origin: String
    public let jwks: KeySet
    public let bookings: [Entry]

    static let format = "taoyuan-gate-list/1"

    public var json: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.dateEncodingStrategy = .iso8601
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            return Array(try encoder.encode(self)) + [0x0A]
        }
    }

    /// - Throws: a `Refusal` when the text is no such list.
    public init(json: [UInt8]) throws {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        guard let list = try? decoder.decode(GateList.self, from: Data(json)), list.format == Self.format,
            CivilDay(iso: list.day) != nil
        else {
            throw Refusal(
                .invalid, "not-a-gate-list", zh: "这不是入口名单（taoyuan booking gate-list 导出的文件）",
                en: "this is no gate list, such as taoyuan booking gate-list writes")
        }
        self = list
    }

    init(day: CivilDay, madeAt: Date, keys: KeyRing, bookings: [GateBooking]) {
        format = Self.format
        self.day = day.description
        self.madeAt = Date(timeIntervalSince1970: madeAt.timeIntervalSince1970.rounded(.down))
        origin = keys.origin.text
        // What a compromised key has signed must not open the gate where nobody can ask.
        let trusted = keys.all.filter { $0.compromisedSince == nil }
        jwks = KeySet(
            keys: trusted.map { key in
                key.publicKey.jwk(kid: key.id.hex).merging(["origin": key.origin.text]) { _, own in own }
            })
        self.bookings = bookings.map { booking in
            Entry(
                booking: booking.number, reference: booking.reference.text, unit: booking.unit,
                headcount: booking.headcount, state: booking.state.rawValue,
                sessions: booking.visits.filter { $0.day == day }.map { visit in
                    Visit(
                        session: visit.session, startsAt: visit.startsAt, endsAt: visit.endsAt, site: visit.site,
                        programme: visit.programme, capacity: visit.capacity, headcount: visit.headcount,
                        arrived: visit.arrived)
                })
        }
    }
}

/// Makes the gate's lists.
public struct GateListStore: Sendable {
    let database: Database
    let keys: KeyRing

    public init(_ database: Database, keys: KeyRing) {
        self.database = database
        self.keys = keys
    }

    /// - Throws: a `Refusal` of kind `unavailable` when the database is away.
    public func list(day: CivilDay, now: Date, _ scope: Scope) async throws -> GateList {
        let rows = try await database.transaction(scope) { try await $0.query(GateRows.bookings(on: day, scope)) }
        return GateList(day: day, madeAt: now, keys: keys, bookings: try GateRows.decode(rows))
    }
}
