import Codes
import Database
import Foundation
import Kernel
import Postgres
import Signing
import TestSupport
import Testing
import Tours

@Suite struct CheckInTests {
    private func arrival(
        _ code: String, _ headcount: Int = 38, nonce: String? = nil, session: Int64? = nil, anyDay: Bool = false,
        in village: TestVillage
    ) -> CheckInEntry {
        CheckInEntry(
            code: code, headcount: headcount, nonce: nonce ?? CheckInEntry.freshNonce(), at: village.clock.now,
            session: session, anyDay: anyDay)
    }

    private func record(_ entry: CheckInEntry, _ village: TestVillage) async throws -> CheckInAnswer {
        try await CheckInStore(village.database, keys: village.keys).record(
            entry, now: village.clock.now, village.committee)
    }

    private func refused(_ entry: CheckInEntry, _ village: TestVillage) async throws -> String? {
        try await refusal { _ = try await record(entry, village) }?.code
    }

    private func ticket(_ booking: TestBooking, _ village: TestVillage) async throws -> Ticket {
        try await TicketStore(village.database, keys: village.keys).show(
            booking: booking.number, today: village.today, village.committee)
    }

    @Test func `a group comes in with its ticket, its address or its reference`() async throws {
        try await withVillage { village in
            let session = try await village.addSession()
            for way in 0..<4 {
                let booking = try await village.addBooking([session], headcount: 10)
                let ticket = try await ticket(booking, village)
                let codes = [
                    ticket.payload.lowercased(), "HTTPS://TRACE.EXAMPLE.CN/\(ticket.payload)?from=wx",
                    booking.reference.text, " \(booking.reference.description.lowercased()) ",
                ]
                let answer = try await record(arrival(codes[way], 9, in: village), village)
                #expect(answer.outcome == .counted && !answer.isRepeat)
                #expect(answer.booking == booking.number && answer.session == session)
                #expect(answer.expected == 10 && answer.headcount == 9)
                let row = try #require(
                    try await village.owner.query(
                        """
                        SELECT state, previous_state, version, arrived FROM tour_booking WHERE id = \(booking.number)
                        """
                    ).first)
                #expect(try row.decode("state", as: String.self) == "arrived")
                #expect(try row.decode("previous_state", as: String.self) == "confirmed")
                #expect(try row.decode("version", as: Int.self) == 2)
                #expect(try row.decode("arrived", as: Int.self) == 9)
            }
            let events = try await village.number(
                "SELECT count(*) FROM tour_booking_event WHERE what = 'checked_in' AND state = 'arrived'")
            #expect(events == 4)
            let audits = try await village.number("SELECT count(*) FROM event WHERE kind = 'booking.check-in'")
            #expect(audits == 4)
        }
    }

    @Test func `the same nonce gives the same answer and changes nothing`() async throws {
        try await withVillage { village in
            let booking = try await village.addBooking([try await village.addSession()])
            let first = arrival(booking.reference.text, nonce: "nonce-0001", in: village)
            let told = try await record(first, village)
            let second = try await record(arrival(booking.reference.text, 5, nonce: "nonce-0002", in: village), village)
            #expect(second.outcome == .twice)
            func rows() async throws -> [Int64] {
                [
                    try await village.number("SELECT count(*) FROM event"),
                    try await village.number("SELECT count(*) FROM tour_booking_event"),
                    try await village.number("SELECT count(*) FROM tour_check_in"),
                    try await village.number("SELECT version FROM tour_booking"),
                ]
            }
            let before = try await rows()
            village.clock.advance(seconds: 600)
            for (known, nonce, heads) in [(told, "nonce-0001", 38), (second, "nonce-0002", 5)] {
                let again = try await record(arrival(booking.reference.text, heads, nonce: nonce, in: village), village)
                #expect(again.isRepeat && again.outcome == known.outcome && again.headcount == known.headcount)
                #expect(again.earlier?.headcount == known.earlier?.headcount && again.session == known.session)
                #expect(abs(again.at.timeIntervalSince(known.at)) < 0.001)
            }
            #expect(try await rows() == before)
            #expect(
                try await refused(arrival(booking.reference.text, 37, nonce: "nonce-0001", in: village), village)
                    == "nonce-reused")
            let other = try await village.addBooking([try await village.addSession()])
            #expect(
                try await refused(arrival(other.reference.text, nonce: "nonce-0001", in: village), village)
                    == "nonce-reused")
            #expect(try await village.number("SELECT count(*) FROM tour_booking WHERE state = 'arrived'") == 1)
        }
    }

    @Test func `twice is noticed, kept and not counted`() async throws {
        try await withVillage { village in
            let booking = try await village.addBooking([try await village.addSession()])
            let first = try await record(arrival(booking.reference.text, in: village), village)
            village.clock.advance(seconds: 300)
            let payload = try await ticket(booking, village).payload
            let answer = try await record(arrival(payload, 40, in: village), village)
            #expect(answer.outcome == .twice)
            let earlier = try #require(answer.earlier)
            #expect(earlier.headcount == 38 && earlier.actor == "account:committee" && !earlier.offline)
            #expect(abs(earlier.at.timeIntervalSince(first.at)) < 0.001)
            #expect(try await village.number("SELECT arrived FROM tour_booking") == 38)
            #expect(try await village.number("SELECT sum(people)::bigint FROM tour_visit") == 38)
            #expect(try await village.number("SELECT count(*) FROM tour_check_in WHERE NOT counts") == 1)
        }
    }

    @Test(arguments: [
        (BookingState.requested, "booking-unconfirmed"), (.held, "booking-unconfirmed"),
        (.waitlisted, "booking-waitlisted"), (.expired, "booking-expired"), (.cancelled, "booking-cancelled"),
    ]) func `what is not confirmed does not come in`(state: BookingState, code: String) async throws {
        try await withVillage { village in
            let booking = try await village.addBooking([try await village.addSession()], state: state)
            #expect(try await refused(arrival(booking.reference.text, in: village), village) == code)
            let signed = try village.keys.signer().sign(
                booking: UInt32(booking.number), issued: village.today, day: village.today)
            #expect(try await refused(arrival(signed.payload, in: village), village) == code)
            #expect(try await village.number("SELECT count(*) FROM tour_check_in") == 0)
        }
    }

    @Test func `codes that open nothing are told apart`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let booking = try await village.addBooking([try await village.addSession()])
            let payload = try await ticket(booking, village).payload
            let forged = String(payload.dropLast()) + (payload.last == "A" ? "B" : "A")
            let stranger = try CodeSigner(key: PrivateKey.generate(.ed25519), origin: village.keys.origin)
                .sign(booking: UInt32(booking.number), issued: village.today, day: village.today).payload
            let product = try await village.register(village.harvest()).payload
            let nobody = try village.keys.signer().sign(booking: 4_000_000, issued: village.today, day: village.today)
            for (code, expected) in [
                (forged, "forged-ticket"), (stranger, "unknown-ticket-key"), (product, "not-a-ticket"),
                (nobody.payload, "unknown-booking"), ("", "unknown-booking"), ("17", "unknown-booking"),
                (try BookingReference.random().text, "unknown-booking"), ("x' OR 1=1 --", "unknown-booking"),
            ] {
                let found = try await refusal { _ = try await record(arrival(code, in: village), village) }
                #expect(found?.code == expected, "\(code)")
                #expect(found?.field == "code")
            }
            try await village.change(
                SigningKeyStore.compromise(
                    try village.keys.signer().keyID, since: village.today, today: village.today))
            try await village.keys.reload()
            #expect(try await refused(arrival(payload, in: village), village) == "unknown-ticket-key")
        }
    }

    @Test func `another day is refused unless the desk says so`() async throws {
        try await withVillage { village in
            let tomorrow = try await village.addSession(on: village.today.adding(days: 1))
            let booking = try await village.addBooking([tomorrow])
            let code = booking.reference.text
            let wrong = try await refusal { _ = try await record(arrival(code, in: village), village) }
            #expect(wrong?.code == "wrong-day")
            for text in [wrong?.message.zh, wrong?.message.en] {
                #expect(text?.contains("--any-day") == true && text?.contains("anyDay") == true)
            }
            #expect(try await refused(arrival(code, session: tomorrow, in: village), village) == "wrong-day")
            let other = try await refusal {
                _ = try await record(arrival(code, session: 999, anyDay: true, in: village), village)
            }
            #expect(other?.code == "not-its-session" && other?.message.zh.contains("\(tomorrow)") == true)
            // 23:59:59 of the day before, and a second later.
            village.clock.set(village.today, hour: 23, seconds: 3599)
            #expect(try await refused(arrival(code, in: village), village) == "wrong-day")
            village.clock.advance(seconds: 1)
            #expect(try await record(arrival(code, in: village), village).session == tomorrow)
            let past = try await village.addBooking([
                try await village.addSession(on: village.today.adding(days: -9)),
                try await village.addSession(on: village.today.adding(days: -3)),
            ])
            let late = try await record(arrival(past.reference.text, anyDay: true, in: village), village)
            #expect(late.day == village.today.adding(days: -3))
        }
    }

    @Test func `of a day's sessions it is the one that is on, or the next`() async throws {
        try await withVillage { village in
            let morning = try await village.addSession(hour: 9)
            let afternoon = try await village.addSession(hour: 14)
            let booking = try await village.addBooking([morning, afternoon])
            village.clock.set(village.today, hour: 7)
            #expect(try await record(arrival(booking.reference.text, 30, in: village), village).session == morning)
            village.clock.set(village.today, hour: 12)
            let again = try await record(arrival(booking.reference.text, 30, in: village), village)
            #expect(again.session == morning && again.outcome == .twice)
            village.clock.set(village.today, hour: 13)
            let second = try await record(arrival(booking.reference.text, 36, in: village), village)
            #expect(second.session == afternoon && second.outcome == .counted)
            #expect(try await village.number("SELECT arrived FROM tour_booking") == 36)
            // A day's visitors are counted once, however many sessions they saw.
            #expect(try await village.number("SELECT sum(people)::bigint FROM tour_visit") == 36)
            let named = try await record(arrival(booking.reference.text, 1, session: morning, in: village), village)
            #expect(named.session == morning && named.outcome == .twice)
        }
    }

    @Test func `more than booked come in while there is room`() async throws {
        try await withVillage { village in
            let session = try await village.addSession(capacity: 50)
            let first = try await village.addBooking([session], headcount: 20)
            let second = try await village.addBooking([session], headcount: 20)
            #expect(try await refused(arrival(first.reference.text, 31, in: village), village) == "over-capacity")
            #expect(try await refused(arrival(first.reference.text, 0, in: village), village) == "bad-headcount")
            #expect(try await refused(arrival(first.reference.text, 10_001, in: village), village) == "bad-headcount")
            #expect(try await record(arrival(first.reference.text, 30, in: village), village).headcount == 30)
            #expect(try await refused(arrival(second.reference.text, 21, in: village), village) == "over-capacity")
            #expect(try await record(arrival(second.reference.text, 20, in: village), village).headcount == 20)
        }
    }

    @Test func `a no-show that comes after all has arrived, and nothing is kept of it`() async throws {
        try await withVillage { village in
            let session = try await village.addSession(capacity: 60)
            let booking = try await village.addBooking([session], state: .noShow)
            try await village.audited([
                "UPDATE tour_booking SET kept_fen = 100000", "UPDATE tour_booking_session SET kept_fen = 100000",
            ])
            let answer = try await record(arrival(booking.reference.text, 12, in: village), village)
            #expect(answer.outcome == .counted)
            let income = try await village.number("SELECT sum(amount_fen)::bigint FROM income_row")
            #expect(income == 200_000)
            let step = try await village.number(
                """
                SELECT count(*) FROM tour_booking
                WHERE state = 'arrived' AND previous_state = 'no_show' AND kept_fen = 0 AND arrived = 12
                """)
            #expect(step == 1)
        }
    }

    @Test func `check-ins of one booking at once count one`() async throws {
        try await withVillage(poolSize: 12) { village in
            let booking = try await village.addBooking([try await village.addSession()])
            let nonces = (0..<10).map { "nonce-at-once-\($0)" }
            let answers = try await withThrowingTaskGroup(of: CheckInAnswer.self) { group in
                // Each twice, as a bad network does.
                for nonce in nonces + nonces {
                    group.addTask {
                        try await record(arrival(booking.reference.text, nonce: nonce, in: village), village)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.filter { $0.outcome == .counted && !$0.isRepeat }.count == 1)
            #expect(answers.filter(\.isRepeat).count == 10)
            #expect(answers.filter { $0.outcome == .twice && !$0.isRepeat }.count == 9)
            #expect(try await village.number("SELECT count(*) FROM tour_check_in") == 10)
            #expect(try await village.number("SELECT count(*) FROM tour_check_in WHERE counts") == 1)
        }
    }

    @Test func `groups at once don't overfill a session`() async throws {
        try await withVillage(poolSize: 12) { village in
            let session = try await village.addSession(capacity: 100)
            var bookings: [TestBooking] = []
            for _ in 0..<8 { bookings.append(try await village.addBooking([session], headcount: 10)) }
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                // Each five more than booked: there are seats for four such groups.
                for booking in bookings {
                    group.addTask { try await refused(arrival(booking.reference.text, 15, in: village), village) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.filter { $0 == nil }.count == 4)
            #expect(codes.filter { $0 == "over-capacity" }.count == 4)
        }
    }

    @Test func `what a check-in says has its limits`() async throws {
        try await withVillage { village in
            let booking = try await village.addBooking([try await village.addSession()])
            for nonce in ["", "1234567", String(repeating: "n", count: 65), "with space", "非ASCII字符编号"] {
                #expect(
                    try await refused(arrival(booking.reference.text, nonce: nonce, in: village), village)
                        == "bad-nonce")
            }
            let tomorrow = CheckInEntry(
                code: booking.reference.text, headcount: 1, nonce: "12345678",
                at: village.clock.now.addingTimeInterval(86_400), anyDay: true)
            #expect(try await refused(tomorrow, village) == "check-in-in-future")
        }
    }
}
