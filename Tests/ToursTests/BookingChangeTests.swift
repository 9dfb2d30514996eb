import Database
import Foundation
import Kernel
import TestSupport
import Testing

@testable import Tours

@Suite struct BookingChangeTests {
    private func change(_ fill: (inout BookingChange) -> Void) -> BookingChange {
        var change = BookingChange()
        fill(&change)
        return change
    }

    @Test func `more heads take seats and fewer give them back`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let session = try await village.tourSession(programme, capacity: 20)
            let extras = [
                WantedExtra(extra: programme.meal, quantity: 10), WantedExtra(extra: programme.gift, quantity: 3),
            ]
            let booking = try await village.book(village.group(session, extras: extras))
            let key = BookingKey.stranger(booking.reference, phone: "13812345678")
            let more = try await village.change(
                BookingStore.change(key, change { $0.headcount = 15 }, now: village.clock.now))
            // A meal for every head stays one for every head; the gifts stay three.
            #expect(more.extras.map(\.quantity) == [15, 3] && more.fee.fen == 120_000 + 45_000 + 7_500)
            #expect(try await village.seats(session) == [15, 0])
            let tooMany = try await refusal {
                try await village.change(
                    BookingStore.change(key, change { $0.headcount = 21 }, now: village.clock.now))
            }
            #expect(tooMany?.code == "above-capacity")
            try await village.book(village.group(session, headcount: 4))
            let full = try await refusal {
                try await village.change(
                    BookingStore.change(key, change { $0.headcount = 17 }, now: village.clock.now))
            }
            #expect(full?.code == "sold-out")
            let fewer = try await village.change(
                BookingStore.change(key, change { $0.headcount = 5 }, seen: more.version, now: village.clock.now))
            #expect(fewer.fee.fen == 40_000 + 15_000 + 7_500)
            #expect(try await village.seats(session) == [9, 0])
            let shown = try await village.booking(booking)
            #expect(shown.fee == fewer.fee && shown.lines.map(\.headcount) == [5] && shown.version == 3)
            let events = try await BookingStore(village.database).show(key, village.committee).events
            #expect(
                events.map(\.figures) == [
                    #"{"people": 10}"#, #"{"people": 15, "people_before": 10}"#, #"{"people": 5, "people_before": 15}"#,
                ])
        }
    }

    @Test func `a booking moves to other sessions, and its extras with it`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let other = try await village.tourProgramme("采挖体验")
            let first = try await village.tourSession(programme, capacity: 10)
            let second = try await village.tourSession(programme, capacity: 10, hour: 14)
            let third = try await village.tourSession(other, capacity: 10, hour: 15)
            let booking = try await village.book(
                village.group(first, extras: [WantedExtra(extra: programme.meal, quantity: 4)]), as: .confirmed)
            let key = BookingKey.number(booking.id.value)
            let now = village.clock.now
            let moved = try await village.change(BookingStore.change(key, change { $0.sessions = [second] }, now: now))
            #expect(moved.lines.map(\.session) == [second] && moved.extras.map(\.session) == [second])
            #expect(try await village.seats(first) == [0, 0])
            #expect(try await village.seats(second) == [0, 10])
            let without = try await refusal {
                try await village.change(BookingStore.change(key, change { $0.sessions = [third] }, now: now))
            }
            #expect(without?.code == "extra-not-offered")
            let both = try await village.change(
                BookingStore.change(
                    key,
                    change {
                        $0.sessions = [third, first]
                        $0.extras = [WantedExtra(extra: other.gift, quantity: 1)]
                    }, now: now))
            #expect(both.lines.map(\.session) == [first, third] && both.extras.map(\.session) == [third])
            #expect(try await village.seats(second) == [0, 0])
            #expect(try await village.number("SELECT sum(booked) FROM tour_session") == 20)
            let shown = try await village.booking(booking)
            #expect(shown.fee == both.fee && shown.lines.count == 2 && shown.extras.count == 1)
            let events = try await BookingStore(village.database).show(key, village.committee).events
            #expect(events.map(\.what) == ["confirmed", "moved", "moved"])
        }
    }

    @Test func `prices stay those at which it was booked`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let session = try await village.tourSession(programme)
            let meal = WantedExtra(extra: programme.meal, quantity: 10)
            let booking = try await village.book(village.group(session, extras: [meal]))
            try await village.audited([
                "UPDATE tour_programme SET price_fen = 1", "UPDATE tour_extra SET price_fen = 1",
            ])
            let changed = try await village.change(
                BookingStore.change(
                    .number(booking.id.value), change { $0.headcount = 20 }, now: village.clock.now))
            #expect(changed.fee.fen == 20 * (8000 + 3000))
        }
    }

    @Test func `contact is changed without touching seats`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme(changeHours: 8760))
            let booking = try await village.book(village.group(session))
            let key = BookingKey.stranger(booking.reference, phone: "13812345678")
            let wanted = change {
                $0.leader = "李老师"
                $0.phone = "022-86543210"
                $0.email = "li@example.cn"
                $0.note = "两位素食"
            }
            // Within the hours in which strangers change nothing else.
            try await village.change(BookingStore.change(key, wanted, now: village.clock.now))
            let shown = try await village.booking(booking)
            #expect(shown.leader == "李老师" && shown.phone == "02286543210" && shown.email == "li@example.cn")
            #expect(shown.note == "两位素食" && shown.fee == booking.fee && shown.holdUntil == booking.holdUntil)
            let old = try await refusal { try await BookingStore(village.database).find(key, village.committee) }
            #expect(old == BookingReference.unknown)
            let empty = try await village.change(
                BookingStore.change(
                    .number(booking.id.value),
                    change {
                        $0.email = ""
                        $0.note = " "
                    }, now: village.clock.now))
            #expect(empty.email == nil && empty.note == nil)
            let bad = try await refusal {
                try await village.change(
                    BookingStore.change(.number(booking.id.value), change { $0.phone = "1" }, now: village.clock.now))
            }
            #expect(bad?.field == "phone")
        }
    }

    @Test func `strangers change until some hours before, the desk until the day`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme(holdMinutes: 43_200))
            let booking = try await village.book(village.group(session))
            let key = BookingKey.stranger(booking.reference, phone: "13812345678")
            let wanted = change { $0.headcount = 9 }
            village.clock.set(village.today.adding(days: 6), hour: 8, seconds: 3599)
            try await village.change(BookingStore.change(key, wanted, now: village.clock.now))
            village.clock.advance(seconds: 1)
            let late = try await refusal {
                try await village.change(BookingStore.change(key, change { $0.headcount = 8 }, now: village.clock.now))
            }
            #expect(late?.code == "too-late-to-change" && late?.kind == .conflict)
            try await village.change(BookingStore.confirm(.number(booking.id.value), now: village.clock.now))
            village.clock.set(village.today.adding(days: 1), hour: 9)
            let desk = try await village.change(
                BookingStore.change(
                    .number(booking.id.value), change { $0.headcount = 8 }, now: village.clock.now))
            #expect(desk.headcount == 8)
            #expect(try await village.seats(session) == [0, 8])
            village.clock.set(village.today.adding(days: 1), hour: 0)
            let over = try await refusal {
                try await village.change(
                    BookingStore.change(
                        .number(booking.id.value), change { $0.headcount = 7 }, now: village.clock.now))
            }
            #expect(over?.code == "session-over")
        }
    }

    @Test func `a session that closes keeps its bookings and takes no more`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let session = try await village.tourSession(programme, capacity: 40)
            let other = try await village.tourSession(programme, capacity: 40, hour: 14)
            let booking = try await village.book(village.group(session))
            let second = try await village.book(village.group(session), as: .confirmed)
            let elsewhere = try await village.book(village.group(other), as: .confirmed)
            // A stranger looks while the session is open, and reaches for the seats after it has closed.
            let now = village.clock.now
            let refused = try await village.owner.transaction { transaction in
                _ = try await transaction.query(
                    "UPDATE tour_session SET state = 'closed', closed_seats = held + booked WHERE id = \(session)")
                let late = Task { try await refusal { try await village.book(village.group(session)) } }
                try await village.awaitWaiting(1)
                _ = try await transaction.commit()
                return try await late.value
            }
            #expect(refused?.code == "session-closed")
            let key = BookingKey.number(booking.id.value)
            let more = try await refusal {
                try await village.change(BookingStore.change(key, change { $0.headcount = 11 }, now: now))
            }
            #expect(more?.code == "session-closed")
            let into = try await refusal {
                try await village.change(
                    BookingStore.change(.number(elsewhere.id.value), change { $0.sessions = [session] }, now: now))
            }
            #expect(into?.code == "session-closed")
            try await village.change(BookingStore.confirm(key, now: now))
            try await village.change(BookingStore.change(key, change { $0.headcount = 6 }, now: now))
            let back = try await refusal {
                try await village.change(BookingStore.change(key, change { $0.headcount = 10 }, now: now))
            }
            #expect(back?.code == "session-closed")
            try await village.change(BookingStore.cancel(.number(second.id.value), now: now))
            #expect(try await village.seats(session) == [0, 6])
            #expect(try await village.number("SELECT closed_seats FROM tour_session WHERE id = \(session)") == 6)
        }
    }

    @Test func `what has left can't be changed`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session))
            let key = BookingKey.number(booking.id.value)
            try await village.change(BookingStore.cancel(key, now: village.clock.now))
            for plan in [
                BookingStore.change(key, change { $0.headcount = 9 }, now: village.clock.now),
                BookingStore.confirm(key, now: village.clock.now), BookingStore.hold(key, now: village.clock.now),
                BookingStore.cancel(key, now: village.clock.now), BookingStore.noShow(key, now: village.clock.now),
                BookingStore.complete(key, arrived: 1, now: village.clock.now),
            ] {
                let refused = try await refusal { try await village.change(plan) }
                #expect(refused?.code == "step-not-allowed")
            }
            let unknown = try await refusal {
                try await village.change(BookingStore.confirm(.number(99_999), now: village.clock.now))
            }
            #expect(unknown?.code == "unknown-booking" && unknown?.kind == .notFound)
        }
    }
}
