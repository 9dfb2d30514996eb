import Database
import Foundation
import Kernel
import TestSupport
import Testing
import Tours

@testable import Documents

/// What is told of bookings, their money and the gate.
@Suite struct BookingShapeTests {
    @Test func `what is told of real values fits its description`() async throws {
        try await withVillage { village in
            try await village.populate(try await village.plant())
            _ = try await village.addBooking([try await village.addSession()], state: .held)
            let (database, scope, now) = (village.database, village.committee, village.clock.now)
            let store = BookingStore(database)
            let bookings = try await store.list(scope, BookingStore.Search())
            fit(Shapes.booking, bookings)
            fit(Shapes.ownBooking, bookings)
            var histories: [BookingHistory] = []
            for booking in bookings { histories.append(try await store.show(.number(booking.id.value), scope)) }
            fit(Shapes.bookingHistory, histories)
            fit(Shapes.bookedMoney, histories.flatMap(\.money))
            fit(Shapes.gateCheckIn, histories.flatMap(\.checkIns))
            fit(Shapes.bookingTask, try await store.todo(now: now, scope))
            fit(Shapes.gateConflict, try await GateConflictStore(database).list(scope, all: true))
            let book = try await PaymentStore.book(database, from: village.today, to: village.today, scope)
            fit(Shapes.tillEntry, book.entries)
            fit(Shapes.tillSums, [book])
            fit(Shapes.ticket, [try await ticket(village)])
        }
    }

    /// Of the booking that is there when the village is populated.
    private func ticket(_ village: TestVillage) async throws -> Ticket {
        try await TicketStore(village.database, keys: village.keys).show(
            booking: 1, today: village.today, village.committee)
    }

    @Test func `a group is told nothing that is the desk's`() async throws {
        try await withVillage { village in
            try await village.populate(try await village.plant())
            let booking = try await BookingStore(village.database).show(.number(1), village.committee).booking
            #expect(
                try Shapes.ownBooking.json(booking).members.map(\.key) == [
                    "reference", "unit", "unitKind", "headcount", "leader", "phone", "email", "language", "note",
                    "state",
                    "version", "holdUntil", "waitingSince", "arrived", "fee", "adjusted", "kept", "charge", "paid",
                    "open", "tooMuch", "refundDue", "refunded", "money", "payment", "refund", "requestedAt", "sessions",
                    "extras",
                ])
            #expect(
                try Shapes.ownTicket.json(try await ticket(village)).members.map(\.key) == [
                    "booking", "reference", "unit", "headcount", "leader", "state", "day", "payload", "url", "sessions",
                ])
        }
    }

    @Test func `each session and extra of a booking is a fact of its own`() async throws {
        try await withVillage { village in
            try await village.populate(try await village.plant())
            let booking = try await BookingStore(village.database).show(.number(1), village.committee).booking
            let session = try #require(booking.lines.first)
            let sale = try #require(booking.extras.flatMap(\.sales).first)
            let facts = Shapes.booking.facts(of: booking, .chinese).map { "\($0.title) \($0.text ?? "—")" }
            for fact in [
                "场次 \(session.session) \(village.today.adding(days: 1)) 09:00 蟠桃采摘 · 蟠桃采摘园", "农家午餐 2 份",
                "摘桃 2 斤，销售 \(sale)", "调整 -6.00，共 200.00", "付款 已付清 200.00", "保留到 —",
            ] { #expect(facts.contains(fact), "\(fact) in \(facts)") }
            let table = Shapes.booking.row(of: booking, .english)
            #expect(table.prefix(5) == ["1", "ABCD-EFGH-IJKL", "\(session.day)", "某校", "2"])
        }
    }

    @Test func `a gate's answers fit their description, whatever became of an entry`() async throws {
        try await withVillage { village in
            let booking = try await village.addBooking([try await village.addSession()])
            func entry(_ code: String, _ heads: Int, secondsAgo: Double) -> CheckInEntry {
                CheckInEntry(
                    code: code, headcount: heads, nonce: CheckInEntry.freshNonce(),
                    at: village.clock.now.addingTimeInterval(-secondsAgo))
            }
            let journal = [
                entry(booking.reference.text, 30, secondsAgo: 3), entry(booking.reference.text, 20, secondsAgo: 2),
                entry("nonesuch", 3, secondsAgo: 1),
            ]
            let results = try await CheckInStore(village.database, keys: village.keys).bringIn(
                journal, now: village.clock.now, village.committee)
            let told = zip(journal, results).map { Shapes.GateAnswer($1, nonce: $0.nonce, entry: $0) }
            let shape = Shapes.gateAnswer(.chinese)
            fit(shape, told)
            #expect(told.map { shape.json($0)["result"] } == ["counted", "twice", "refused"])
            let damage = try #require(GateJournal.read(Array("{".utf8)).damage.first)
            let line = Shapes.GateAnswer(damage)
            let lines = Shapes.journalLine(.chinese)
            #expect(lines.json(line)["line"] == 1 && lines.json(line)["reason"]["code"] == "bad-journal")
            #expect(lines.row(of: line, .chinese).prefix(4) == ["—", "第 1 行", "—", "读不懂"])
            #expect(lines.row(of: told[1], .chinese)[4].contains("待处理 1：重复扫码"))
        }
    }
}
