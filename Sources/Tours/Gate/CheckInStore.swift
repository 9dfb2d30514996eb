import Codes
import Database
import Foundation
import Kernel
import Postgres
import Signing

/// The gate's register.
public struct CheckInStore: Sendable {
    let database: Database
    let keys: KeyRing

    public init(_ database: Database, keys: KeyRing) {
        self.database = database
        self.keys = keys
    }

    /// What was told before: thrown out of the plan, so that its transaction leaves nothing, no event either.
    private struct Repeated: Error {
        let answer: CheckInAnswer
    }

    /// What comes home from a gate without the register.
    private struct Home: Sendable {
        /// The nonces of all that came with it: what one gate has seen.
        let nonces: Set<String>
    }

    /// Lets a group in, or a part of it: parts add up. More than have booked are kept for the desk and told as `twice`;
    /// the same again, by its nonce, gives the same answer and changes nothing.
    /// - Throws: a `Refusal` that says why they don't come in.
    public func record(_ entry: CheckInEntry, now: Date, _ scope: Scope) async throws -> CheckInAnswer {
        guard !CheckInRules.isInFuture(entry, now: now) else { throw CheckInRules.inFuture }
        return try await record(entry, nil, now: now, scope)
    }

    /// The same, where a refusal is an answer too, as for one of several entries.
    /// - Throws: a `Refusal` of kind `unavailable` when the database is away.
    public func result(of entry: CheckInEntry, now: Date, _ scope: Scope) async throws -> CheckInResult {
        try await Self.result { try await record(entry, now: now, scope) }
    }

    /// Brings the entries of a journal in, each on its own, in their order; harmless when it is done again. They let in
    /// whom they let in: what the books are against is kept for the desk.
    ///
    /// Of two gates that let the same group in without knowing of each other the earlier scan counts, whatever comes
    /// home first.
    /// - Throws: a `Refusal` of kind `unavailable` when the database is away: what was done by then stays done.
    public func bringIn(_ entries: [CheckInEntry], now: Date, _ scope: Scope) async throws -> [CheckInResult] {
        let home = Home(nonces: Set(entries.map(\.nonce)))
        var results: [CheckInResult] = []
        for entry in entries {
            results.append(try await Self.result { try await record(entry, home, now: now, scope) })
        }
        return results
    }

    private static func result(_ body: () async throws -> CheckInAnswer) async throws -> CheckInResult {
        do {
            return .answered(try await body())
        } catch let refusal as Refusal where refusal.kind != .unavailable {
            return .refused(refusal)
        }
    }

    private func record(
        _ entry: CheckInEntry, _ home: Home?, now: Date, _ scope: Scope
    ) async throws -> CheckInAnswer {
        try CheckInRules.check(entry)
        let named = try CheckInRules.read(entry.code, check: keys.check(ticket:))
        do {
            return try await database.change(scope, Self.plan(entry, named, home, now: now))
        } catch let repeated as Repeated {
            return repeated.answer
        }
    }

    private static func plan(
        _ entry: CheckInEntry, _ named: CheckInRules.Named, _ home: Home?, now: Date
    ) -> Plan<CheckInAnswer> {
        { transaction, scope in
            let number = try await GateLedger.lock(named, transaction, scope)
            let ledger = try await GateLedger.read(number, transaction, scope)
            if let answer = try ledger.answer(toSame: entry) { throw Repeated(answer: answer) }
            let visit: GateVisit
            do {
                visit = try place(entry, ledger)
            } catch let refusal as Refusal {
                guard home != nil, let why = GateConflict.Why(refusal) else { throw refusal }
                return kept(why, entry, ledger, ledger.visit(entry.session), home, scope)
            }
            if let home {
                if CheckInRules.isInFuture(entry, now: now) {
                    return kept(
                        .future, entry, ledger, visit, home, scope,
                        warnings: [.fast(entry.at.timeIntervalSince(now))])
                }
                // A gate that was tried out before the day has let nobody in; one whose clock is slow has.
                if CivilDay(of: entry.at) < visit.day { return kept(.early, entry, ledger, visit, home, scope) }
            }
            let counted = ledger.counted(visit.session)
            let before = counted.filter { home == nil || ($0.at, $0.nonce) < (entry.at, entry.nonce) }
            let sum = before.reduce(0) { $0 + $1.headcount }
            let ofItsOwn = home.map { home in before.filter { home.nonces.contains($0.nonce) } } ?? before
            let known = entry.after ?? ofItsOwn.reduce(0) { $0 + $1.headcount }
            guard
                CheckInRules.isPart(
                    entry.headcount, before: sum, known: home == nil ? sum : known, booked: visit.headcount,
                    isCertain: entry.more)
            else { return kept(.twice, entry, ledger, visit, home, scope, earlier: before.first?.earlier) }
            let late = overtaken(
                counted.filter { later in !before.contains { $0.id == later.id } }, from: sum + entry.headcount, visit)
            let there =
                counted.filter { all in !late.contains { $0.id == all.id } }.reduce(0) { $0 + $1.headcount }
            let over = try await over(
                entry, visit, there: there, ledger, mayThrow: home == nil, transaction, scope)
            return letIn(
                entry, visit, ledger, after: home == nil ? sum : known, arrived: there + entry.headcount,
                earlier: before.last?.earlier, over: over, overtaken: late, home, now: now, scope)
        }
    }

