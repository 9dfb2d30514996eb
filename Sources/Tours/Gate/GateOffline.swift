import Foundation
import Kernel
import Signing

/// A gate without the register: it knows the day's list and the journal of those that it has let in.
public struct OfflineGate: Sendable {
    public let list: GateList
    private let verifier: TicketVerifier

    /// - Throws: a `Refusal` when the list's keys or origin can't be read.
    public init(_ list: GateList) throws {
        self.list = list
        let origin = try Origin(list.origin)
        let text = String(decoding: try JSONEncoder().encode(list.jwks), as: UTF8.self)
        let keys = list.jwks.keys.isEmpty ? [] : try PublicKey.all(in: text)
        let known = Dictionary(keys.map { ($0.id(origin: origin), KnownKey($0)) }) { first, _ in first }
        verifier = TicketVerifier(origin: origin) { known[$0] }
    }

    /// Lets a group in by the list and the journal alone.
    /// - Parameters:
    ///   - entry: its session may be nil; its nonce is a fresh one.
    ///   - journal: who was let in before.
    /// - Returns: the entry for the journal, its session filled in, and the answer.
    /// - Throws: a `Refusal` that says why they don't come in; `already-checked-in` for who did before.
    public func admit(
        _ entry: CheckInEntry, journal: [CheckInEntry]
    ) throws -> (entry: CheckInEntry, answer: CheckInAnswer) {
        try CheckInRules.check(entry, now: entry.at)
        let named = try CheckInRules.read(entry.code, check: verifier.check)
        let found = try find(named)
        guard let day = CivilDay(iso: list.day), let state = BookingState(rawValue: found.state) else {
            throw Self.unlisted(list.day)
        }
        try CheckInRules.admit(state)
        let visits = found.sessions.map { visit in
            GateVisit(
                session: visit.session, day: day, startsAt: visit.startsAt, endsAt: visit.endsAt, site: visit.site,
                programme: visit.programme, capacity: visit.capacity, headcount: visit.headcount,
                arrived: visit.arrived)
        }
        let visit = try CheckInRules.visit(visits, session: entry.session, at: entry.at, anyDay: entry.anyDay)
        let came = arrivals(journal)
        if let before = came[Seat(found.booking, visit.session)] {
            throw CheckInRules.already(
                .init(at: before.at, headcount: before.headcount, actor: "journal", offline: true))
        }
        if let arrived = visit.arrived {
            throw CheckInRules.already(.init(at: list.madeAt, headcount: arrived, actor: "list", offline: false))
        }
        if CheckInRules.needsRoom(visit, headcount: entry.headcount, state: state) {
            try CheckInRules.room(
                visit, headcount: entry.headcount, others: others(than: found.booking, visit.session, came))
        }
        let written = CheckInEntry(
            code: entry.code, headcount: entry.headcount, nonce: entry.nonce, at: entry.at, session: visit.session,
            anyDay: entry.anyDay)
        let answer = CheckInAnswer(
            outcome: .counted, isRepeat: false, booking: found.booking,
            reference: try BookingReference(entered: found.reference), unit: found.unit, session: visit.session,
            day: day, site: visit.site, programme: visit.programme, expected: visit.headcount,
            headcount: entry.headcount, at: entry.at, earlier: nil)
        return (written, answer)
    }

    private struct Seat: Hashable {
        let booking: Int64
        let session: Int64

        init(_ booking: Int64, _ session: Int64) {
            self.booking = booking
            self.session = session
        }
    }

    private func find(_ named: CheckInRules.Named) throws -> GateList.Entry {
        let found =
            switch named {
            case .booking(let number): list.bookings.first { $0.booking == number }
            case .reference(let reference): list.bookings.first { $0.reference == reference.text }
            }
        guard let found else { throw Self.unlisted(list.day) }
        return found
    }

    /// Entries whose code no longer opens anything are passed over: they let nobody in.
    private func arrivals(_ journal: [CheckInEntry]) -> [Seat: CheckInEntry] {
        var first: [Seat: CheckInEntry] = [:]
        for entry in journal {
            guard let session = entry.session,
                let named = try? CheckInRules.read(entry.code, check: verifier.check),
                let booking = try? find(named).booking
            else { continue }
            let seat = Seat(booking, session)
            if first[seat] == nil { first[seat] = entry }
        }
        return first
    }

    private func others(than booking: Int64, _ session: Int64, _ came: [Seat: CheckInEntry]) -> Int {
        var sum = 0
        for other in list.bookings where other.booking != booking {
            guard let state = BookingState(rawValue: other.state), state.holdsSeats || state.ownsSeats else { continue }
            for visit in other.sessions where visit.session == session {
                let arrived = came[Seat(other.booking, session)]?.headcount ?? visit.arrived
                sum += arrived ?? (state == .noShow ? 0 : visit.headcount)
            }
        }
        return sum
    }

    private static func unlisted(_ day: String) -> Refusal {
        Refusal(
            .notFound, "not-on-the-list", field: "code", zh: "\(day) 的名单上没有这个预约；请联网签到，或换当天的新名单（booking gate-list）",
            en: "this booking is not on the list of \(day): ask the register, or fetch the day's list anew (booking "
                + "gate-list)")
    }
}

/// The file in which an offline gate keeps whom it let in: a line of JSON each.
public enum GateJournal {
    /// - Returns: the entries, and how many bytes they take: what follows is a line that was never finished.
    /// - Throws: a `Refusal` naming the line that is none.
    public static func read(_ bytes: [UInt8]) throws -> (entries: [CheckInEntry], length: Int) {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        let length = (bytes.lastIndex(of: 0x0A) ?? -1) + 1
        var entries: [CheckInEntry] = []
        let lines = bytes[..<length].split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
        for (index, line) in lines.enumerated() where !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) {
            guard let entry = try? decoder.decode(CheckInEntry.self, from: Data(line)) else {
                throw Refusal(
                    .invalid, "bad-journal", row: index + 1, zh: "签到记录文件的这一行读不懂",
                    en: "this line of the journal can't be read")
            }
            entries.append(entry)
        }
        return (entries, length)
    }

    /// The entry's line, with its end.
    public static func line(_ entry: CheckInEntry) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(entry)) + [0x0A]
    }
}
