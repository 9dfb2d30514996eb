import Database
import Foundation
import Kernel
import Postgres

/// What a booking is made upon: a number of its own, and its sessions as they were a moment ago.
struct BookingGround: Sendable {
    let number: Int64
    /// Those that there are, in the order of their numbers.
    let sessions: [BookableSession]
    /// What else its phone has.
    let open: [OpenBooking]

    func hasRoom(for wanted: NewBooking) -> Bool {
        sessions.allSatisfy { $0.free >= wanted.headcount }
    }
}

/// Takes bookings in. Those that come at the same time go together: one look at their sessions without locks, then one
/// transaction that writes them all, the sessions' counters last.
///
/// Between look and writing somebody else may take the last seats; the counters' CHECKs decide. When one of several
/// can't be written, each looks again and is carried out alone. So is from the start what takes more than writing:
/// several sessions, extras, and a session without room.
public final class BookingIntake: Sendable {
    private struct Asked: Sendable {
        let wanted: NewBooking
        let state: BookingState
        let byStranger: Bool
        let limits: BookingLimits
        let now: Date
        let scope: Scope

        func plan(on ground: BookingGround) -> Plan<Booking> {
            BookingStore.book(wanted, on: ground, as: state, byStranger: byStranger, limits: limits, now: now)
        }

        /// The booking, where no more is to be done than to write it; nil also for what is to be refused, which an answer
        /// from before may yet save.
        func writable(on ground: BookingGround) -> BookingStore.Made? {
            guard wanted.sessions.count == 1, wanted.extras.isEmpty, ground.hasRoom(for: wanted) else { return nil }
            do {
                try BookingStore.check(wanted, on: ground, byStranger: byStranger, limits: limits, now: now)
                let booking = try BookingStore.booking(
                    wanted, [], on: ground, as: state, now: now, actor: scope.actor)
                return BookingStore.Made(booking, isOnce: !wanted.again, isBound: byStranger && !limits.areNone)
            } catch {
                return nil
            }
        }
    }

    /// A booking to be written, with the answer to its request where that may come again.
    private struct Entry: Sendable {
        let made: BookingStore.Made
        let scope: Scope
        let answer: (retry: Retry, text: String)?
    }

    private let database: Database
    private let limits: BookingLimits
    private let looks: Gathering<NewBooking, BookingGround>
    /// Tells whether the booking was written; if not, nothing of it was.
    private let writings: Gathering<Entry, Result<Bool, any Error>>

    /// - Parameters:
    ///   - limits: for strangers.
    ///   - lockTimeout: for how many milliseconds those that are written together wait for a session that somebody else
    ///     keeps locked, be it an import or a console: it must not stop the bookings of all other sessions.
    public init(_ database: Database, village: Int, limits: BookingLimits = .usual, lockTimeout: Int = 500) {
        self.database = database
        self.limits = limits
        let scope = Scope(village: village, cooperative: nil, actor: "public")
        looks = Gathering("looks at sessions", width: 1, limit: 64) { try await Self.look($0, database, scope) }
        writings = Gathering("bookings", width: 2, limit: 8) { await Self.write($0, database, limits, lockTimeout) }
    }

    /// How many bookings wait to be written with others.
    var waitingCount: Int { writings.waitingCount }

    /// Makes a booking.
    ///
    /// One that finds no seats is refused as `sold-out`, or waits for some when it says so.
    /// - Parameters:
    ///   - state: `requested`, or by the desk `held` or `confirmed`.
    ///   - byStranger: whether the programmes' rules for the public bind.
    /// - Throws: a `Refusal`.
    public func book(
        _ new: NewBooking, as state: BookingState = .requested, byStranger: Bool, now: Date, _ scope: Scope
    ) async throws -> Booking {
        let asked = Asked(
            wanted: try BookingStore.checked(new), state: state, byStranger: byStranger, limits: limits,
            now: now, scope: scope)
        return try await take(asked) {
            ($0, nil)
        } alone: { plan in
            try await self.database.change(scope, plan)
        }
    }

