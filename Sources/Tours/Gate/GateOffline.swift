import Foundation
import Kernel
import Signing

/// A gate without the register: it knows the day's list and the journal of those that it has let in.
public struct OfflineGate: Sendable {
    public let list: GateList
    private let origin: Origin
    private let keys: [KeyID: (key: PublicKey, origin: Origin)]
    private let byNumber: [Int64: GateList.Entry]
    private let byReference: [String: GateList.Entry]

    /// - Throws: a `Refusal` when the list's keys or origin can't be read.
    public init(_ list: GateList) throws {
        self.list = list
        byNumber = Dictionary(list.bookings.map { ($0.booking, $0) }) { first, _ in first }
        byReference = Dictionary(list.bookings.map { ($0.reference, $0) }) { first, _ in first }
        let present = try Origin(list.origin)
        origin = present
        let known = try list.jwks.keys.flatMap { jwk in
            let origin = try jwk["origin"].map(Origin.init) ?? present
            return try PublicKey.all(in: String(decoding: try JSONEncoder().encode(jwk), as: UTF8.self))
                .map { ($0.id(origin: origin), (key: $0, origin: origin)) }
        }
        keys = Dictionary(known) { first, _ in first }
    }

    /// What a bare ticket tells, for the origin that its key was made for.
    private func check(_ payload: String) -> TicketAnswer {
        let known = (try? SignedTicket(payload: payload)).flatMap { keys[$0.body.keyID] }
        return TicketVerifier(origin: known?.origin ?? origin) { _ in known.map { KnownKey($0.key) } }.check(payload)
    }

    /// Lets a group in, or a part of it, by the list and the journal alone. A ticket that is newer than the list comes in
    /// by its signature.
    /// - Parameters:
    ///   - entry: its session may be nil; its nonce is a fresh one.
    ///   - journal: who was let in before.
    /// - Returns: the entry for the journal with what the gate knew, and the answer.
    /// - Throws: a `Refusal` that says why they don't come in; `already-checked-in` for more than have booked.
    public func admit(
        _ entry: CheckInEntry, journal: [CheckInEntry]
    ) throws -> (entry: CheckInEntry, answer: CheckInAnswer) {
        try CheckInRules.check(entry)
        let named = try CheckInRules.read(entry.code, check: check)
        guard let day = CivilDay(iso: list.day) else { throw Self.unlisted(list.day) }
        guard let found = find(named) else {
            guard case .ticket(let body) = named else { throw Self.unlisted(list.day) }
            return try admitUnlisted(entry, body, on: day, journal)
        }
        guard let state = BookingState(rawValue: found.state) else { throw Self.unlisted(list.day) }
        try CheckInRules.admit(state)
        let visits = found.sessions.map { visit in
            GateVisit(
                session: visit.session, day: day, startsAt: visit.startsAt, endsAt: visit.endsAt, site: visit.site,
                programme: visit.programme, capacity: visit.capacity, headcount: visit.headcount,
                arrived: visit.arrived)
        }
        let visit = try place(entry, visits, on: day)
        let came = arrivals(journal)
        let before = present(came[Seat(found.booking, visit.session)] ?? [], listed: visit.arrived)
        let isPart = CheckInRules.isPart(
            entry.headcount, before: before, known: before, booked: visit.headcount, isCertain: entry.more)
        let earlier = earlier(came[Seat(found.booking, visit.session)]?.last, listed: visit.arrived)
        if !isPart, let earlier { throw CheckInRules.already(earlier, before: before, booked: visit.headcount) }
        if CheckInRules.needsRoom(visit, headcount: before + entry.headcount, state: state) {
            let others = others(than: found.booking, visit.session, came)
            guard before + entry.headcount + others <= visit.capacity else {
                throw CheckInRules.overCapacity(visit, before: before, others: others)
            }
        }
        let answer = CheckInAnswer(
            outcome: .counted, isRepeat: false, number: nil, why: nil, booking: found.booking,
            reference: try BookingReference(entered: found.reference), unit: found.unit, session: visit.session,
            day: day, site: visit.site, programme: visit.programme, expected: visit.headcount,
            headcount: entry.headcount, arrived: before + entry.headcount, at: entry.at, earlier: earlier,
            warnings: clockWarnings(entry.at, on: day, visit, isFirst: before == 0))
        return (entry.written(session: visit.session, after: before), answer)
    }

    /// By the signature alone: what the ticket is good for beyond that, the register will see.
    private func admitUnlisted(
        _ entry: CheckInEntry, _ body: TicketBody, on day: CivilDay, _ journal: [CheckInEntry]
    ) throws -> (entry: CheckInEntry, answer: CheckInAnswer) {
        // All bookings of the day were on the list when it was made: an older ticket's group has been moved away since.
        guard body.issued >= CivilDay(of: list.madeAt) else { throw Self.unlisted(list.day) }
        guard body.day == day || entry.anyDay else { throw CheckInRules.wrongDay([body.day]) }
        guard isSlow(entry.at) || entry.anyDay || CivilDay(of: entry.at) == day else {
            throw otherDay(entry.at, on: day)
        }
        let booking = Int64(body.booking)
        let came = arrivals(journal)[Seat(booking, entry.session)] ?? []
        let before = present(came, listed: nil)
        let earlier = earlier(came.last, listed: nil)
        if let earlier, !entry.more { throw CheckInRules.already(earlier, before: before, booked: nil) }
        let answer = CheckInAnswer(
            outcome: .counted, isRepeat: false, number: nil, why: nil, booking: booking, reference: nil, unit: nil,
            session: entry.session, day: day, site: nil, programme: nil, expected: nil, headcount: entry.headcount,
            arrived: before + entry.headcount, at: entry.at, earlier: earlier,
            warnings: [.unlisted] + clockWarnings(entry.at, on: day, nil, isFirst: before == 0))
        return (entry.written(session: entry.session, after: before, unlisted: true), answer)
    }

