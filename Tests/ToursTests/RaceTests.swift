import Database
import Foundation
import Kernel
import TestSupport
import Testing

@testable import Tours

/// Many at once, on a real database.
@Suite struct RaceTests {
    @Test func `sixty-four clients take exactly the seats of one hot session`() async throws {
        try await withVillage(poolSize: 32) { village in
            let session = try await village.tourSession(try await village.tourProgramme(groups: 1...60), capacity: 301)
            let ends = try await withThrowingTaskGroup(of: (code: String?, heads: Int).self) { group in
                for client in 0..<64 {
                    group.addTask {
                        var (refused, heads): (String?, Int) = (nil, 0)
                        var turn = 0
                        while refused == nil {
                            let headcount = 1 + (client + turn) % 4
                            turn += 1
                            refused = try await refusal {
                                try await village.book(village.group(session, headcount: headcount))
                            }?.code
                            if refused == nil { heads += headcount }
                        }
                        return (refused, heads)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(ends.map(\.code)) == ["sold-out"])
            // Whoever was refused wanted four at most.
            let sum = ends.map(\.heads).reduce(0, +)
            #expect((298...301).contains(sum))
            #expect(try await village.seats(session) == [Int64(sum), 0])
        }
    }

    @Test func `bookings of two sessions in opposite orders don't deadlock`() async throws {
        try await withVillage(poolSize: 16) { village in
            let programme = try await village.tourProgramme(groups: 1...60)
            let first = try await village.tourSession(programme, capacity: 100)
            let second = try await village.tourSession(programme, capacity: 100, hour: 14)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        let new =
                            index % 2 == 0
                            ? village.group(first, second, headcount: 1) : village.group(second, first, headcount: 1)
                        let booking = try await village.book(new)
                        if index % 5 == 0 {
                            try await village.change(
                                BookingStore.cancel(.number(booking.id.value), now: village.clock.now))
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await village.seats(first) == [80, 0])
            #expect(try await village.seats(second) == [80, 0])
            let deadlocks = try await village.number(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = \(village.databaseName)")
            #expect(deadlocks == 0)
        }
    }

    @Test func `of two desks that move one booking, one is told that it came late`() async throws {
        try await withVillage(poolSize: 8) { village in
            let programme = try await village.tourProgramme()
            let home = try await village.tourSession(programme)
            let booking = try await village.book(village.group(home), as: .confirmed)
            let places = [
                try await village.tourSession(programme, hour: 13), try await village.tourSession(programme, hour: 15),
            ]
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for place in places {
                    var move = BookingChange()
                    move.sessions = [place]
                    let wanted = move
                    group.addTask {
                        try await refusal {
                            try await village.change(
                                BookingStore.change(
                                    .number(booking.id.value), wanted, seen: booking.version, now: village.clock.now))
                        }?.code
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.filter { $0 == nil }.count == 1)
            #expect(codes.compactMap(\.self) == ["booking-changed"])
            #expect(try await village.seats(home) == [0, 0])
            #expect(try await village.number("SELECT sum(booked) FROM tour_session") == 10)
            #expect(try await village.booking(booking).version == 2)
        }
    }

    @Test func `a session that closes under many bookings has what it had then`() async throws {
        try await withVillage(poolSize: 16) { village in
            let session = try await village.tourSession(try await village.tourProgramme(groups: 1...9), capacity: 5000)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<16 {
                    group.addTask {
                        var mine: [Booking] = []
                        while true {
                            do {
                                mine.append(try await village.book(village.group(session, headcount: 2)))
                            } catch let refusal as Refusal {
                                #expect(refusal.code == "session-closed")
                                break
                            }
                        }
                        for booking in mine.prefix(client % 2) {
                            try await village.change(
                                BookingStore.confirm(.number(booking.id.value), now: village.clock.now))
                        }
                    }
                }
                group.addTask {
                    try await awaitCondition("bookings") {
                        try await village.number("SELECT held FROM tour_session") >= 40
                    }
                    try await village.close(session: session)
                }
                try await group.waitForAll()
            }
            let full = try await village.number("SELECT held + booked - closed_seats FROM tour_session")
            #expect(full == 0)
        }
    }

    /// Requests, cancellations, expiry and waiting all at once: nothing is oversold, lost or given twice.
    @Test func `a session in turmoil keeps its books`() async throws {
        try await withVillage(poolSize: 24) { village in
            let programme = try await village.tourProgramme(groups: 1...60, holdMinutes: 5)
            let first = try await village.tourSession(programme, capacity: 15)
            let second = try await village.tourSession(programme, capacity: 15, hour: 14)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<24 {
                    group.addTask {
                        for turn in 0..<6 {
                            let headcount = 1 + (client * 7 + turn * 3) % 6
                            let new =
                                client % 3 == 0
                                ? village.group(first, second, headcount: headcount, waitlist: true)
                                : village.group(client % 3 == 1 ? first : second, headcount: headcount, waitlist: true)
                            let booking = try await village.book(new)
                            let key = BookingKey.number(booking.id.value)
                            var change = BookingChange()
                            change.headcount = 1 + (headcount + turn) % 6
                            let plans = [
                                BookingStore.cancel(key, now: village.clock.now),
                                BookingStore.confirm(key, now: village.clock.now),
                                BookingStore.change(key, change, now: village.clock.now),
                            ]
                            let plan = plans[turn % 3]
                            let refused = try await refusal { try await village.change(plan) }
                            let known = ["step-not-allowed", "booking-changed", "sold-out", nil]
                            #expect(known.contains(refused?.code), "\(String(describing: refused))")
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<10 {
                        village.clock.advance(seconds: 60)
                        try await village.sweep()
                    }
                }
                try await group.waitForAll()
            }
            try await village.sweep()
            let fitting = try await village.number(
                """
                SELECT count(*) FROM tour_booking b WHERE b.state = 'waitlisted' AND NOT EXISTS (
                    SELECT FROM tour_booking_session l JOIN tour_session s ON s.id = l.session_id
                    WHERE l.booking_id = b.id AND s.capacity - s.held - s.booked < l.headcount)
                """)
            #expect(fitting == 0)
        }
    }

    @Test func `ten equal requests for all the seats are one booking`() async throws {
        try await withVillage(poolSize: 10) { village in
            let programme = try await village.tourProgramme()
            for round in 0..<5 {
                let session = try await village.tourSession(programme, capacity: 10, hour: 8 + round * 2)
                let answers = try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<10 {
                        group.addTask {
                            try await village.intake.book(
                                village.group(session), byStranger: true, now: village.clock.now, village.committee,
                                once: Retry(key: "round \(round)", fingerprint: [1]), render: { $0.reference.text })
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(answers.count == 10 && Set(answers).count == 1)
                #expect(try await village.seats(session) == [10, 0])
            }
            #expect(try await village.number("SELECT count(*) FROM tour_booking") == 5)
        }
    }
}
