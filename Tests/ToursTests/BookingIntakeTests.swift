import Database
import Kernel
import Synchronization
import TestSupport
import Testing

@testable import Tours

/// Bookings that come at the same moment.
@Suite struct BookingIntakeTests {
    private static let stranger = Scope(village: 1, cooperative: nil, actor: "public")

    /// Holds up as many writings as run at once, until all requests wait for those: then they go together.
    /// - Parameter last: done when they wait.
    private func together(
        _ village: TestVillage, _ programme: TestTour, _ requests: [@Sendable () async throws -> Void],
        last: @Sendable () async throws -> Void = {}
    ) async throws {
        let held = try await village.tourSession(programme, hour: 17)
        try await withThrowingTaskGroup(of: Void.self) { group in
            try await village.owner.transaction { transaction in
                _ = try await transaction.query("SELECT FROM tour_session WHERE id = \(held) FOR UPDATE")
                for count in 1...2 {
                    group.addTask { try await village.book(village.group(held)) }
                    try await village.awaitWaiting(count)
                }
                for request in requests { group.addTask(operation: request) }
                try await awaitCondition("all requests") { village.intake.waitingCount == requests.count }
                try await last()
            }
            try await group.waitForAll()
        }
    }

    @Test func `they are written together, each with its own audit and message`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let sessions = [
                try await village.tourSession(programme, capacity: 200),
                try await village.tourSession(programme, capacity: 200, hour: 13),
            ]
            try await together(
                village, programme,
                (0..<20).map { index in
                    {
                        _ = try await village.intake.book(
                            village.group(sessions[index / 10]), as: index % 2 == 0 ? .requested : .confirmed,
                            byStranger: index % 2 == 0, now: village.clock.now,
                            index % 2 == 0 ? Self.stranger : village.committee)
                    }
                })
            #expect(try await village.seats(sessions[0]) == [50, 50])
            #expect(try await village.seats(sessions[1]) == [50, 50])
            // The two that were held up, and eight at most together, those of strangers and of the desk apart.
            #expect(try await village.number("SELECT count(DISTINCT xmin::text) FROM tour_booking") <= 2 + 3 * 2)
            #expect(
                try await village.number(
                    """
                    SELECT count(*) FROM tour_booking b
                    JOIN event a ON a.subject = b.id::text AND a.kind = 'booking.' || b.state AND a.actor = b.actor
                        AND a.xmin = b.xmin
                    JOIN message m ON m.about = 'booking:' || b.id AND m.kind = b.state AND m.xmin = b.xmin
                    """) == 22)
        }
    }

    @Test func `one that can't be written keeps nobody else out`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let open = try await village.tourSession(programme)
            let closing = try await village.tourSession(programme, hour: 13)
            let refused = Mutex<[String?]>([])
            let take = { @Sendable in _ = try await village.book(village.group(open, headcount: 2)) }
            try await together(
                village, programme,
                [
                    take, take,
                    {
                        let refusal = try await refusal { try await village.book(village.group(closing)) }
                        refused.withLock { $0.append(refusal?.code) }
                    }, take,
                ],
                last: { try await village.close(session: closing) })
            #expect(refused.withLock { $0 } == ["session-closed"])
            #expect(try await village.seats(open) == [6, 0])
            #expect(try await village.seats(closing) == [0, 0])
        }
    }

    @Test func `a session that is locked for long holds up no other`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let locked = try await village.tourSession(programme)
            let other = try await village.tourSession(programme, hour: 13)
            let intake = BookingIntake(village.database, village: village.village.id, lockTimeout: 50)
            let book = { @Sendable (session: Int64) in
                _ = try await intake.book(
                    village.group(session), byStranger: true, now: village.clock.now, Self.stranger)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await village.owner.transaction { transaction in
                    _ = try await transaction.query("SELECT FROM tour_session WHERE id = \(locked) FOR UPDATE")
                    for _ in 1...2 { group.addTask { try await book(locked) } }
                    try await village.awaitWaiting(2)
                    try await book(other)
                }
                try await group.waitForAll()
            }
            #expect(try await village.seats(other) == [10, 0])
            #expect(try await village.seats(locked) == [20, 0])
        }
    }

    @Test func `seats of holds that have passed their time are found after a rush for the free ones`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme(holdMinutes: 60)
            let session = try await village.tourSession(programme, capacity: 30)
            try await village.book(village.group(session, headcount: 20))
            village.clock.advance(seconds: 3601)
            let take = { @Sendable in _ = try await village.book(village.group(session, headcount: 5)) }
            try await together(village, programme, Array(repeating: take, count: 6))
            #expect(try await village.seats(session) == [30, 0])
        }
    }

    @Test func `the last seats go to as many as have them, and one that would wait waits`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let session = try await village.tourSession(programme, capacity: 7)
            let codes = Mutex<[String]>([])
            let requests = (0..<6).map { index in
                { @Sendable in
                    let group = village.group(session, headcount: 2, waitlist: index == 0)
                    let refusal = try await refusal {
                        let booking = try await village.book(group)
                        codes.withLock { $0.append(booking.state.rawValue) }
                    }
                    if let refusal { codes.withLock { $0.append(refusal.code) } }
                }
            }
            try await together(village, programme, requests)
            let found = codes.withLock { $0.sorted() }
            let waiting = found.count { $0 == "waitlisted" }
            #expect(waiting <= 1)
            #expect(
                found
                    == (["requested", "requested", "requested"]
                        + Array(repeating: "sold-out", count: 3 - waiting)
                        + Array(repeating: "waitlisted", count: waiting)))
            #expect(try await village.seats(session) == [6, 0])
        }
    }

    @Test func `a request that comes twice among others is one booking, and has one answer`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let answers = Mutex<[String: Set<String>]>([:])
            // One of them has been answered before.
            _ = try await village.intake.book(
                village.group(session, headcount: 2), byStranger: true, now: village.clock.now, Self.stranger,
                once: Retry(key: "d", fingerprint: [1]), render: { _ in "before" })
            let requests = ["a", "b", "a", "c", "d"].map { key in
                { @Sendable in
                    let answer = try await village.intake.book(
                        village.group(session, headcount: 2), byStranger: true, now: village.clock.now, Self.stranger,
                        once: Retry(key: key, fingerprint: [1]), render: { $0.reference.text })
                    answers.withLock { _ = $0[key, default: []].insert(answer) }
                }
            }
            try await together(village, try await village.tourProgramme("挖红薯"), requests)
            #expect(answers.withLock { $0.mapValues(\.count) } == ["a": 1, "b": 1, "c": 1, "d": 1])
            #expect(answers.withLock { $0["d"] } == ["before"])
            #expect(try await village.seats(session) == [8, 0])
        }
    }
}
