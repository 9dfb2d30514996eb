import Database
import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Tours

/// A long story of whatever can happen to bookings on the day of their visit and after it.
@Suite struct TourStoryTests {
    private typealias Step = @Sendable () async throws -> Void

    private static let expected: Set<String> = [
        "step-not-allowed", "nothing-to-undo", "undone-already", "completed-already", "settled-already", "sold-out",
        "session-not-begun", "session-over", "session-closed", "session-visited", "wrong-session-state",
        "arrived-missing",
        "booking-changed", "booking-cancelled", "booking-expired", "booking-unconfirmed", "booking-waitlisted",
        "books-closed", "over-capacity", "more-than-fee", "no-refund-due", "refund-above-payment", "refunded-already",
        "reversed-already", "reverses-a-reversal", "adjusted-below-zero", "reason-missing", "kept-above-fee",
        "seats-taken", "unknown-check-in", "unknown-conflict", "unknown-payment", "nothing-before", "not-its-session",
    ]

    private struct Books: Sendable {
        let bookings: [Int64]
        let checkIns: [Int64]
        let conflicts: [Int64]
        let payments: [(id: Int64, booking: Int64)]
    }

    private func books(_ village: TestVillage) async throws -> Books {
        func numbers(_ sql: SQL) async throws -> [Int64] {
            try await village.owner.query(sql).map { try $0.decode(0) }
        }
        let payments = try await village.owner.query("SELECT id, booking_id FROM tour_payment ORDER BY id")
        return Books(
            bookings: try await numbers("SELECT id FROM tour_booking ORDER BY id"),
            checkIns: try await numbers("SELECT id FROM tour_check_in ORDER BY id"),
            conflicts: try await numbers("SELECT id FROM tour_gate_conflict ORDER BY id"),
            payments: try payments.map { (try $0.decode(0), try $0.decode(1)) })
    }

    private func step(
        _ village: TestVillage, _ sessions: [Int64], _ books: Books, _ dice: inout Dice
    ) async throws -> Step {
        let now = village.clock.now
        let number = books.bookings.randomElement(using: &dice) ?? 0
        let key = BookingKey.number(number)
        func any<Value>(_ plan: @escaping Plan<Value>) -> Step { { _ = try await village.change(plan) } }
        switch Int.random(in: 0..<24, using: &dice) {
        case 0: return any(BookingStore.confirm(key, now: now))
        case 1:
            let waive = Bool.random(using: &dice)
            return any(BookingStore.cancel(key, waive: waive, byVillage: !waive, now: now))
        case 2: return any(BookingStore.noShow(key, now: now))
        case 3...5:
            let heads = Bool.random(using: &dice) ? Int.random(in: 1...12, using: &dice) : nil
            return any(BookingStore.complete(key, arrived: heads, now: now))
        case 6...10:
            let entry = CheckInEntry(
                code: try await village.booking(number).reference.text, headcount: .random(in: 1...12, using: &dice),
                nonce: "story-\(dice.next())", at: now.addingTimeInterval(-.random(in: 0...3600, using: &dice)),
                session: sessions.randomElement(using: &dice), anyDay: true, more: Bool.random(using: &dice))
            let store = CheckInStore(village.database, keys: village.keys)
            guard Bool.random(using: &dice) else {
                return { _ = try await store.record(entry, now: now, village.committee) }
            }
            return { _ = try await store.bringIn([entry], now: now, village.committee) }
        case 11...14: return any(BookingStore.undo(key, reason: "误操作", now: now))
        case 15:
            return any(
                BookingStore.undoCheckIn(books.checkIns.randomElement(using: &dice) ?? 0, reason: "误操作", now: now))
        case 16:
            let accept = Bool.random(using: &dice)
            let conflict = books.conflicts.randomElement(using: &dice) ?? 0
            return any(GateConflictStore.settle(conflict, accept: accept, reason: "问过", now: now))
        case 17...18:
            return any(PaymentStore.pay(key, Money(fen: .random(in: 1...80_000, using: &dice)), how: "微信", now: now))
        case 19:
            let amount = Money(fen: .random(in: 0...80_000, using: &dice))
            return any(PaymentStore.decideRefund(key, amount, reason: "优惠", now: now))
        case 20: return any(PaymentStore.refund(key, how: "微信", now: now))
        case 21:
            let payment = books.payments.randomElement(using: &dice) ?? (0, number)
            return any(PaymentStore.reverse(.number(payment.booking), payment: payment.id, reason: "误记", now: now))
        case 22:
            let amount = Money(fen: .random(in: 1...20_000, using: &dice) * (Bool.random(using: &dice) ? 1 : -1))
            return any(AdjustmentStore.adjust(key, amount, reason: "人数", now: now))
        default:
            let session = sessions.randomElement(using: &dice) ?? 0
            return Int.random(in: 0..<4, using: &dice) == 0
                ? any(SessionStore.cancelWithBookings(session, reason: "台风", now: now))
                : any(SessionStore.step(.reopen, session, now: now))
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `whatever is put right in whatever order, the bookings' books are true`(
        seed: UInt64
    ) async throws {
        try await withVillage(poolSize: 8) { village in
            let programme = try await village.tourProgramme()
            let day = village.today.adding(days: 7)
            let sessions = [
                try await village.tourSession(programme, day: day),
                try await village.tourSession(programme, day: day, hour: 14),
            ]
            for index in 0..<6 {
                let heads = 4 + index
                let group =
                    index % 3 == 0
                    ? village.group(sessions[0], sessions[1], headcount: heads)
                    : village.group(sessions[index % 2], headcount: heads)
                try await village.book(group, as: index == 5 ? .held : .confirmed)
            }
            var dice = Dice(seed)
            var done = 0
            village.clock.set(day, hour: 10)
            for round in 0..<50 {
                if round == 15 { village.clock.set(day, hour: 15) }
                if round == 30 { village.clock.set(day.adding(days: 3), hour: 9) }
                if round == 40 {
                    _ = try await village.database.change(
                        village.committee, ClosedBooks.close(through: day, today: village.today))
                }
                // Three at once, so that they meet.
                let now = try await books(village)
                var steps: [Step] = []
                for _ in 0..<3 { steps.append(try await step(village, sessions, now, &dice)) }
                let outcomes = try await withThrowingTaskGroup(of: Refusal?.self) { group in
                    for step in steps { group.addTask { try await refusal { try await step() } } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                done += outcomes.count { $0 == nil }
                for refused in outcomes.compactMap(\.self) {
                    #expect(Self.expected.contains(refused.code), "\(refused.code): \(refused.message.en)")
                }
                do {
                    try await Invariants.check(village.owner)
                } catch {
                    Issue.record("round \(round): \(error)")
                    return
                }
            }
            #expect(done > 50, "\(done) of 150 were done")
        }
    }
}

extension TestVillage {
    fileprivate func booking(_ number: Int64) async throws -> Booking {
        try await BookingStore(database).find(.number(number), committee)
    }
}