    /// Makes a booking as above; under a `retry` once, however often the request is repeated.
    /// - Parameter render: the answer's text.
    public func book(
        _ new: NewBooking, as state: BookingState = .requested, byStranger: Bool, now: Date, _ scope: Scope,
        once retry: Retry?, render: @escaping @Sendable (Booking) throws -> String
    ) async throws -> String {
        let asked = Asked(
            wanted: try BookingStore.checked(new), state: state, byStranger: byStranger, limits: limits,
            now: now, scope: scope)
        return try await take(asked) { booking in
            let text = try render(booking)
            return (text, retry.map { ($0, text) })
        } alone: { plan in
            guard let retry else { return try render(try await self.database.change(scope, plan)) }
            return try await self.database.change(scope, once: retry, render: render, plan)
        }
    }

    private func take<Answer: Sendable>(
        _ asked: Asked, answer: (Booking) throws -> (Answer, stored: (retry: Retry, text: String)?),
        alone: (@escaping Plan<Booking>) async throws -> Answer
    ) async throws -> Answer {
        var turns = 4
        while true {
            var ground = try await looks.answer(asked.wanted)
            if let made = asked.writable(on: ground) {
                let (answer, stored) = try answer(made.booking)
                let entry = Entry(made: made, scope: asked.scope, answer: stored)
                if try await writings.answer(entry).get() { return answer }
                ground = try await looks.answer(asked.wanted)
            }
            do {
                return try await alone(asked.plan(on: ground))
            } catch let refusal as Refusal
                where refusal.code == BookingRules.soldOutCode && turns > 0
                && (asked.wanted.waitlist || ground.hasRoom(for: asked.wanted))
            {
                // Only the writing found out that the seats had gone. It may want to wait, or holds may have expired.
                turns -= 1
            }
        }
    }

    private static func look(
        _ asked: [NewBooking], _ database: Database, _ scope: Scope
    ) async throws -> [BookingGround] {
        let answers = try await database.transaction(scope) { transaction in
            try await transaction.commit([
                "SELECT own_number('tour_booking') AS number FROM generate_series(1, \(asked.count))",
                BookingSeats.select(Array(Set(asked.flatMap(\.sessions))).sorted(), scope),
                OpenBooking.select(Array(Set(asked.map(\.phone))), scope),
            ])
        }
        let sessions = try answers[1].map(BookableSession.init)
        let open = Dictionary(grouping: try OpenBooking.all(answers[2]), by: \.phone)
        return try zip(asked, answers[0]).map { wanted, row in
            BookingGround(
                number: try row.decode("number"), sessions: sessions.filter { wanted.sessions.contains($0.id) },
                open: open[wanted.phone] ?? [])
        }
    }

    private static func write(
        _ entries: [Entry], _ database: Database, _ limits: BookingLimits, _ lockTimeout: Int
    ) async -> [Result<Bool, any Error>] {
        var results: [Int64: Result<Bool, any Error>] = [:]
        for (scope, entries) in Dictionary(grouping: entries, by: \.scope) {
            // A request that comes twice at once would keep the others out, and so would a phone that has come too often.
            var keys: Set<String> = []
            var phones: Set<String> = []
            let entries = entries.filter { entry in
                let isFirst = entry.answer.map { keys.insert($0.retry.key).inserted } ?? true
                let isAlone = phones.insert(entry.made.booking.phone).inserted
                return isFirst && (isAlone || !entry.made.isOnce && !entry.made.isBound)
            }
            let result = await write(entries, database, limits, lockTimeout, scope)
            for entry in entries { results[entry.made.booking.id.value] = result }
        }
        return entries.map { results[$0.made.booking.id.value] ?? .success(false) }
    }

    private static func write(
        _ entries: [Entry], _ database: Database, _ limits: BookingLimits, _ lockTimeout: Int, _ scope: Scope
    ) async -> Result<Bool, any Error> {
        let change = BookingStore.change(
            making: entries.map(\.made), limits: limits, now: entries[0].made.booking.requestedAt, scope)
        // In an order that two who write the same ones agree upon.
        let answers = entries.compactMap(\.answer).sorted { $0.retry.key < $1.retry.key }
        do {
            try await database.change(scope, change, answers: answers, lockTimeout: lockTimeout)
            return .success(true)
        } catch let refusal as Refusal where refusal.kind != .unavailable {
            return .success(false)
        } catch let error as PostgresError where error.sqlState != nil && error.kind != .connectionLost {
            return .success(false)
        } catch {
            return .failure(error)
        }
    }
}
