import Database
import Foundation
import Kernel
import Postgres
import Synchronization
import TestSupport
import Testing
import Tours

/// Bookings while the server dies under them; on a server of their own.
@Suite struct BookingFaultTests {
    private final class Log: Sendable {
        let told = Mutex<[Booking]>([])
        let unavailable = Atomic(0)
        /// How often the server has been killed, or is about to be.
        let crashes = Atomic(0)

        var heads: Int { told.withLock { $0.reduce(0) { $0 + $1.headcount } } }
    }

    @Test func `five hundred clients fight for the last forty seats while the database is killed twice`() async throws {
        let template = try await Template(on: TestServer.start())
        try await withVillage(on: template, poolSize: 32) { village in
            let programme = try await village.tourProgramme(groups: 1...60)
            let session = try await village.tourSession(programme, capacity: 100)
            try await village.book(village.group(session, headcount: 60), as: .confirmed)
            let log = Log()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<500 {
                    group.addTask {
                        // A first few, then all the others, so that the crashes find the fight under way.
                        if client >= 12 {
                            try await awaitCondition("a crash") {
                                log.crashes.load(ordering: .acquiring) >= (client < 30 ? 1 : 2)
                            }
                        }
                        while true {
                            do {
                                let booking = try await village.book(village.group(session, headcount: 1))
                                log.told.withLock { $0.append(booking) }
                                return
                            } catch let refusal as Refusal where refusal.kind == .unavailable {
                                log.unavailable.add(1, ordering: .relaxed)
                                try await Task.sleep(for: .milliseconds(Int.random(in: 1...40)))
                            } catch let refusal as Refusal {
                                #expect(refusal.code == "sold-out")
                                return
                            }
                        }
                    }
                }
                group.addTask {
                    for crash in 1...2 {
                        try await awaitCondition("seats taken") { log.heads >= crash * 5 }
                        log.crashes.store(crash, ordering: .releasing)
                        try await template.server.crash()
                    }
                }
                try await group.waitForAll()
            }
            #expect(log.unavailable.load(ordering: .acquiring) > 0, "no client met a crash")
            let told = log.told.withLock { $0 }
            #expect(Set(told.map(\.id)).count == told.count)
            let ids = told.map(\.id.value)
            let found = try await village.number(
                "SELECT count(*) FROM tour_booking WHERE state = 'requested' AND id = ANY(\(ids)::bigint[])")
            #expect(found == Int64(told.count), "somebody holds a booking that does not exist")
            // What was committed without its client hearing of it took seats too: no seat is lost, none sold twice.
            #expect(try await village.seats(session) == [40, 60])
            #expect(told.count <= 40)
        }
    }

    @Test func `expired holds are given back after a crash`() async throws {
        let template = try await Template(on: TestServer.start())
        try await withVillage(on: template) { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session))
            village.clock.advance(seconds: 7200)
            try await template.server.crash()
            try await awaitCondition("a sweep") { (try? await village.sweep()) != nil }
            #expect(try await village.booking(booking).state == .expired)
            #expect(try await village.seats(session) == [0, 0])
        }
    }
}
