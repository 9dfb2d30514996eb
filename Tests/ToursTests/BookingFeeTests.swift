import Database
import Foundation
import Kernel
import TestSupport
import Testing

@testable import Tours

/// What a booking costs whoever changes, misses or cancels it.
@Suite struct BookingFeeTests {
    @Test func `a late cancellation is not made cheaper by changing the booking first`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme(lateFeePercent: 50)
            let session = try await village.tourSession(programme)
            let later = try await village.tourSession(programme, day: village.today.adding(days: 30))
            let booking = try await village.book(village.group(session, headcount: 20), as: .confirmed)
            let stranger = BookingKey.stranger(booking.reference, phone: "13812345678")
            // Thirty hours before: changes are still the group's own, a cancellation is not free any more.
            village.clock.set(village.today.adding(days: 6), hour: 3)
            var fewer = BookingChange()
            fewer.headcount = 2
            var moved = BookingChange()
            moved.sessions = [later]
            for change in [fewer, moved] {
                let dodge = try await refusal {
                    try await village.change(BookingStore.change(stranger, change, now: village.clock.now))
                }
                #expect(dodge?.code == "change-costs-a-fee")
            }
            var more = BookingChange()
            more.headcount = 22
            try await village.change(BookingStore.change(stranger, more, now: village.clock.now))
            let desk = try await village.change(
                BookingStore.change(.number(booking.id.value), fewer, now: village.clock.now))
            #expect(desk.headcount == 2)
            #expect(try await village.seats(session) == [0, 2])
        }
    }

    @Test func `a visit without visitors is a no-show, and who was let in on one day was not there on the next`()
        async throws
    {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let first = try await village.tourSession(programme)
            let second = try await village.tourSession(programme, day: village.today.adding(days: 8))
            let booking = try await village.book(village.group(first, second), as: .confirmed)
            let key = BookingKey.number(booking.id.value)
            village.clock.set(village.today.adding(days: 8), hour: 18)
            let nobody = try await refusal {
                try await village.change(BookingStore.complete(key, arrived: 0, now: village.clock.now))
            }
            #expect(nobody?.code == "bad-headcount")
            try await village.audited([
                """
                UPDATE tour_booking SET previous_state = state, state = 'arrived', arrived = 9, version = version + 1
                WHERE id = \(booking.id.value)
                """,
                """
                UPDATE tour_booking_session SET arrived = 9
                WHERE booking_id = \(booking.id.value) AND session_id = \(first)
                """,
            ])
            let done = try await village.change(BookingStore.complete(key, now: village.clock.now))
            #expect(done.lines.map(\.arrived) == [9, nil] && done.arrived == 9)
            #expect(try await village.number("SELECT sum(people)::bigint FROM tour_visit") == 9)
        }
    }

    @Test func `money that has gone back is not paid any more, and what is kept does not go back`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme(lateFeePercent: 50))
            let booking = try await village.book(village.group(session), as: .confirmed)
            let key = BookingKey.number(booking.id.value)
            let now = village.clock.now
            let paid = try await village.change(PaymentStore.pay(key, Money(fen: 80_000), how: "微信", now: now))
            #expect(paid.payment == .paid)
            try await village.change(PaymentStore.decideRefund(key, Money(fen: 80_000), now: now))
            let back = try await village.change(PaymentStore.refund(key, how: "微信", now: now))
            #expect(back.payment == .none && back.state == .confirmed)
            let again = try await village.change(PaymentStore.pay(key, Money(fen: 80_000), how: "现金", now: now))
            #expect(again.payment == .paid)
            let stored = try await village.number(
                "SELECT count(*) FROM tour_booking WHERE charge_fen = paid_fen - refunded_fen AND paid_fen = 160000")
            #expect(stored == 1)

            village.clock.set(village.today.adding(days: 6))
            let late = village.clock.now
            let cancelled = try await village.change(BookingStore.cancel(key, now: late))
            #expect(cancelled.kept.fen == 40_000)
            let tooMuch = try await refusal {
                try await village.change(PaymentStore.decideRefund(key, Money(fen: 120_001), now: late))
            }
            #expect(tooMuch?.code == "refund-above-payment")
            let due = try await village.change(PaymentStore.decideRefund(key, Money(fen: 120_000), now: late))
            #expect(due.refund == .due)
        }
    }

    @Test func `who waits for a session that is cancelled is told`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme(), capacity: 10)
            let first = try await village.book(village.group(session), as: .confirmed)
            let waiting = try await village.book(village.group(session, headcount: 5, waitlist: true))
            #expect(waiting.state == .waitlisted)
            try await village.close(session: session)
            try await village.change(BookingStore.cancel(.number(first.id.value), now: village.clock.now))
            try await village.change(SessionStore.step(.cancel, session, now: village.clock.now))
            let gone = try await village.booking(waiting)
            #expect(gone.state == .cancelled && gone.version == 2)
            #expect(
                try await village.number(
                    "SELECT count(*) FROM message WHERE key = \("booking:\(waiting.id):v2:cancelled")") == 1)
        }
    }
}
