import Database
import Foundation
import Kernel
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Tours

@Suite struct BookingTests {
    @Test func `a request keeps its seats and tells of itself`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let session = try await village.tourSession(programme)
            let extras = [
                WantedExtra(extra: programme.meal, quantity: 10), WantedExtra(extra: programme.gift, quantity: 2),
                WantedExtra(extra: programme.picking, quantity: 30),
            ]
            let booking = try await village.book(village.group(session, extras: extras))
            #expect(booking.state == .requested && booking.version == 1)
            #expect(booking.holdUntil == village.clock.now.addingTimeInterval(7200))
            // 10 heads, 10 meals, 2 gifts; picking is paid by what is picked.
            #expect(booking.fee.fen == 80_000 + 30_000 + 5_000)
            #expect(booking.payment == .none && booking.refund == .none)
            #expect(try await village.seats(session) == [10, 0])

            let history = try await BookingStore(village.database).show(
                .reference(booking.reference), village.committee)
            #expect(history.booking.extras.map(\.amount.fen) == [30_000, 0, 5_000])
            #expect(history.booking.lines.map(\.amount.fen) == [80_000])
            #expect(history.booking.phone == "13812345678" && history.booking.language == "zh")
            #expect(history.events.map(\.what) == ["requested"] && history.booking.requestedAt == village.clock.now)
            let messages = try await village.owner.query("SELECT kind, key FROM message")
            #expect(try messages.map { try $0.decode("kind", as: String.self) } == ["requested"])
            #expect(try messages.first?.decode("key") == "booking:\(booking.id):v1:requested")
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind = 'booking.requested'") == 1)
        }
    }

    @Test func `a stranger finds a booking by its reference and phone, and by nothing less`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session))
            let store = BookingStore(village.database)
            let found = try await store.find(
                .stranger(booking.reference, phone: "+86 138-1234-5678"), village.committee)
            #expect(found.id == booking.id)
            let other = try BookingReference.random()
            for key in [
                BookingKey.stranger(booking.reference, phone: "13812345679"), .stranger(booking.reference, phone: ""),
                .stranger(booking.reference, phone: "138****5678"), .stranger(other, phone: "13812345678"),
            ] {
                let refused = try await refusal { try await store.find(key, village.committee) }
                #expect(refused == BookingReference.unknown)
            }
            let clerk = village.clerk(of: 1)
            let hidden = try await refusal { try await store.find(.number(booking.id.value), clerk) }
            #expect(hidden?.kind == .notFound)
            #expect(try await store.list(clerk).isEmpty)
        }
    }

    /// A phone that a register has masked opens nothing, however it is given.
    @Test func `a masked phone opens no booking`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session))
            try await village.audited(["UPDATE tour_booking SET phone = '139****6211'"])
            for phone in ["139****6211", "1396211", "139 6211", ""] {
                let refused = try await refusal {
                    try await BookingStore(village.database).find(
                        .stranger(booking.reference, phone: phone), village.committee)
                }
                #expect(refused == BookingReference.unknown)
            }
        }
    }

    @Test func `what can't be booked is refused, and nothing half done`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme(groups: 5...30)
            let session = try await village.tourSession(programme, capacity: 20)
            let past = try await village.tourSession(programme, day: village.today.adding(days: -1))
            let begun = try await village.tourSession(programme, day: village.today, hour: 10)
            let closed = try await village.tourSession(programme, hour: 14)
            try await village.close(session: closed)
            let other = try await village.tourProgramme("采挖体验", languages: "zh")
            let long = String(repeating: "桃", count: 10_000)
            func changed(
                unit: String = "党校", leader: String = "韩", phone: String = "13812345678", email: String? = nil,
                language: String? = nil, note: String? = nil
            ) -> NewBooking {
                NewBooking(
                    unit: unit, unitKind: .school, headcount: 6, leader: leader, phone: phone, email: email,
                    language: language, note: note, sessions: [session])
            }
            let wrong: [(NewBooking, String, String)] = [
                (village.group(session, headcount: 0), "bad-headcount", "headcount"),
                (village.group(session, headcount: -1), "bad-headcount", "headcount"),
                (village.group(session, headcount: .min), "bad-headcount", "headcount"),
                (village.group(session, headcount: .max), "bad-headcount", "headcount"),
                (village.group(session, headcount: 4), "group-too-small", "headcount"),
                (village.group(session, headcount: 31), "group-too-large", "headcount"),
                (village.group(session, headcount: 21), "above-capacity", "headcount"),
                (village.group(session, headcount: 21, waitlist: true), "above-capacity", "headcount"),
                (village.group(past), "session-over", "sessions"), (village.group(begun), "session-over", "sessions"),
                (village.group(closed), "session-closed", "sessions"),
                (village.group(987_654), "unknown-session", "sessions"), (village.group(), "bad-sessions", "sessions"),
                (village.group(session, session), "bad-sessions", "sessions"),
                (village.group(session, phone: "12345"), "not-a-phone", "phone"),
                (changed(unit: long), "bad-text", "unit"), (changed(unit: " "), "bad-text", "unit"),
                (changed(unit: "a\u{0}b"), "bad-text", "unit"), (changed(leader: long), "bad-text", "leader"),
                (changed(leader: "a\nb"), "bad-text", "leader"), (changed(phone: long), "not-a-phone", "phone"),
                (changed(email: "x"), "not-an-email", "email"), (changed(note: long), "bad-text", "note"),
                (changed(language: "fr"), "language-not-offered", "language"),
                (
                    village.group(session, extras: [WantedExtra(extra: other.meal, quantity: 1)]), "extra-not-offered",
                    "extras[0].extra"
                ),
                (
                    village.group(
                        session,
                        extras: [
                            WantedExtra(extra: programme.meal, quantity: 1),
                            WantedExtra(extra: programme.meal, quantity: 2),
                        ]), "extra-twice", "extras[1].extra"
                ),
                (
                    village.group(session, extras: [WantedExtra(extra: programme.gift, quantity: 0)]), "bad-quantity",
                    "extras[0].quantity"
                ),
            ]
            for (new, code, field) in wrong {
                let refused = try await refusal { try await village.book(new) }
                #expect(refused?.code == code && refused?.field == field, "\(code): \(String(describing: refused))")
            }
            #expect(try await village.number("SELECT count(*) FROM tour_booking") == 0)
            #expect(try await village.number("SELECT count(*) FROM message") == 0)
            #expect(try await village.number("SELECT sum(held + booked) FROM tour_session") == 0)
            // The desk may take a smaller group, and one that stands at the gate.
            try await village.book(village.group(session, headcount: 2), as: .confirmed)
            try await village.book(village.group(begun), as: .confirmed)
            let held = try await refusal { try await village.book(village.group(begun), as: .held) }
            #expect(held?.code == "session-over")
        }
    }

    @Test func `names are kept as they are typed, formulas and all`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            for name in ["=HYPERLINK(\"http://x\")", "@SUM(1)", "'; DROP TABLE tour_booking; --", "<script>", "🍑"] {
                let booking = try await village.book(village.group(session, headcount: 2, unit: name))
                #expect(try await village.booking(booking).unit == name)
                let found = try await BookingStore(village.database).list(village.committee, .init(text: name))
                #expect(found.map(\.id) == [booking.id])
            }
        }
    }

    @Test func `several sessions are had together or not at all`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let first = try await village.tourSession(programme, capacity: 20)
            let second = try await village.tourSession(programme, capacity: 5, hour: 14)
            let both = village.group(second, first, headcount: 6)
            let refused = try await refusal { try await village.book(both) }
            #expect(refused?.code == "above-capacity")
            try await village.book(village.group(second, headcount: 3))
            let full = try await refusal { try await village.book(village.group(first, second, headcount: 3)) }
            #expect(full?.code == "sold-out")
            #expect(try await village.seats(first) == [0, 0])
            let booking = try await village.book(village.group(second, first, headcount: 2))
            #expect(booking.lines.map(\.session) == [first, second] && booking.fee.fen == 32_000)
            #expect(try await village.seats(first) == [2, 0])
            #expect(try await village.seats(second) == [5, 0])
        }
    }

    @Test func `a booking goes its way, step by step`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session))
            let key = BookingKey.number(booking.id.value)
            let held = try await village.change(BookingStore.hold(key, minutes: 300, now: village.clock.now))
            #expect(held.state == .held && held.holdUntil == village.clock.now.addingTimeInterval(18_000))
            #expect(try await village.seats(session) == [10, 0])
            let confirmed = try await village.change(BookingStore.confirm(key, seen: 2, now: village.clock.now))
            #expect(confirmed.state == .confirmed && confirmed.holdUntil == nil && confirmed.version == 3)
            #expect(try await village.seats(session) == [0, 10])
            let again = try await refusal {
                try await village.change(BookingStore.confirm(key, now: village.clock.now))
            }
            #expect(again?.code == "step-not-allowed" && again?.kind == .conflict)
            let early = try await refusal {
                try await village.change(BookingStore.complete(key, arrived: 9, now: village.clock.now))
            }
            #expect(early?.code == "session-not-begun")
            village.clock.set(village.today.adding(days: 7), hour: 12)
            let unknown = try await refusal {
                try await village.change(BookingStore.complete(key, now: village.clock.now))
            }
            #expect(unknown?.field == "arrived")
            let completed = try await village.change(BookingStore.complete(key, arrived: 9, now: village.clock.now))
            #expect(completed.arrived == 9 && completed.lines.map(\.arrived) == [9])
            #expect(try await village.seats(session) == [0, 10])
            let events = try await BookingStore(village.database).show(key, village.committee).events
            #expect(events.map(\.what) == ["requested", "held", "confirmed", "completed"])
            #expect(try await village.number("SELECT sum(people) FROM tour_visit") == 9)
            let kinds = try await village.owner.query("SELECT kind FROM message ORDER BY id").map {
                try $0.decode("kind", as: String.self)
            }
            #expect(kinds == ["requested", "held", "confirmed"])
        }
    }

    @Test func `a step from a version seen before is refused, one from none is taken from where the booking stands`()
        async throws
    {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session))
            let key = BookingKey.number(booking.id.value)
            let now = village.clock.now
            try await village.change(BookingStore.hold(key, now: now))
            let known = try await refusal { try await village.change(BookingStore.confirm(key, seen: 1, now: now)) }
            #expect(known?.code == "booking-changed" && known?.kind == .conflict)
            // Somebody else confirms between the look and the writes.
            @Sendable func late(_ step: @escaping Plan<Booking>, _ key: BookingKey) -> Plan<Booking> {
                let isConfirmed = Mutex(false)
                return { transaction, scope in
                    let change = try await step(transaction, scope)
                    let confirms = isConfirmed.withLock { known in
                        defer { known = true }
                        return !known
                    }
                    if confirms { try await village.change(BookingStore.confirm(key, now: now)) }
                    return change
                }
            }
            let seen = try await refusal {
                try await village.change(late(BookingStore.cancel(key, seen: 2, now: now), key))
            }
            #expect(seen?.code == "booking-changed")
            #expect(try await village.booking(booking).state == .confirmed)
            let other = try await village.book(village.group(session, unit: "另一组"))
            #expect(try await village.seats(session) == [10, 10])
            let otherKey = BookingKey.number(other.id.value)
            try await village.change(late(BookingStore.cancel(otherKey, now: now), otherKey))
            #expect(try await village.booking(other).state == .cancelled)
            #expect(try await village.seats(session) == [0, 10])
        }
    }

    @Test func `nobody has failed to come before the last session has begun`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let day = village.today.adding(days: 7)
            let sessions = [
                try await village.tourSession(programme, day: day),
                try await village.tourSession(programme, day: day, hour: 16),
            ]
            let booking = try await village.book(village.group(sessions[0], sessions[1]), as: .confirmed)
            @Sendable func noShow() async throws -> Booking {
                try await village.change(BookingStore.noShow(.number(booking.id.value), now: village.clock.now))
            }
            village.clock.set(day, hour: 11, seconds: 1800)
            let early = try await refusal { _ = try await noShow() }
            #expect(early?.code == "session-not-begun")
            #expect(early?.message.zh.contains("\(day) 16:00") == true)
            #expect(early?.message.en.contains("\(day) 16:00") == true)
            village.clock.set(day, hour: 16)
            #expect(try await noShow().state == .noShow)
        }
    }

    @Test(arguments: BookingState.allCases) func `the table of steps lets nobody skip one`(state: BookingState)
        async throws
    {
        try await withVillage { village in
            let steps = try await village.owner.query(
                "SELECT to_state FROM tour_step WHERE from_state = \(state.rawValue)"
            ).map { try $0.decode("to_state", as: String.self) }
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session))
            for next in BookingState.allCases where !steps.contains(next.rawValue) {
                let error = try await postgresError {
                    try await village.owner.query(
                        """
                        UPDATE tour_booking SET previous_state = \(state.rawValue), state = \(next.rawValue),
                            hold_until = CASE WHEN \(next.holdsSeats) THEN now() END, waiting_since = now(),
                            arrived = CASE WHEN \([.arrived, .completed].contains(next)) THEN 1 END
                        WHERE id = \(booking.id.value)
                        """)
                }
                #expect(error?.constraint == "tour_booking_step", "\(state) → \(next)")
            }
        }
    }

    @Test func `bookings are found by day, state and text, in pages`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let first = try await village.tourSession(programme)
            let second = try await village.tourSession(programme, day: village.today.adding(days: 8))
            let one = try await village.book(village.group(first, headcount: 2, unit: "实验小学", phone: "022-86543210"))
            let two = try await village.book(
                village.group(first, second, headcount: 2, unit: "Green Ltd"), as: .confirmed)
            let three = try await village.book(village.group(second, headcount: 2))
            let store = BookingStore(village.database)
            func list(_ search: BookingStore.Search) async throws -> [Identifier<Booking>] {
                try await store.list(village.committee, search).map(\.id)
            }
            #expect(try await list(.init()) == [three.id, two.id, one.id])
            #expect(try await list(.init(day: village.today.adding(days: 7))) == [two.id, one.id])
            #expect(try await list(.init(state: .confirmed)) == [two.id])
            #expect(try await list(.init(text: "GREEN")) == [two.id])
            #expect(try await list(.init(text: "8654")) == [one.id])
            #expect(try await list(.init(text: three.reference.description)) == [three.id])
            #expect(try await list(.init(text: "%")) == [])
            let page = try await store.list(village.committee, limit: 2)
            #expect(page.map(\.id) == [three.id, two.id] && page[1].lines.count == 2)
            let rest = try await store.list(village.committee, before: two.id.value, limit: 2)
            #expect(rest.map(\.id) == [one.id])
        }
    }

    @Test func `strangers see the sessions that are open and to come`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let session = try await village.tourSession(programme, capacity: 12)
            _ = try await village.tourSession(programme, day: village.today, hour: 9)
            let closed = try await village.tourSession(programme, hour: 14)
            _ = try await village.tourSession(programme, day: village.today.adding(days: 61))
            try await village.close(session: closed)
            try await village.book(village.group(session))
            let offers = try await BookingOffer.all(
                village.database, village: village.village.id, until: village.today.adding(days: 60),
                now: village.clock.now)
            #expect(offers.map(\.session) == [session] && offers.first?.free == 2)
            #expect(offers.first?.extras.map(\.kind) == [.meal, .picking, .gift])
            #expect(offers.first?.languages == ["zh", "en"])
        }
    }
}
