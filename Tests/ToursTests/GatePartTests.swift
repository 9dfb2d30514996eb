import Database
import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Tours

/// A group that comes in parts, and what is taken back.
@Suite struct GatePartTests {
    @Test func `people who come in several parts add up`() async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let booking = try await village.addBooking([try await village.addSession()], headcount: 30)
            #expect(try await gate.record(gate.entry(booking, 18)).arrived == 18)
            village.clock.advance(seconds: 900)
            let second = try await gate.record(gate.entry(booking, 12, nonce: "the-second-part"))
            #expect(second.outcome == .counted && second.arrived == 30 && second.earlier?.headcount == 18)
            // The same part told again is the same part.
            let again = try await gate.record(gate.entry(booking, 12, nonce: "the-second-part"))
            #expect(again.isRepeat && again.arrived == 30)
            let shown = try await gate.show(booking)
            #expect(shown.booking.arrived == 30 && shown.booking.lines.map(\.arrived) == [30])
            #expect(shown.checkIns.map(\.headcount) == [18, 12] && shown.checkIns.allSatisfy(\.counts))
            #expect(shown.events.map(\.what) == ["checked_in", "checked_in"])
            #expect(try await village.number("SELECT sum(people)::bigint FROM tour_visit") == 30)
            let sheet = try await DaySheetStore(village.database).sheet(day: village.today, village.committee)
            #expect(sheet.sessions.first?.lines.first?.remarks(.chinese) == "分批签到 18 + 12")
            // More than have booked looks like a ticket that is used twice, unless the gate says otherwise.
            let more = try await gate.record(gate.entry(booking, 3))
            #expect(more.outcome == .twice && more.number == 1 && more.why == .twice)
            #expect(try await gate.record(gate.entry(booking, 3, more: true)).arrived == 33)
            #expect(try await gate.settle(1, accept: true).settlement?.accepted == true)
            #expect(try await gate.booking(booking).arrived == 36)
        }
    }

    @Test func `parts add up at a gate without the register, too`() async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let booking = try await village.addBooking([try await village.addSession()], headcount: 30)
            let offline = try OfflineGate(try await gate.list())
            var journal: [CheckInEntry] = []
            for (heads, arrived) in [(18, 18), (12, 30)] {
                let admitted = try offline.admit(gate.entry(booking, heads), journal: journal)
                #expect(admitted.answer.arrived == arrived && admitted.entry.after == arrived - heads)
                journal.append(admitted.entry)
                village.clock.advance(seconds: 60)
            }
            let written = journal
            let twice = try await refusal { _ = try offline.admit(gate.entry(booking, 1), journal: written) }
            #expect(twice?.code == "already-checked-in" && twice?.message.en.contains("30 people of 30") == true)
            journal.append(try offline.admit(gate.entry(booking, 1, more: true), journal: journal).entry)
            // They come home in another order.
            let words = try await gate.bringIn(journal[2], journal[0], journal[1]).map(\.word)
            #expect(words == ["counted", "counted", "counted"])
            #expect(try await gate.booking(booking).arrived == 31)
            // A gate that takes the list of now knows of them.
            let later = try OfflineGate(try await gate.list())
            let full = try await refusal { _ = try later.admit(gate.entry(booking, 2), journal: []) }
            #expect(full?.code == "already-checked-in")
        }
    }

    @Test func `a mistyped check-in is taken back with a reason`() async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let session = try await village.addSession()
            let booking = try await village.addBooking([session], headcount: 30)
            let wrong = try await gate.record(gate.entry(booking, 29, at: gate.now.addingTimeInterval(-60))).number
            _ = try await gate.record(gate.entry(booking, 1, at: gate.now.addingTimeInterval(-30)))
            let left = try await gate.undo(checkIn: wrong)
            #expect(left.state == .arrived && left.arrived == 1 && left.version == 4)
            #expect(try await gate.record(gate.entry(booking, 19)).arrived == 20)
            let shown = try await gate.show(booking)
            #expect(shown.checkIns.map(\.counts) == [false, true, true])
            #expect(shown.checkIns.first?.undone?.reason == "把 19 打成 29")
            #expect(shown.events.map(\.what) == ["checked_in", "checked_in", "check_in_undone", "checked_in"])
            #expect(shown.events[2].figures.contains(#""arrived": 1"#))
            let sheet = try await DaySheetStore(village.database).sheet(day: village.today, village.committee)
            let told = try #require(sheet.sessions.first?.lines.first?.remarks(.chinese))
            #expect(told.contains("撤销签到 29 人：把 19 打成 29") && told.contains("1 + 19"))
            #expect(try await gate.refused { try await gate.undo(checkIn: wrong) } == "undone-already")
            #expect(try await gate.refused { try await gate.undo(checkIn: 999) } == "unknown-check-in")
            #expect(try await gate.refused { try await gate.undo(checkIn: wrong, reason: " ") } == "bad-text")
            // The same nonce again does not bring back what was taken back.
            let again = try await gate.record(
                gate.entry(booking, 29, nonce: shown.checkIns.first?.nonce))
            #expect(again.isRepeat && again.warnings == [.undone])
            #expect(try await gate.booking(booking).arrived == 20)
        }
    }

    @Test func `the wrong group goes back to where it stood`() async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let session = try await village.addSession()
            let booking = try await village.addBooking([session], headcount: 20)
            let number = try await gate.record(gate.entry(booking, 20)).number
            #expect(try await village.tourIncome() == 100_000)
            let back = try await gate.undo(checkIn: number, reason: "签错了团")
            #expect(back.state == .confirmed && back.arrived == nil && back.lines.map(\.arrived) == [nil])
            #expect(try await village.tourIncome() == 0)
            #expect(try await village.seats(session) == [0, 20])
            // Again, and two parts at once.
            _ = try await gate.record(gate.entry(booking, 12))
            _ = try await gate.record(gate.entry(booking, 8))
            #expect(try await gate.undo(booking).state == .confirmed)
            let shown = try await gate.show(booking)
            #expect(shown.checkIns.filter(\.counts).isEmpty && shown.checkIns.count == 3)
            #expect(shown.events.last?.what == "undone" && shown.events.last?.figures.contains("签错了团") == true)
            #expect(try await gate.refused { try await gate.undo(booking) } == "nothing-to-undo")
            _ = try await gate.record(gate.entry(booking, 20))
            #expect(try await gate.booking(booking).arrived == 20)
        }
    }

    @Test func `a group that was noted as missing is missing again when its arrival is taken back`() async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let tour = try await village.tourProgramme(noShowFeePercent: 50)
            let session = try await village.tourSession(tour, day: village.today)
            let booked = try await village.book(village.group(session), as: .confirmed)
            let booking = TestBooking(booked)
            village.clock.set(village.today, hour: 12)
            try await village.change(BookingStore.noShow(.number(booking.number), now: village.clock.now))
            let kept = try await gate.booking(booking).kept
            #expect(kept.fen == 40_000)
            let number = try await gate.record(gate.entry(booking, 10)).number
            #expect(try await gate.booking(booking).kept.fen == 0)
            let back = try await gate.undo(checkIn: number)
            #expect(back.state == .noShow && back.kept == kept && back.lines.map(\.kept) == [kept])
            #expect(try await gate.undo(booking).state == .confirmed)
            #expect(try await gate.booking(booking).kept.fen == 0)
        }
    }

    @Test func `steps go back one by one as they came`() async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let session = try await village.addSession(programme: "乡村振兴研学")
            let booking = try await village.addBooking([session], headcount: 20)
            let key = BookingKey.number(booking.number)
            try await village.change(BookingStore.complete(key, arrived: 17, now: village.clock.now))
            // Nobody was checked in: it was only confirmed before.
            #expect(try await gate.undo(booking).state == .confirmed)
            let other = try await village.tourProgramme()
            let today = try await village.tourSession(other, day: village.today, hour: 9)
            let booked = try await village.book(village.group(today, headcount: 10), as: .confirmed)
            let second = TestBooking(booked)
            let part = try await gate.record(gate.entry(second, 9)).number
            village.clock.set(village.today, hour: 15)
            let done = try await village.change(
                BookingStore.complete(.number(second.number), arrived: 10, now: village.clock.now))
            #expect(done.arrived == 10)
            #expect(try await gate.refused { try await gate.undo(checkIn: part) } == "completed-already")
            let arrived = try await gate.undo(second)
            #expect(arrived.state == .arrived && arrived.arrived == 9)
            #expect(try await gate.undo(second).state == .confirmed)
            let cancelled = try await village.change(
                BookingStore.cancel(.number(second.number), now: village.clock.now))
            #expect(cancelled.state == .cancelled && cancelled.kept.fen > 0)
            let again = try await gate.undo(second)
            #expect(again.state == .confirmed && again.kept.fen == 0)
            #expect(try await village.seats(today) == [0, 10])
            // The session has begun: the group is not told any more that it may come.
            #expect(try await village.number("SELECT count(*) FROM message WHERE kind = 'confirmed'") == 1)
        }
    }

    @Test func `a cancellation is taken back only while there are seats`() async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let session = try await village.tourSession(try await village.tourProgramme(), capacity: 20)
            let booked = try await village.book(village.group(session, headcount: 20), as: .requested)
            let booking = TestBooking(booked)
            try await village.change(BookingStore.cancel(.number(booking.number), now: village.clock.now))
            let other = try await village.book(village.group(session, headcount: 5))
            let full = try await refusal { try await gate.undo(booking) }
            #expect(full?.code == "sold-out" && full?.message.en.contains("15 seats") == true)
            try await village.change(BookingStore.cancel(.number(other.id.value), now: village.clock.now))
            let back = try await gate.undo(booking)
            #expect(back.state == .requested && back.holdUntil == village.clock.now.addingTimeInterval(7200))
            #expect(try await village.seats(session) == [20, 0])
        }
    }

    @Test func `what is found of a closed day counts on the day on which it is found`() async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let session = try await village.addSession()
            let booking = try await village.addBooking([session], headcount: 20)
            let late = try await village.addBooking([session], headcount: 5)
            let number = try await gate.record(gate.entry(booking, 20)).number
            village.clock.set(village.today.adding(days: 2))
            let yesterday = village.today.adding(days: -1)
            try await village.change(ClosedBooks.close(through: yesterday, today: village.today))
            let day = village.today.adding(days: -2)
            func people() async throws -> [CivilDay: Int64] {
                let rows = try await village.owner.query(
                    "SELECT day, sum(people)::bigint AS people FROM tour_visit GROUP BY 1")
                return try rows.reduce(into: [:]) { $0[try $1.decode("day")] = try $1.decode("people") }
            }
            #expect(try await people() == [day: 20])
            #expect(
                try await gate.refused { _ = try await gate.record(gate.entry(late, 5, anyDay: true)) }
                    == "books-closed")
            // What a gate saw that day is kept all the same.
            let home = gate.entry(late, 5, at: gate.now.addingTimeInterval(-86_400 * 2), session: session)
            #expect(try await gate.bringIn(home).map(\.word) == ["conflict"])
            let kept = try #require(try await gate.conflicts().first)
            #expect(kept.why == .closed)
            try await gate.settle(kept.id, accept: true)
            #expect(try await gate.booking(late).state == .arrived)
            #expect(try await people() == [day: 20, village.today: 5])
            try await gate.undo(checkIn: number)
            #expect(try await gate.booking(booking).state == .confirmed)
            #expect(try await people() == [day: 20, village.today: -15])
            try await gate.undo(late)
            #expect(try await people() == [day: 20, village.today: -20])
            let error = try await postgresError {
                try await village.database.transaction(village.committee) { transaction in
                    try await transaction.query(
                        """
                        INSERT INTO tour_check_in_undo (village_id, booking_id, check_in_id, day, reason, actor)
                        SELECT village_id, booking_id, id, \(day), 'x', 'x' FROM tour_check_in
                        """)
                }
            }
            #expect(error?.constraint == "books_closed")
        }
    }

    @Test func `of those who take the same back at once one does`() async throws {
        try await withVillage(poolSize: 12) { village in
            let gate = Gate(village: village)
            let booking = try await village.addBooking([try await village.addSession()], headcount: 30)
            let number = try await gate.record(gate.entry(booking, 29)).number
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for index in 0..<8 {
                    group.addTask {
                        try await gate.refused {
                            if index % 2 == 0 {
                                try await gate.undo(checkIn: number)
                            } else {
                                try await gate.undo(booking)
                            }
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.filter { $0 == nil }.count == 1)
            #expect(Set(codes.compactMap(\.self)).isSubset(of: ["undone-already", "nothing-to-undo"]))
            #expect(try await village.number("SELECT count(*) FROM tour_check_in_undo") == 1)
            #expect(try await gate.booking(booking).state == .confirmed)
        }
    }

    @Test func `undoing while others come in leaves the sum of those who are there`() async throws {
        try await withVillage(poolSize: 12) { village in
            let gate = Gate(village: village)
            let booking = try await village.addBooking([try await village.addSession()], headcount: 30)
            let number = try await gate.record(gate.entry(booking, 10)).number
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await gate.undo(checkIn: number) }
                for _ in 0..<4 { group.addTask { _ = try await gate.record(gate.entry(booking, 5)) } }
                try await group.waitForAll()
            }
            let shown = try await gate.show(booking)
            #expect(shown.booking.state == .arrived && shown.booking.arrived == 20)
            #expect(shown.checkIns.count == 5)
        }
    }

    @Test(arguments: [true, false])
    func `who is scanned after the visit was completed is there when that is taken back`(
        byHand: Bool
    ) async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let session = try await village.tourSession(try await village.tourProgramme(), day: village.today)
            let booking = TestBooking(try await village.book(village.group(session, headcount: 5), as: .confirmed))
            village.clock.set(village.today, hour: 10)
            try await village.change(
                BookingStore.complete(.number(booking.number), arrived: 5, now: village.clock.now))
            let scan = try await gate.record(gate.entry(booking, 5))
            #expect(scan.outcome == .counted)
            #expect(try await gate.refused { try await gate.undo(checkIn: scan.number) } == "completed-already")
            let back = try await gate.undo(booking)
            #expect(back.state == .arrived && back.arrived == 5)
            #expect(try await village.tourIncome() == 40_000)
            let nobody = byHand ? try await gate.undo(booking) : try await gate.undo(checkIn: scan.number)
            #expect(nobody.state == .confirmed && nobody.arrived == nil)
            #expect(try await village.tourIncome() == 0)
            #expect(try await gate.record(gate.entry(booking, 5)).outcome == .counted)
            #expect(try await gate.undo(booking).state == .confirmed)
        }
    }
}
