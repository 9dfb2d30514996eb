import Database
import Foundation
import Kernel
import Postgres

/// What a booking is made upon: a number of its own, and its sessions as they were a moment ago.
struct BookingGround: Sendable {
    let number: Int64
    /// Those that there are, in the order of their numbers.
    let sessions: [BookableSession]
}

/// Takes bookings in. Those that come at the same time go together: one look at their sessions without locks, then one
/// transaction that writes them all, the sessions' counters last.
///
/// Between look and writing somebody else may take the last seats; the counters' CHECKs decide. When one of several
/// can't be written, each is carried out alone, and so is from the start what takes more than writing: extras, and a
/// session without room.
public final class BookingIntake: Sendable {
    /// A booking to be written, with the answer to its request where that may come again.
    private struct Entry: Sendable {
        let booking: Booking
        let scope: Scope
        let answer: (retry: Retry, text: String)?
    }

    private let database: Database
    private let looks: Gathering<[Int64], BookingGround>
    /// Tells whether the booking was written; if not, nothing of it was.
    private let writings: Gathering<Entry, Result<Bool, any Error>>

    public init(_ database: Database, village: Int) {
        self.database = database
        let scope = Scope(village: village, cooperative: nil, actor: "public")
        looks = Gathering(width: 1, limit: 64) { try await Self.look($0, database, scope) }
        writings = Gathering(width: 2, limit: 8) { await Self.write($0, database) }
    }

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
        try await take(new, state, byStranger, now, scope) {
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
        try await take(new, state, byStranger, now, scope) { booking in
            let text = try render(booking)
            return (text, retry.map { ($0, text) })
        } alone: { plan in
            guard let retry else { return try render(try await self.database.change(scope, plan)) }
            return try await self.database.change(scope, once: retry, render: render, plan)
        }
    }

    private func take<Answer: Sendable>(
        _ new: NewBooking, _ state: BookingState, _ byStranger: Bool, _ now: Date, _ scope: Scope,
        answer: (Booking) throws -> (Answer, stored: (retry: Retry, text: String)?),
        alone: (@escaping Plan<Booking>) async throws -> Answer
    ) async throws -> Answer {
        let wanted = try BookingStore.checked(new)
        var turns = wanted.waitlist ? 4 : 0
        while true {
            let ground = try await looks.answer(wanted.sessions)
            if let booking = simple(wanted, ground, state, byStranger, now, scope) {
                let (answer, stored) = try answer(booking)
                let entry = Entry(booking: booking, scope: scope, answer: stored)
                if try await writings.answer(entry).get() { return answer }
            }
            do {
                return try await alone(
                    BookingStore.book(wanted, on: ground, as: state, byStranger: byStranger, now: now))
            } catch let refusal as Refusal where turns > 0 && refusal.code == BookingRules.soldOutCode {
                // It would wait, but only the writing found out that there are no seats.
                turns -= 1
            }
        }
    }

    /// The booking, where no more is to be done than to write it; nil also for what is to be refused, which an answer from
    /// before may yet save.
    private func simple(
        _ wanted: NewBooking, _ ground: BookingGround, _ state: BookingState, _ byStranger: Bool, _ now: Date,
        _ scope: Scope
    ) -> Booking? {
        guard wanted.extras.isEmpty, ground.sessions.allSatisfy({ $0.free >= wanted.headcount }) else { return nil }
        do {
            try BookingStore.check(wanted, on: ground, byStranger: byStranger, now: now)
            return try BookingStore.booking(wanted, [], on: ground, as: state, now: now, actor: scope.actor)
        } catch {
            return nil
        }
    }

    private static func look(_ asked: [[Int64]], _ database: Database, _ scope: Scope) async throws -> [BookingGround] {
        let answers = try await database.transaction(scope) { transaction in
            try await transaction.commit([
                "SELECT nextval('tour_booking_id_seq') AS number FROM generate_series(1, \(asked.count))",
                BookingSeats.select(Array(Set(asked.joined())).sorted(), scope),
            ])
        }
        let sessions = try answers[1].map(BookableSession.init)
        return try zip(asked, answers[0]).map { ids, row in
            BookingGround(number: try row.decode("number"), sessions: sessions.filter { ids.contains($0.id) })
        }
    }

    private static func write(_ entries: [Entry], _ database: Database) async -> [Result<Bool, any Error>] {
        var results: [Scope: Result<Bool, any Error>] = [:]
        for (scope, entries) in Dictionary(grouping: entries, by: \.scope) {
            let change = BookingStore.change(making: entries.map(\.booking), now: entries[0].booking.requestedAt, scope)
            do {
                // In an order that two who write the same ones agree upon.
                let answers = entries.compactMap(\.answer).sorted { $0.retry.key < $1.retry.key }
                try await database.change(scope, change, answers: answers)
                results[scope] = .success(true)
            } catch let refusal as Refusal where refusal.kind != .unavailable {
                results[scope] = .success(false)
            } catch let error as PostgresError where error.sqlState != nil {
                results[scope] = .success(false)
            } catch {
                results[scope] = .failure(error)
            }
        }
        return entries.map { results[$0.scope] ?? .success(false) }
    }
}
