import Database
import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Tours

/// Seats that come back, and who gets them.
@Suite struct WaitingTests {
    @Test func `a full session is refused, or waited for`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme(), capacity: 12)
            try await village.book(village.group(session))
            let full = try await refusal { try await village.book(village.group(session, headcount: 3)) }
            #expect(full?.code == "sold-out" && full?.kind == .conflict && full?.message.zh.contains("2 个名额") == true)
            let waiting = try await village.book(village.group(session, headcount: 3, waitlist: true))
            #expect(waiting.state == .waitlisted && waiting.holdUntil == nil)
            #expect(waiting.waitingSince == village.clock.now)
            #expect(try await village.seats(session) == [10, 0])
            // Whoever would wait and need not, does not.
            #expect(try await village.book(village.group(session, headcount: 2, waitlist: true)).state == .requested)
        }
    }

    @Test func `an expired hold gives its seats to whoever asks`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme(), capacity: 12)
            let booking = try await village.book(village.group(session))
            // To the second: kept until then, and no longer. Two seats left of twelve are few.
            village.clock.advance(seconds: 1799)
            let full = try await refusal { try await village.book(village.group(session)) }
            #expect(full?.code == "sold-out")
            village.clock.advance(seconds: 1)
            let next = try await village.book(village.group(session))
            #expect(next.state == .requested)
            #expect(try await village.booking(booking).state == .expired)
            #expect(try await village.seats(session) == [10, 0])
            let history = try await BookingStore(village.database).show(.number(booking.id.value), village.committee)
            #expect(history.events.map(\.what) == ["requested", "expired"] && history.events.last?.actor == "clock")
            #expect(try await village.number("SELECT count(*) FROM message WHERE kind = 'expired'") == 1)
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind = 'booking.expired'") == 1)
            let late = try await refusal {
                try await village.change(BookingStore.confirm(.number(booking.id.value), now: village.clock.now))
            }
            #expect(late?.code == "step-not-allowed")
        }
    }

    @Test func `more room, or a session that opens again, is theirs who wait`() async throws {
        try await withVillage { village in
            let tour = try await village.tourProgramme()
            let session = try await village.tourSession(tour, capacity: 30)
            try await village.book(village.group(session, headcount: 30), as: .confirmed)
            let waiting = try await village.book(village.group(session, headcount: 20, waitlist: true))
            let grown = try await village.change(
                SessionStore.change(session, capacity: 50, resources: nil, now: village.clock.now))
            #expect(grown.held == 20 && grown.free == 0 && grown.version == 2)
            #expect(try await village.booking(waiting).state == .held)
            #expect(try await village.seats(session) == [20, 30])
            let stranger = try await refusal { try await village.book(village.group(session, headcount: 2)) }
            #expect(stranger?.code == "sold-out")
            let one = try await village.number(
                "SELECT count(DISTINCT xmin::text) FROM event WHERE kind IN ('tour.session.change', 'booking.held')")
            #expect(one == 1)
            // Closed while somebody waits, and seats come back: they stay until it opens again.
            let late = try await village.book(village.group(session, headcount: 15, waitlist: true))
            try await village.change(SessionStore.step(.close, session, now: village.clock.now))
            try await village.change(BookingStore.cancel(.number(waiting.id.value), now: village.clock.now))
            #expect(try await village.booking(late).state == .waitlisted)
            let opened = try await village.change(SessionStore.step(.reopen, session, now: village.clock.now))
            #expect(opened.held == 15 && opened.state == .open)
            #expect(try await village.booking(late).state == .held)
        }
    }

    @Test func `sessions that grow at once serve who waits for both`() async throws {
        try await withVillage(poolSize: 8) { village in
            let tour = try await village.tourProgramme()
            let sessions = [
                try await village.tourSession(tour, capacity: 10),
                try await village.tourSession(tour, capacity: 10, hour: 14),
            ]
            for session in sessions { try await village.book(village.group(session), as: .confirmed) }
            var waiting: [Booking] = []
            for _ in 0..<4 {
                waiting.append(
                    try await village.book(village.group(sessions[0], sessions[1], headcount: 5, waitlist: true)))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for session in sessions + sessions.reversed() {
                    group.addTask {
                        try await village.change(
                            SessionStore.change(session, capacity: 30, resources: nil, now: village.clock.now))
                    }
                }
                try await group.waitForAll()
            }
            for booking in waiting { #expect(try await village.booking(booking).state == .held) }
            #expect(try await village.seats(sessions[0]) == [20, 10])
            let deadlocks = try await village.number(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = \(village.databaseName)")
            #expect(deadlocks == 0)
        }
    }

    @Test func `looking at a full session locks nothing`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme(), capacity: 10)
            try await village.book(village.group(session))
            // Somebody holds the session's lock for as long as this takes.
            try await village.owner.transaction { transaction in
                _ = try await transaction.query("SELECT FROM tour_session FOR UPDATE")
                let full = try await refusal { try await village.book(village.group(session)) }
                #expect(full?.code == "sold-out")
            }
        }
    }

    @Test func `the sweeper ends holds at midnight and at a year's end`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme(holdMinutes: 600)
            let eve = try #require(CivilDay(year: village.today.year, month: 12, day: 31))
            let session = try await village.tourSession(programme, day: eve.adding(days: 1), hour: 8)
            village.clock.set(eve, hour: 14)
            // Ten hours end at midnight, when the year does.
            let booking = try await village.book(village.group(session))
            #expect(booking.lines.first?.day.year == eve.year + 1)
            village.clock.set(eve.adding(days: 1), hour: 0, seconds: -0.001)
            #expect(try await village.sweep().expired == 0)
            village.clock.set(eve.adding(days: 1), hour: 0)
            #expect(try await village.sweep().expired == 1)
            #expect(try await village.sweep().expired == 0)
            #expect(try await village.booking(booking).state == .expired)
            #expect(try await village.seats(session) == [0, 0])
            // Within ten hours of the start, seats are kept until it begins.
            let last = try await village.book(village.group(session))
            #expect(last.holdUntil == last.startsAt)
        }
    }

    @Test func `hundreds of holds end in one sweep`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme(groups: 1...9), capacity: 450)
            for _ in 0..<450 { try await village.book(village.group(session, headcount: 1)) }
            village.clock.advance(seconds: 7200)
            #expect(try await village.sweep().expired == 450)
            #expect(try await village.seats(session) == [0, 0])
        }
    }

    @Test func `freed seats go to the first that fits, and no more than were freed`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme(), capacity: 20)
            let first = try await village.book(village.group(session, headcount: 12), as: .confirmed)
            try await village.book(village.group(session, headcount: 8), as: .confirmed)
            var waiting: [Booking] = []
            for headcount in [15, 7, 6, 4] {
                village.clock.advance(seconds: 1)
                waiting.append(try await village.book(village.group(session, headcount: headcount, waitlist: true)))
            }
            village.clock.advance(seconds: 60)
            try await village.change(BookingStore.cancel(.number(first.id.value), now: village.clock.now))
            // Of 12 seats the 15 don't fit; the 7 come first, then the 6 don't fit any more, and the 4 do.
            var states: [BookingState] = []
            for booking in waiting { states.append(try await village.booking(booking).state) }
            #expect(states == [.waitlisted, .held, .waitlisted, .held])
            #expect(try await village.seats(session) == [11, 8])
            let promoted = try await village.booking(waiting[1])
            #expect(promoted.holdUntil == village.clock.now.addingTimeInterval(7200) && promoted.version == 2)
            let events = try await BookingStore(village.database).show(
                .number(promoted.id.value), village.committee
            ).events
            #expect(events.map(\.what) == ["waitlisted", "held"] && events.last?.actor == "waiting-list")
            let keys = try await village.owner.query("SELECT key FROM message WHERE kind = 'held' ORDER BY id").map {
                try $0.decode("key", as: String.self)
            }
            #expect(keys == ["booking:\(waiting[1].id):v2:held", "booking:\(waiting[3].id):v2:held"])
            #expect(try await village.sweep().promoted == 0)
        }
    }

    @Test func `fewer heads, a move and an expiry free seats too`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let session = try await village.tourSession(programme, capacity: 20)
            let other = try await village.tourSession(programme, capacity: 20, hour: 14)
            let confirmed = try await village.book(village.group(session, headcount: 15), as: .confirmed)
            let held = try await village.book(village.group(session, headcount: 5))
            var waiting: [Booking] = []
            for headcount in [3, 5, 12] {
                village.clock.advance(seconds: 1)
                waiting.append(try await village.book(village.group(session, headcount: headcount, waitlist: true)))
            }
            func states() async throws -> [BookingState] {
                var states: [BookingState] = []
                for booking in waiting { states.append(try await village.booking(booking).state) }
                return states
            }
            var fewer = BookingChange()
            fewer.headcount = 12
            try await village.change(
                BookingStore.change(.number(confirmed.id.value), fewer, now: village.clock.now))
            #expect(try await states() == [.held, .waitlisted, .waitlisted])
            village.clock.advance(seconds: 7198)
            #expect(try await village.sweep() == (1, 0))
            #expect(try await village.booking(held).state == .expired)
            #expect(try await states() == [.held, .held, .waitlisted])
            var move = BookingChange()
            move.sessions = [other]
            try await village.change(
                BookingStore.change(.number(confirmed.id.value), move, now: village.clock.now))
            #expect(try await states() == [.held, .held, .held])
            #expect(try await village.seats(session) == [20, 0])
            #expect(try await village.seats(other) == [0, 12])
        }
    }

    @Test func `who waits for several sessions gets all of them or none`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let first = try await village.tourSession(programme, capacity: 10)
            let second = try await village.tourSession(programme, capacity: 10, hour: 14)
            let a = try await village.book(village.group(first), as: .confirmed)
            let b = try await village.book(village.group(second), as: .confirmed)
            let both = try await village.book(village.group(first, second, waitlist: true))
            village.clock.advance(seconds: 1)
            let one = try await village.book(village.group(second, headcount: 4, waitlist: true))
            try await village.change(BookingStore.cancel(.number(b.id.value), now: village.clock.now))
            #expect(try await village.booking(both).state == .waitlisted)
            #expect(try await village.booking(one).state == .held)
            try await village.change(BookingStore.cancel(.number(one.id.value), now: village.clock.now))
            #expect(try await village.booking(both).state == .waitlisted)
            try await village.change(BookingStore.cancel(.number(a.id.value), now: village.clock.now))
            #expect(try await village.booking(both).state == .held)
            #expect(try await village.seats(first) == [10, 0])
            #expect(try await village.seats(second) == [10, 0])
        }
    }

    @Test func `waiting ends when the session begins, and a closed one gives nothing`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let session = try await village.tourSession(programme, capacity: 10)
            let taken = try await village.book(village.group(session), as: .confirmed)
            let waiting = try await village.book(village.group(session, waitlist: true))
            try await village.close(session: session)
            try await village.change(BookingStore.cancel(.number(taken.id.value), now: village.clock.now))
            #expect(try await village.sweep() == (0, 0))
            #expect(try await village.booking(waiting).state == .waitlisted)
            try await village.audited(["UPDATE tour_session SET state = 'open', closed_seats = NULL"])
            // What became free meanwhile is found by the sweeper.
            village.clock.set(village.today.adding(days: 7), hour: 9, seconds: -1)
            #expect(try await village.sweep() == (0, 1))
            #expect(try await village.booking(waiting).holdUntil == waiting.startsAt)
            let late = try await village.book(village.group(session, headcount: 5, waitlist: true))
            village.clock.advance(seconds: 1)
            #expect(try await village.sweep() == (2, 0))
            #expect(try await village.booking(late).state == .expired)
        }
    }

    @Test func `the desk finds seats for one that waits, when there are some`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme(), capacity: 10)
            try await village.book(village.group(session, headcount: 8), as: .confirmed)
            let waiting = try await village.book(village.group(session, headcount: 4, waitlist: true))
            let key = BookingKey.number(waiting.id.value)
            let full = try await refusal { try await village.change(BookingStore.hold(key, now: village.clock.now)) }
            #expect(full?.code == "sold-out")
            // Who is content with less finds it at once.
            var fewer = BookingChange()
            fewer.headcount = 2
            try await village.change(BookingStore.change(key, fewer, now: village.clock.now))
            #expect(try await village.booking(waiting).state == .held)
            #expect(try await village.seats(session) == [2, 8])
        }
    }
}