    private struct Seat: Hashable {
        let booking: Int64
        let session: Int64?

        init(_ booking: Int64, _ session: Int64?) {
            self.booking = booking
            self.session = session
        }
    }

    private func find(_ named: CheckInRules.Named) -> GateList.Entry? {
        switch named {
        case .ticket(let body): byNumber[Int64(body.booking)]
        case .number(let number): byNumber[number]
        case .reference(let reference): byReference[reference.text]
        }
    }

    /// Which session they come to. A clock that is behind the list's making tells no day: it is the list's.
    private func place(_ entry: CheckInEntry, _ visits: [GateVisit], on day: CivilDay) throws -> GateVisit {
        do {
            return try CheckInRules.visit(
                visits, session: entry.session, at: entry.at, anyDay: entry.anyDay || isSlow(entry.at))
        } catch let refusal as Refusal where refusal.code == "wrong-day" {
            throw otherDay(entry.at, on: day)
        }
    }

    /// Entries whose code no longer opens anything are passed over: they let nobody in.
    private func arrivals(_ journal: [CheckInEntry]) -> [Seat: [CheckInEntry]] {
        var came: [Seat: [CheckInEntry]] = [:]
        for entry in journal {
            guard let named = try? CheckInRules.read(entry.code, check: check) else { continue }
            if let booking = find(named)?.booking {
                if let session = entry.session { came[Seat(booking, session), default: []].append(entry) }
            } else if case .ticket(let body) = named {
                came[Seat(Int64(body.booking), entry.session), default: []].append(entry)
            }
        }
        return came
    }

    /// How many are in. Those whom the journal let in before the list was made may be among those whom the list has.
    private func present(_ came: [CheckInEntry], listed: Int?) -> Int {
        let older = came.filter { $0.at < list.madeAt }.reduce(0) { $0 + $1.headcount }
        let newer = came.filter { $0.at >= list.madeAt }.reduce(0) { $0 + $1.headcount }
        return max(listed ?? 0, older) + newer
    }

    private func earlier(_ last: CheckInEntry?, listed: Int?) -> CheckInAnswer.Earlier? {
        if let last {
            return .init(at: last.at, headcount: last.headcount, actor: "journal", offline: true)
        }
        return listed.map { .init(at: list.madeAt, headcount: $0, actor: "list", offline: false) }
    }

    private func others(than booking: Int64, _ session: Int64, _ came: [Seat: [CheckInEntry]]) -> Int {
        var sum = 0
        for other in list.bookings where other.booking != booking {
            guard let state = BookingState(rawValue: other.state), state.holdsSeats || state.ownsSeats else { continue }
            for visit in other.sessions where visit.session == session {
                let entries = came[Seat(other.booking, session)] ?? []
                if entries.isEmpty, visit.arrived == nil {
                    sum += state == .noShow ? 0 : visit.headcount
                } else {
                    sum += present(entries, listed: visit.arrived)
                }
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

/// The gate's own clock, beside what the list tells.
extension OfflineGate {
    /// Whether it is behind the moment in which the list was made.
    private func isSlow(_ now: Date) -> Bool { now < list.madeAt.addingTimeInterval(-GateClock.tolerance) }

    /// - Parameter isFirst: whether nobody of the group came before; the rest of it may come late.
    private func clockWarnings(
        _ now: Date, on day: CivilDay, _ visit: GateVisit?, isFirst: Bool
    ) -> [GateWarning] {
        if isSlow(now) { return [.clock(shows: now, listMadeAt: list.madeAt, day: day)] }
        if CivilDay(of: now) != day { return [.anotherDay(shows: now, day: day)] }
        guard let visit else { return [] }
        if visit.endsAt < now { return [.sessionOver(endedAt: visit.endsAt, shows: now)] }
        // Groups come about when their session begins; a clock that is some hours off shows another time.
        if isFirst, abs(now.timeIntervalSince(visit.startsAt)) > CheckInRules.around {
            return [.untimely(startsAt: visit.startsAt, shows: now)]
        }
        return []
    }

    private func otherDay(_ now: Date, on day: CivilDay) -> Refusal {
        Refusal(
            .conflict, "wrong-day", field: "code",
            zh: "不是今天：名单是 \(day) 的，而入口设备的时钟显示 \(now.minute)；请核对时钟，仍要放行请加 --any-day",
            en:
                "not today: the list is of \(day), and the gate's clock shows \(now.minute); see whether it is right, or "
                + "let them in all the same (--any-day)")
    }
}
