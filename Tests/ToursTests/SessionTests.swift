import Database
import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Tours

/// The clock stands at 10:00 on Thursday, 2026-01-15.
@Suite struct SessionTests {
    @Test func `a session has the programme's length and all its seats free`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let id = try await ground.session(resources: ["张导"])
            let session = try await ground.show(id)
            #expect(session.day == village.today.adding(days: 1))
            #expect(session.time.description == "09:00")
            #expect(session.endsAt.timeIntervalSince(session.startsAt) == 7200)
            #expect(session.capacity == 30 && session.free == 30)
            #expect(session.held == 0 && session.booked == 0)
            #expect(session.resources == ["张导"])
            #expect(session.state == .open)
            #expect(try await refusal { try await ground.show(id + 1) }?.kind == .notFound)
        }
    }

    @Test(arguments: [
        (0, 9 * 60, "session-in-past", "day"), (-1, 14 * 60, "session-in-past", "day"),
        (1, 7 * 60, "outside-opening-hours", "time"), (1, 16 * 60 + 1, "outside-opening-hours", "time"),
    ])
    func `a session outside the time that there is for it is refused`(
        offset: Int, time: Int, code: String, field: String
    ) async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let plan = try ground.plan(day: village.today.adding(days: offset), time: time)
            let refused = try await refusal { try await village.change(plan) }
            #expect(refused?.code == code && refused?.field == field)
            #expect(try await village.number("SELECT count(*) FROM tour_session") == 0)
            // The edges of both are good.
            try await village.change(try ground.plan(day: village.today, time: 10 * 60 + 1))
            try await village.change(try ground.plan(time: 8 * 60))
            try await village.change(try ground.plan(time: 16 * 60))
        }
    }

    @Test func `a session on a closed day or weekday is refused`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let monday = try CivilDay("2026-01-19")
            let weekday = try await refusal {
                try await village.change(ground.plan(site: TourGround.base, day: monday))
            }
            #expect(weekday?.code == "closed-weekday")
            #expect(weekday?.message.zh.contains("星期一") == true)
            try await village.change(
                SiteStore.closeDay(TourGround.orchard, day: monday, reason: "修剪", today: village.today))
            let closed = try await refusal { try await village.change(ground.plan(day: monday)) }
            #expect(closed?.code == "closed-day")
            #expect(closed?.message.zh.contains("修剪") == true)
        }
    }

    @Test(arguments: ["site", "programme", "resource", "capacity", "until", "weekdays"])
    func `what a session names has to be there`(field: String) async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let plan =
                switch field {
                case "site": try ground.plan(site: "桃园")
                case "programme": try ground.plan(programme: "采摘")
                case "resource": try ground.plan(resources: ["张导", "王导"])
                case "capacity": try ground.plan(capacity: 0)
                case "until": try ground.plan(until: village.today)
                default: try ground.plan(until: village.today.adding(days: 1), weekdays: [1])
                }
            let refused = try await refusal { try await village.change(plan) }
            #expect(refused?.field == field)
            #expect(refused?.kind == (["site", "programme", "resource"].contains(field) ? .notFound : .invalid))
        }
    }

    @Test func `a repetition leaves out the days that have an obstacle, and names them`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let day: @Sendable (Int) throws -> CivilDay = { try CivilDay("2026-01-\($0)") }
            try await village.change(
                SiteStore.closeDay(TourGround.base, day: day(24), reason: "年会", today: village.today))
            _ = try await ground.session(site: TourGround.base, day: day(23))
            let planned = try await village.change(
                try ground.plan(site: TourGround.base, day: day(15), until: day(26), weekdays: [1, 4, 5, 6]))
            #expect(planned.sessions.map(\.day) == (try [day(16), day(17), day(22)]))
            #expect(planned.leftOut.map(\.day) == (try [day(15), day(19), day(23), day(24), day(26)]))
            let reasons = planned.leftOut.map(\.reason.zh)
            for (reason, word) in zip(reasons, ["过去", "星期一", "已有", "年会", "星期一"]) {
                #expect(reason.contains(word))
            }
            let listed = try await SessionStore(village.database).list(
                from: day(15), to: day(31), site: TourGround.base, village.committee)
            #expect(listed.map(\.day) == (try [day(16), day(17), day(22), day(23)]))
            #expect(Set(listed.map(\.id)).count == 4)
            let nothing = try await refusal {
                try await village.change(
                    ground.plan(site: TourGround.base, day: day(24), until: day(24)))
            }
            #expect(nothing?.code == "no-day-left" && nothing?.message.zh.contains("年会") == true)
        }
    }

    @Test func `the same session is not planned twice`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let id = try await ground.session()
            let twice = try await refusal { try await ground.session() }
            #expect(twice?.code == "session-exists" && twice?.message.en.contains("\(id)") == true)
            // Of two at the same moment one is told too.
            let plan = try ground.plan(time: 14 * 60)
            async let one = refusal { try await village.change(plan) }
            async let two = refusal { try await village.change(plan) }
            #expect(Set(try await [one?.code, two?.code]) == [nil, "session-exists"])
        }
    }

    @Test func `nobody is in two places at once`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let first = try await ground.session(resources: ["张导", "李导"])
            for (time, isFree) in [(8 * 60, false), (10 * 60 + 59, false), (11 * 60, true)] {
                let refused = try await refusal {
                    try await ground.session(site: TourGround.base, time: time, resources: ["张导"])
                }
                #expect(refused?.code == (isFree ? nil : "resource-in-two-places"))
                if let refused {
                    #expect(refused.message.zh.contains("张导") && refused.message.zh.contains("\(first)"))
                }
            }
            let repeated = try await refusal {
                try await village.change(
                    ground.plan(
                        site: TourGround.base, day: village.today.adding(days: 1), time: 600, resources: ["李导"],
                        until: village.today.adding(days: 3)))
            }
            #expect(repeated?.message.zh.contains("李导") == true)
            #expect(try await village.number("SELECT count(*) FROM tour_session") == 2)
        }
    }

    @Test func `of two sessions that want one guide at once, one gets it`() async throws {
        try await withVillage(poolSize: 8) { village in
            let ground = try await TourGround(village)
            for offset in 1...8 {
                let day = try CivilDay("2026-01-20").adding(days: offset)
                guard day.weekday != 1 else { continue }
                let here = try ground.plan(day: day, resources: ["张导"])
                let there = try ground.plan(site: TourGround.base, day: day, time: 600, resources: ["张导"])
                async let one = refusal { try await village.change(here) }
                async let two = refusal { try await village.change(there) }
                let refusals = try await [one, two].compactMap(\.self)
                #expect(refusals.map(\.code) == ["resource-in-two-places"])
                #expect(refusals.first?.message.zh.contains("张导") == true)
            }
        }
    }

    @Test func `resources of a session are replaced, and those of a cancelled one are free`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let first = try await ground.session(resources: ["张导"])
            let changed = try await village.change(
                SessionStore.change(first, capacity: nil, resources: ["李导", "张导", "李导"], now: village.clock.now))
            #expect(changed.resources.sorted() == ["张导", "李导"].sorted())
            #expect(try await ground.show(first).resources.sorted() == changed.resources.sorted())
            let other = try await ground.session(site: TourGround.base)
            let busy = try await refusal {
                try await village.change(
                    SessionStore.change(other, capacity: nil, resources: ["李导"], now: village.clock.now))
            }
            #expect(busy?.code == "resource-in-two-places")
            try await village.change(SessionStore.step(.cancel, first, now: village.clock.now))
            #expect(try await ground.show(first).resources.isEmpty)
            try await village.change(
                SessionStore.change(other, capacity: nil, resources: ["李导"], now: village.clock.now))
            #expect(try await ground.show(other).resources == ["李导"])
            let none = try await village.change(
                SessionStore.change(other, capacity: 10, resources: [], now: village.clock.now))
            #expect(none.resources.isEmpty && none.capacity == 10)
        }
    }

    @Test func `the capacity is never below what is taken`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let id = try await ground.session()
            try await ground.occupy(id, held: 5, booked: 12)
            let less = try await refusal {
                try await village.change(SessionStore.change(id, capacity: 16, resources: nil, now: village.clock.now))
            }
            #expect(less?.code == "capacity-below-taken" && less?.message.en.contains("17") == true)
            #expect(
                try await village.change(SessionStore.change(id, capacity: 17, resources: nil, now: village.clock.now))
                    .free == 0)
            let stale = try await refusal {
                try await village.change(
                    SessionStore.change(id, capacity: 40, resources: nil, now: village.clock.now) {
                        if $0 != 1 { throw Refusal.changedMeanwhile }
                    })
            }
            #expect(stale == .changedMeanwhile)
            #expect(try await ground.show(id).capacity == 17)
        }
    }

    @Test func `a closed session takes nobody more and keeps who is there`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let id = try await ground.session()
            try await ground.occupy(id, held: 5, booked: 12)
            let closed = try await village.change(SessionStore.step(.close, id, now: village.clock.now))
            #expect(closed.state == .closed && closed.free == 0 && closed.held == 5 && closed.booked == 12)
            let error = try await postgresError { try await ground.occupy(id, held: 6, booked: 12) }
            #expect(error?.constraint == "tour_session_closed_takes_none")
            // A hold that is confirmed adds nothing.
            try await ground.occupy(id, held: 0, booked: 17)
            let again = try await refusal {
                try await village.change(SessionStore.step(.close, id, now: village.clock.now))
            }
            #expect(again?.code == "wrong-session-state")
            try await village.change(SessionStore.step(.reopen, id, now: village.clock.now))
            try await ground.occupy(id, held: 6, booked: 17)
            #expect(try await ground.show(id).free == 7)
        }
    }

    @Test func `a session is cancelled only when no seats are taken`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let id = try await ground.session(resources: ["张导"])
            try await ground.occupy(id, held: 1, booked: 2)
            let refused = try await refusal {
                try await village.change(SessionStore.step(.cancel, id, now: village.clock.now))
            }
            #expect(refused?.code == "seats-taken" && refused?.message.en.contains("3 seats") == true)
            #expect(try await ground.show(id).resources == ["张导"])
            try await ground.occupy(id, held: 0, booked: 0)
            let cancelled = try await village.change(SessionStore.step(.cancel, id, now: village.clock.now))
            #expect(cancelled.state == .cancelled)
            let change = try await refusal {
                try await village.change(SessionStore.change(id, capacity: 5, resources: nil, now: village.clock.now))
            }
            #expect(change?.code == "wrong-session-state")
            #expect(try await village.change(SessionStore.step(.reopen, id, now: village.clock.now)).state == .open)
            village.clock.set(village.today.adding(days: 2))
            try await village.change(SessionStore.step(.cancel, id, now: village.clock.now))
            // What was cancelled by mistake can be put right after its day; it is offered to nobody.
            #expect(try await village.change(SessionStore.step(.reopen, id, now: village.clock.now)).state == .open)
            for state in [BookingState.requested, .confirmed] {
                let late = try await refusal { try await village.book(village.group(id, headcount: 2), as: state) }
                #expect(late?.code == "session-over")
            }
        }
    }

    @Test func `anyone sees the open sessions to come, page by page`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            try await village.change(
                ProgrammeStore.addExtra(
                    TourExtra(kind: .meal, name: "农家午餐", price: Money(fen: 3500)), to: TourGround.programme))
            let last = village.today.adding(days: 4)
            try await village.change(try ground.plan(day: village.today, time: 14 * 60, until: last))
            try await village.change(try ground.plan(site: TourGround.base, time: 14 * 60))
            let ids = try await SessionStore(village.database).list(from: village.today, to: last, village.committee)
                .map(\.id.value)
            #expect(ids.count == 6)
            try await ground.occupy(ids[1], held: 20, booked: 10)
            try await village.change(SessionStore.step(.close, ids[3], now: village.clock.now))
            try await village.change(SessionStore.step(.cancel, ids[4], now: village.clock.now))
            let store = SessionStore(village.database)
            func open(seats: Int = 0, after: SessionPlace = .beginning, limit: Int = 50) async throws -> [OpenSession] {
                try await store.open(
                    from: village.today, to: last, now: village.clock.now, seats: seats, after: after, limit: limit,
                    village: village.village.id)
            }
            let all = try await open()
            #expect(all.map(\.id) == [ids[0], ids[1], ids[2], ids[5]])
            #expect(all.map(\.free) == [30, 0, 30, 30])
            #expect(all[0].extras.map(\.name) == ["农家午餐"] && all[0].extras[0].id != nil)
            #expect(all[0].programme.price == Money(fen: 6800) && all[0].siteKind == .orchard)
            #expect(try await open(seats: 1).map(\.id) == [ids[0], ids[2], ids[5]])
            var found: [Int64] = []
            var place = SessionPlace.beginning
            while let next = try await open(after: place, limit: 1).first {
                found.append(next.id)
                place = try #require(SessionPlace(next.place.description))
            }
            #expect(found == all.map(\.id))
            village.clock.set(village.today, hour: 14)
            #expect(try await open().map(\.id) == [ids[1], ids[2], ids[5]])
            let reversed = try await refusal {
                try await store.list(from: last, to: village.today, village.committee)
            }
            #expect(reversed?.code == "period-reversed")
        }
    }

    @Test(arguments: ["", "1", "1.", ".1", "a.b", "-1.5", "1.2.3", "99999999999.1", "1.99999999999999999999"])
    func `what is no place in the list is none`(text: String) {
        #expect(SessionPlace(text) == nil)
    }
}