    /// Where they belong.
    private static func place(_ entry: CheckInEntry, _ ledger: GateLedger) throws -> GateVisit {
        try CheckInRules.admit(ledger.booking.state)
        let visit = try CheckInRules.visit(
            ledger.booking.visits, session: entry.session, at: entry.at, anyDay: entry.anyDay)
        try ClosedBooks.check(visit.day, through: ledger.closed, field: "code")
        return visit
    }

    /// What another gate has let in later, not knowing of those who come home now.
    /// - Parameter sum: how many were there before.
    private static func overtaken(_ later: [GateCheckIn], from sum: Int, _ visit: GateVisit) -> [GateCheckIn] {
        var sum = sum
        return later.filter { one in
            let isPart = CheckInRules.isPart(
                one.headcount, before: sum, known: one.after ?? 0, booked: visit.headcount, isCertain: one.isCertain)
            if isPart { sum += one.headcount }
            return !isPart
        }
    }

    /// How many more than the session has room for.
    /// - Throws: a `Refusal` if that is more than none and they can still be kept out.
    private static func over(
        _ entry: CheckInEntry, _ visit: GateVisit, there: Int, _ ledger: GateLedger, mayThrow: Bool,
        _ transaction: Transaction, _ scope: Scope
    ) async throws -> Int {
        let all = there + entry.headcount
        guard CheckInRules.needsRoom(visit, headcount: all, state: ledger.booking.state) else { return 0 }
        let others = try await ledger.others(visit.session, transaction, scope)
        guard all + others > visit.capacity else { return 0 }
        guard !mayThrow else { throw CheckInRules.overCapacity(visit, before: there, others: others) }
        return all + others - visit.capacity
    }

    private static func letIn(
        _ entry: CheckInEntry, _ visit: GateVisit, _ ledger: GateLedger, after: Int, arrived: Int,
        earlier: CheckInAnswer.Earlier?, over: Int, overtaken: [GateCheckIn], _ home: Home?, now: Date,
        _ scope: Scope
    ) -> Change<CheckInAnswer> {
        let number = ledger.booking.number
        var warnings: [GateWarning] = over > 0 ? [.overCapacity(over)] : []
        if entry.unlisted { warnings.append(.unlisted) }
        let answer = ledger.answer(
            .counted, nil, visit, entry, at: entry.at, arrived: arrived, earlier: earlier, warnings: warnings)
        var writes = [
            GateWrites.checkIn(entry, booking: number, visit, after: after, offline: home != nil, scope)
        ]
        for one in overtaken {
            let same = CheckInEntry(code: "", headcount: one.headcount, nonce: one.nonce, at: one.at)
            writes += [
                GateWrites.undo(one, day: visit.day, reason: "另一入口先扫 / scanned earlier at another gate", scope),
                GateWrites.conflict(
                    .twice, same, booking: number, session: visit.session, day: visit.day, checkIn: one.id,
                    offline: one.offline, scope),
            ]
        }
        let state: BookingState = ledger.booking.state == .completed ? .completed : .arrived
        let event = Event.ofBooking(
            "checked_in", number, state, day: visit.day,
            [
                .number("session", visit.session), .number("people", entry.headcount),
                .number("booked", visit.headcount), .number("arrived", arrived),
                .number("over", over > 0 ? Int64(over) : nil),
            ])
        let told = overtaken.map { one in
            Event.ofBooking(
                "gate_conflict", number, state, day: visit.day,
                [
                    .text("why", GateConflict.Why.twice.rawValue), .number("session", visit.session),
                    .number("people", one.headcount), .number("check_in", one.id),
                ])
        }
        return Change(
            writes: writes
                + GateWrites.arrive(
                    ledger.booking, visit.session, on: BookingRules.today(now), scope),
            lastWrites: [
                "SELECT id FROM tour_check_in WHERE village_id = \(scope.village) AND nonce = \(entry.nonce)"
            ], refusals: ["tour_check_in_nonce_once": CheckInRules.nonceReused()], events: [event] + told
        ) { rows in
            var answer = answer
            answer.number = try rows.first?.decode("id")
            return answer
        }
    }

    /// Keeps it for the desk.
    private static func kept(
        _ why: GateConflict.Why, _ entry: CheckInEntry, _ ledger: GateLedger, _ visit: GateVisit?, _ home: Home?,
        _ scope: Scope, earlier: CheckInAnswer.Earlier? = nil, warnings: [GateWarning] = []
    ) -> Change<CheckInAnswer> {
        let day = visit?.day ?? CivilDay(of: entry.at)
        let answer = ledger.answer(
            why == .twice ? .twice : .conflict, why: why, visit, entry, at: entry.at, day: day, earlier: earlier,
            warnings: warnings)
        let session = visit?.session ?? entry.session
        return Change(
            writes: [
                GateWrites.conflict(
                    why, entry, booking: ledger.booking.number, session: session, day: day, offline: home != nil, scope)
            ],
            lastWrites: [
                "SELECT id FROM tour_gate_conflict WHERE village_id = \(scope.village) AND nonce = \(entry.nonce)"
            ], refusals: ["tour_gate_conflict_nonce_once": CheckInRules.nonceReused()],
            event: .ofBooking(
                "gate_conflict", ledger.booking.number, ledger.booking.state,
                [
                    .text("why", why.rawValue), .number("session", session), .number("people", entry.headcount),
                ])
        ) { rows in
            var answer = answer
            answer.number = try rows.first?.decode("id")
            return answer
        }
    }
}
