import Codes
import Foundation
import Kernel
import Postgres
import Signing
import TestSupport
import Testing
import Tours

/// A gate without the register, and what it brings home.
@Suite struct GateListTests {
    private func list(_ village: TestVillage, on day: CivilDay? = nil) async throws -> GateList {
        let made = try await GateListStore(village.database, keys: village.keys).list(
            day: day ?? village.today, now: village.clock.now, village.committee)
        // As the gate reads it from its file.
        return try GateList(json: made.json)
    }

    private func arrival(
        _ code: String, _ headcount: Int = 38, anyDay: Bool = false, in village: TestVillage
    ) -> CheckInEntry {
        CheckInEntry(
            code: code, headcount: headcount, nonce: CheckInEntry.freshNonce(),
            at: Date(timeIntervalSince1970: village.clock.now.timeIntervalSince1970.rounded(.down)), anyDay: anyDay)
    }

    private func payload(_ booking: TestBooking, _ village: TestVillage, day: CivilDay? = nil) throws -> String {
        try village.keys.signer().sign(
            booking: UInt32(booking.number), issued: village.today, day: day ?? village.today
        ).payload
    }

    private func bringIn(_ journal: [CheckInEntry], _ village: TestVillage) async throws -> [String] {
        try await CheckInStore(village.database, keys: village.keys).bringIn(
            journal, now: village.clock.now, village.committee
        ).map(\.word)
    }

    @Test func `a gate that was tried out before the day has let nobody in`() async throws {
        try await withVillage { village in
            let session = try await village.addSession(on: village.today.adding(days: 3))
            let booking = try await village.addBooking([session], state: .confirmed)
            let tryout = arrival(booking.reference.text, anyDay: true, in: village)
            #expect(try await bringIn([tryout], village) == ["conflict"])
            #expect(try await village.number("SELECT count(*) FROM tour_gate_conflict WHERE why = 'early'") == 1)
            #expect(try await village.number("SELECT count(*) FROM tour_check_in") == 0)
            village.clock.set(village.today.adding(days: 4))
            let late = arrival(booking.reference.text, anyDay: true, in: village)
            #expect(try await bringIn([late], village) == ["counted"])
        }
    }

    @Test func `a ticket of an older origin comes in, and so does a booking by its number`() async throws {
        try await withVillage { village in
            let (key, origin) = (try PrivateKey.generate(.ed25519), try Origin("old.example.cn"))
            _ = try await village.owner.query(
                """
                INSERT INTO village_origin (id, origin, village_id) OVERRIDING SYSTEM VALUE
                VALUES (0, \(origin.text), \(village.village.id))
                """)
            _ = try await village.change(SigningKeyStore.add(key.publicKey, origin: origin))
            try await village.keys.reload()
            let session = try await village.addSession()
            let (first, second) = (
                try await village.addBooking([session], headcount: 38),
                try await village.addBooking([session], headcount: 38)
            )
            let ticket = try CodeSigner(key: key, origin: origin).sign(
                booking: UInt32(first.number), issued: village.today, day: village.today)
            let gate = try OfflineGate(try await list(village))
            var journal: [CheckInEntry] = []
            for (code, booking) in [(ticket.payload, first), ("\(second.number)", second)] {
                let admitted = try gate.admit(arrival(code, in: village), journal: journal)
                #expect(admitted.answer.booking == booking.number && admitted.answer.warnings.isEmpty)
                journal.append(admitted.entry)
            }
            let again = journal
            let twice = try await refusal {
                _ = try gate.admit(arrival("\(second.number)", 1, in: village), journal: again)
            }
            #expect(twice?.code == "already-checked-in")
            #expect(try await bringIn(journal, village) == ["counted", "counted"])
            let nobody = try await refusal { _ = try gate.admit(arrival("77", in: village), journal: []) }
            #expect(nobody?.code == "not-on-the-list")
            #expect(try await bringIn([arrival("77", in: village)], village) == ["refused"])
        }
    }

    @Test func `a list holds the day's bookings in whatever state, and no phone`() async throws {
        try await withVillage { village in
            let today = try await village.addSession()
            let other = try await village.addSession(on: village.today.adding(days: 1))
            var numbers: [Int64: BookingState] = [:]
            for state in BookingState.allCases {
                numbers[try await village.addBooking([today], state: state, headcount: 5).number] = state
            }
            _ = try await village.addBooking([other])
            let both = try await village.addBooking([today, other], headcount: 3)
            numbers[both.number] = .confirmed
            let list = try await list(village)
            #expect(list.day == village.today.description && list.origin == "trace.example.cn")
            #expect(
                Dictionary(uniqueKeysWithValues: list.bookings.map { ($0.booking, $0.state) })
                    == numbers.mapValues(\.rawValue))
            #expect(list.bookings.allSatisfy { $0.sessions.map(\.session) == [today] })
            let text = String(decoding: try list.json, as: UTF8.self)
            #expect(!text.contains("13812345678") && !text.contains("王老师"))
            #expect(text.contains("\"unit\" : \"区委党校\""))
        }
    }

    @Test func `a signature, a state and a repetition are checked without the register`() async throws {
        try await withVillage { village in
            _ = try await village.keys.create(.sm2, village.database, village.committee)
            let session = try await village.addSession()
            let booking = try await village.addBooking([session])
            let cancelled = try await village.addBooking([session], state: .cancelled)
            let held = try await village.addBooking([session], state: .held, headcount: 5)
            let tomorrow = try await village.addSession(on: village.today.adding(days: 1))
            let elsewhen = try await village.addBooking([tomorrow])
            let gate = try OfflineGate(try await list(village))
            let good = try payload(booking, village)
            var journal: [CheckInEntry] = []
            func code(_ text: String, _ heads: Int = 38) throws -> String? {
                do {
                    journal.append(try gate.admit(arrival(text, heads, in: village), journal: journal).entry)
                    return nil
                } catch let refusal as Refusal {
                    return refusal.code
                }
            }
            #expect(try code(String(good.dropLast()) + (good.last == "A" ? "B" : "A")) == "forged-ticket")
            #expect(try code(payload(cancelled, village)) == "booking-cancelled")
            #expect(try code(cancelled.reference.description) == "booking-cancelled")
            #expect(try code(held.reference.text) == "booking-unconfirmed")
            #expect(try code(payload(elsewhen, village, day: village.today.adding(days: 1))) == "wrong-day")
            #expect(try code(BookingReference.random().text) == "not-on-the-list")
            #expect(try code(good, 0) == "bad-headcount")
            #expect(try code(good, 81) == "over-capacity")
            #expect(journal.isEmpty)
            #expect(try code(good) == nil)
            #expect(journal.map(\.session) == [session])
            #expect(try code(good) == "already-checked-in")
            #expect(try code(booking.reference.text) == "already-checked-in")
            #expect(journal.count == 1)
            village.clock.set(village.today.adding(days: 1))
            #expect(try code(good) == "wrong-day")
        }
    }

    @Test func `a journal is brought in once, however often it is sent`() async throws {
        try await withVillage { village in
            let session = try await village.addSession(capacity: 200)
            let first = try await village.addBooking([session])
            let second = try await village.addBooking([session])
            let third = try await village.addBooking([session])
            let gate = try OfflineGate(try await list(village))
            var journal: [CheckInEntry] = []
            for booking in [first, second, third] {
                let code = try payload(booking, village)
                journal.append(try gate.admit(arrival(code, in: village), journal: journal).entry)
            }
            let read = GateJournal.read(try journal.flatMap { try GateJournal.line($0) }).entries
            #expect(read == journal)
            // Meanwhile the desk lets the second in, not knowing of the gate, and the third is cancelled.
            village.clock.advance(seconds: 60)
            _ = try await CheckInStore(village.database, keys: village.keys).record(
                arrival(second.reference.text, 40, in: village), now: village.clock.now, village.committee)
            try await village.cancel(third)
            village.clock.advance(seconds: 3600)
            let once = try await bringIn(read, village)
            #expect(once == ["counted", "counted", "conflict"])
            let rows = try await village.number("SELECT count(*) FROM event")
            let again = try await bringIn(read, village)
            #expect(again == ["repeated", "repeated", "repeated"])
            #expect(try await village.number("SELECT count(*) FROM event") == rows)
            // The earlier scan counts, and the desk's is kept to be settled.
            #expect(try await village.number("SELECT sum(arrived)::bigint FROM tour_booking") == 76)
            #expect(
                try await village.number("SELECT count(*) FROM tour_gate_conflict WHERE why IN ('twice', 'cancelled')")
                    == 2)
            let kept = try await village.number(
                """
                SELECT count(*) FROM tour_check_in
                WHERE offline AND at < received_at AND at = \(journal[0].at) AND booking_id = \(first.number)
                """)
            #expect(kept == 1)
        }
    }

    @Test func `two gates that let the same group in are noticed`() async throws {
        try await withVillage { village in
            let booking = try await village.addBooking([try await village.addSession()])
            let gate = try OfflineGate(try await list(village))
            let north = try gate.admit(arrival(booking.reference.text, 20, in: village), journal: []).entry
            village.clock.advance(seconds: 60)
            let south = try gate.admit(arrival(booking.reference.text, 18, in: village), journal: []).entry
            #expect(try await bringIn([south], village) == ["counted"])
            #expect(try await village.number("SELECT arrived FROM tour_booking") == 18)
            // Whatever comes home first, the earlier scan counts.
            #expect(try await bringIn([north], village) == ["counted"])
            #expect(try await village.number("SELECT arrived FROM tour_booking") == 20)
            #expect(try await bringIn([south, north], village) == ["repeated", "repeated"])
            let kept = try await GateConflictStore(village.database).list(village.committee)
            #expect(kept.map(\.headcount) == [18] && kept.map(\.why) == [.twice])
            let later = try OfflineGate(try await list(village))
            let refused = try await refusal {
                _ = try later.admit(arrival(booking.reference.text, in: village), journal: [])
            }
            #expect(refused?.code == "already-checked-in", "the list tells who had come when it was made")
        }
    }

    @Test func `a compromised key's tickets open no gate`() async throws {
        try await withVillage { village in
            let booking = try await village.addBooking([try await village.addSession()])
            let code = try payload(booking, village)
            try await village.change(
                SigningKeyStore.compromise(
                    try village.keys.signer().keyID, since: village.today, today: village.today))
            try await village.keys.reload()
            let gate = try OfflineGate(try await list(village))
            let refused = try await refusal { _ = try gate.admit(arrival(code, in: village), journal: []) }
            #expect(refused?.code == "unknown-ticket-key")
            #expect(
                try gate.admit(arrival(booking.reference.text, in: village), journal: []).answer.outcome == .counted)
        }
    }

    @Test(arguments: ["", "{}", "[]", "null", #"{"format":"taoyuan-gate-list/2"}"#])
    func `other files are no list`(text: String) {
        #expect(throws: Refusal.self) { try GateList(json: Array(text.utf8)) }
    }
}
