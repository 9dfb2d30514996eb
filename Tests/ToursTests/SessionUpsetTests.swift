import Database
import Foundation
import Kernel
import Postgres
import Signing
import TestSupport
import Testing

@testable import Tours

/// A session that can't take place as it was planned, with all who booked it.
@Suite struct SessionUpsetTests {
    private func messages(_ village: TestVillage, _ kind: String) async throws -> [Int64] {
        try await village.owner.query(
            "SELECT (content ->> 'booking')::bigint AS booking FROM message WHERE kind = \(kind) ORDER BY 1"
        ).map { try $0.decode("booking") }
    }

    @Test func `a session is cancelled with its fifty heads in one step`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village, capacity: 50)
            let other = try await village.tourSession(ground.programme, capacity: 30, day: ground.day, hour: 14)
            let (paid, held) = (try await ground.book(20), try await ground.book(10, as: .held))
            let two = try await village.book(village.group(ground.session, other, headcount: 20), as: .confirmed)
            let waiting = try await village.book(village.group(ground.session, headcount: 20, waitlist: true))
            let elsewhere = try await village.book(village.group(other, headcount: 30, waitlist: true))
            #expect(waiting.state == .waitlisted && elsewhere.state == .waitlisted)
            try await ground.pay(paid, 2000)
            try await village.audited([
                """
                INSERT INTO tour_resource (village_id, name, kind) VALUES (\(village.village.id), '张导', 'guide')
                """,
                """
                INSERT INTO tour_session_resource (village_id, session_id, resource_id, during)
                SELECT s.village_id, s.id, r.id, tstzrange(s.starts_at, s.ends_at) FROM tour_session s, tour_resource r
                WHERE s.id = \(ground.session)
                """,
            ])
            // So late that the groups would pay for it.
            village.clock.set(ground.day, hour: 7)
            try await village.sweep()
            let alone = try await refusal {
                try await village.change(SessionStore.step(.cancel, ground.session, now: village.clock.now))
            }
            #expect(alone?.code == "seats-taken" && alone?.message.en.contains("--with-bookings") == true)
            let upset = try await village.change(
                SessionStore.cancelWithBookings(ground.session, reason: "台风", now: village.clock.now))
            #expect(upset.session.state == .cancelled && upset.session.held + upset.session.booked == 0)
            #expect(upset.session.resources.isEmpty)
            // The hold had run out before.
            #expect(try await ground.booking(held).state == .expired)
            let ids = [try await ground.booking(paid).id, waiting.id]
            #expect(upset.bookings.map(\.id) == [ids[0], two.id, ids[1]])
            for id in ids {
                let booking = try await ground.booking(.number(id.value))
                #expect(booking.state == .cancelled && booking.kept == .zero)
            }
            #expect(try await ground.booking(paid).refundDue.fen == 200_000)
            #expect(try await ground.listed(.due) == [ids[0].value])
            #expect(try await messages(village, "cancelled") == ids.map(\.value))
            // Who has booked another session too keeps that, and nobody is promoted into what is cancelled.
            let rest = try await village.booking(two)
            #expect(rest.state == .confirmed && rest.lines.map(\.session) == [other])
            #expect(try await messages(village, "changed") == [two.id.value])
            #expect(try await village.booking(elsewhere).state == .waitlisted)
            #expect(try await village.seats(ground.session) == [0, 0])
            #expect(try await village.seats(other) == [0, 20])
            #expect(try await village.number("SELECT count(*) FROM tour_session_resource") == 0)
            #expect(
                try await village.number(
                    "SELECT count(*) FROM event WHERE kind = 'booking.cancelled' AND figures ->> 'by' = 'village'") == 2
            )
            #expect(try await ground.income() == [:])
            let again = try await refusal {
                try await village.change(
                    SessionStore.cancelWithBookings(ground.session, reason: "台风", now: village.clock.now))
            }
            #expect(again?.code == "wrong-session-state")
        }
    }

    @Test func `of several sessions the others stay, with their price, and what was paid beyond it is to go back`()
        async throws
    {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let other = try await village.tourSession(ground.programme, capacity: 30, day: ground.day, hour: 14)
            let meals = { (session: Int64) in
                WantedExtra(extra: ground.programme.meal, quantity: 20, session: session)
            }
            // 4,000 yuan for two sessions and 600 for a meal in each of them.
            let two = try await village.book(
                village.group(ground.session, other, headcount: 20, extras: [meals(ground.session)]), as: .confirmed)
            let key = BookingKey.number(two.id.value)
            try await ground.pay(key, 3000)
            let third = try await village.tourSession(ground.programme, capacity: 20, day: ground.day, hour: 17)
            try await village.book(village.group(third, headcount: 20), as: .confirmed)
            let waiting = try await village.book(
                village.group(ground.session, third, headcount: 10, waitlist: true))
            #expect(waiting.state == .waitlisted)
            village.clock.set(ground.day, hour: 7)
            try await village.change(
                SessionStore.cancelWithBookings(ground.session, reason: "台风", now: village.clock.now))
            let rest = try await ground.booking(key)
            #expect(rest.fee.fen == 200_000 && rest.extras.isEmpty && rest.lines.map(\.session) == [other])
            #expect(rest.refundDue.fen == 100_000 && rest.money == .due)
            #expect(try await village.booking(waiting).lines.map(\.session) == [third])
            let told = try await village.owner.query(
                "SELECT content::text AS content FROM message WHERE kind = 'changed' AND about = \("booking:\(two.id)")"
            )
            let content = try BookingMessage(try #require(told.first).decode("content"))
            #expect(content.upset == "dropped" && content.reason == "台风")
            let text = BookingMessageText(
                .changed, content, language: .chinese, brand: "津小韩", origin: try Origin("x.cn"), today: ground.day
            ).text.body
            #expect(text.contains("（台风）") && text.contains("应退 1000.00 元") && text.contains("不收费用"))
            try await village.change(PaymentStore.refund(key, how: "微信", now: village.clock.now))
            // So late it would cost 30 per cent.
            let cancelled = try await village.change(BookingStore.cancel(key, now: village.clock.now))
            #expect(cancelled.kept == .zero && cancelled.refundDue.fen == 300_000)
            #expect(try await ground.income() == [:])
        }
    }

    @Test func `whom the village moved cancels for nothing, until the new time is accepted`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let (silent, paid, late, held) = (
                try await ground.book(10), try await ground.book(10), try await ground.book(10),
                try await ground.book(10, as: .held)
            )
            try await ground.pay(silent, 400)
            try await village.change(
                SessionStore.move(ground.session, time: TimeOfDay(minute: 600), reason: "台风", now: village.clock.now))
            let content = try BookingMessage(
                try #require(
                    try await village.owner.query(
                        "SELECT content::text AS content FROM message WHERE kind = 'changed' ORDER BY id"
                    ).first
                ).decode("content"))
            #expect(content.upset == "moved" && content.reason == "台风")
            try await ground.pay(paid, 1000)
            try await village.change(BookingStore.confirm(held, now: village.clock.now))
            village.clock.set(ground.day, hour: 7)
            for (key, kept, due) in [
                (silent, Int64(0), Int64(40_000)), (paid, 30_000, 70_000), (late, 0, 0), (held, 30_000, 0),
            ] {
                let booking = try await ground.booking(key)
                #expect(BookingRules.keptIfCancelled(booking, now: village.clock.now).fen == kept)
                let cancelled = try await village.change(BookingStore.cancel(key, now: village.clock.now))
                #expect(cancelled.kept.fen == kept && cancelled.refundDue.fen == due)
            }
        }
    }

    /// A group of twenty with a session on each of two days, a meal on the second, all paid: at the first of them.
    private func atTheFirst(_ village: TestVillage) async throws -> (
        ground: MoneyGround, key: BookingKey, second: Int64
    ) {
        let ground = try await MoneyGround(village)
        let second = try await village.tourSession(ground.programme, capacity: 30, day: ground.day.adding(days: 1))
        let meal = WantedExtra(extra: ground.programme.meal, quantity: 20, session: second)
        let two = try await village.book(
            village.group(ground.session, second, headcount: 20, extras: [meal]), as: .confirmed)
        let key = BookingKey.number(two.id.value)
        try await ground.pay(key, 4600)
        village.clock.set(ground.day, hour: 9)
        let entry = CheckInEntry(
            code: two.reference.text, headcount: 20, nonce: CheckInEntry.freshNonce(), at: village.clock.now)
        _ = try await CheckInStore(village.database, keys: village.keys).record(
            entry, now: village.clock.now, village.committee)
        #expect(try await ground.income() == [ground.day: 2000, ground.day.adding(days: 1): 2600])
        return (ground, key, second)
    }

    private func told(_ village: TestVillage, _ ground: MoneyGround) async throws -> String {
        let rows = try await village.owner.query(
            "SELECT content::text AS content, until FROM message WHERE kind = 'changed' ORDER BY id DESC LIMIT 1")
        let row = try #require(rows.first)
        // The day of what is left of the booking may be over.
        #expect(try row.decode("until", as: Date?.self) == nil)
        return BookingMessageText(
            .changed, try BookingMessage(row.decode("content")), language: .chinese, brand: "津小韩",
            origin: try Origin("x.cn"),
            today: ground.day
        ).text.body
    }

    @Test func `a group that has been to its first session pays for that alone when the second is cancelled`()
        async throws
    {
        try await withVillage { village in
            let (ground, key, second) = try await atTheFirst(village)
            village.clock.set(ground.day.adding(days: 1), hour: 7)
            let now = village.clock.now
            let visited = SessionStore.cancelWithBookings(ground.session, reason: "台风", now: now)
            #expect(try await refusal { try await village.change(visited) }?.code == "session-visited")
            let upset = try await village.change(SessionStore.cancelWithBookings(second, reason: "台风", now: now))
            #expect(upset.session.state == .cancelled && upset.bookings.map(\.state) == [.arrived])
            let rest = try await ground.booking(key)
            #expect(rest.state == .arrived && rest.lines.map(\.arrived) == [20] && !rest.isUpset)
            #expect(rest.fee.fen == 200_000 && rest.refundOpen.fen == 260_000 && rest.money == .due)
            #expect(try await ground.income() == [ground.day: 2000])
            #expect(try await village.seats(second) == [0, 0])
            let text = try await told(village, ground)
            #expect(text.contains("（台风）") && text.contains("应退 2600.00 元") && text.contains("不收这一场的费用"))
            #expect(!text.contains("可以取消"))
            try await village.change(PaymentStore.refund(key, how: "微信", now: now))
            try await village.change(BookingStore.complete(key, now: now))
            #expect(try await ground.booking(key).money == .settled)
            #expect(try await ground.income() == [ground.day: 2000])
            #expect(try await village.number("SELECT sum(people) FROM tour_visit") == 20)
        }
    }

    @Test func `a group that has been to its first session comes to the second when that has been moved`() async throws
    {
        try await withVillage { village in
            let (ground, key, second) = try await atTheFirst(village)
            let later = ground.day.adding(days: 3)
            try await village.change(SessionStore.move(second, day: later, now: village.clock.now))
            #expect(try await ground.booking(key).state == .arrived)
            #expect(try await ground.income() == [ground.day: 2000, later: 2600])
            #expect(try await told(village, ground).contains("请与我们联系"))
            village.clock.set(later, hour: 12)
            try await village.change(BookingStore.complete(key, arrived: 20, now: village.clock.now))
            #expect(try await village.number("SELECT sum(people) FROM tour_visit") == 40)
        }
    }

    @Test func `what a group that has been to one session was granted is no more than that costs`() async throws {
        try await withVillage { village in
            let (ground, key, second) = try await atTheFirst(village)
            try await ground.adjust(key, -2500)
            let cancel = SessionStore.cancelWithBookings(second, reason: "台风", now: village.clock.now)
            let refused = try await refusal { try await village.change(cancel) }
            #expect(refused?.code == "adjusted-below-zero" && refused?.message.zh.contains("booking adjust") == true)
            try await ground.adjust(key, 1000)
            try await village.change(cancel)
            #expect(try await ground.booking(key).charge.fen == 50_000)
            #expect(try await ground.booking(key).refundOpen.fen == 410_000)
        }
    }

    @Test func `a session that somebody has come to stays`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let (key, other) = (try await ground.book(), try await ground.book())
            ground.arrive()
            try await ground.complete(key, 30)
            for plan in [
                SessionStore.cancelWithBookings(ground.session, reason: "台风", now: village.clock.now),
                SessionStore.move(ground.session, day: ground.day.adding(days: 1), now: village.clock.now),
            ] {
                #expect(try await refusal { try await village.change(plan) }?.code == "session-visited")
            }
            #expect(try await ground.booking(other).state == .confirmed)
        }
    }

    @Test func `a session moves with its bookings, their terms and what it has`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let session = try await ground.session(resources: ["张导"])
            let day = village.today.adding(days: 1)
            let booking = try await village.book(village.group(session), as: .confirmed)
            let hold = try await village.book(village.group(session, unit: "实验小学"))
            let busy = try await ground.session(site: TourGround.orchard, day: day, time: 14 * 60, resources: ["张导"])
            let refusals: [(CivilDay?, Int?, String)] = [
                (nil, nil, "not-moved"), (nil, 13 * 60, "resource-in-two-places"), (nil, 14 * 60, "session-exists"),
                (nil, 7 * 60, "outside-opening-hours"), (village.today.adding(days: -1), nil, "session-in-past"),
            ]
            for (to, minute, code) in refusals {
                let refused = try await refusal {
                    try await village.change(
                        SessionStore.move(
                            session, day: to, time: minute.map { TimeOfDay(minute: $0) }, now: village.clock.now))
                }
                #expect(refused?.code == code)
            }
            let later = day.adding(days: 2)
            let moved = try await village.change(
                SessionStore.move(
                    session, day: later, time: TimeOfDay(minute: 600), reason: "台风", now: village.clock.now))
            #expect(moved.session.day == later && moved.session.resources == ["张导"])
            #expect(moved.bookings.map(\.id) == [booking.id, hold.id])
            let shown = try await ground.show(session)
            #expect(shown == moved.session)
            let stands = try await village.booking(booking)
            #expect(stands.lines.map(\.day) == [later] && stands.version == booking.version + 1)
            #expect(stands.lines.map(\.terms) == booking.lines.map(\.terms) && stands.fee == booking.fee)
            #expect(try await village.booking(hold).holdUntil == hold.holdUntil)
            #expect(try await messages(village, "changed") == [booking.id.value, hold.id.value])
            #expect(try await village.seats(session) == [10, 10])
            // Earlier than the hold ends: it ends with the start.
            let early = try await village.change(
                SessionStore.move(session, day: day, time: TimeOfDay(minute: 480), now: village.clock.now))
            #expect(early.bookings.allSatisfy { ($0.holdUntil ?? .distantPast) <= early.session.startsAt })
            #expect(try await ground.show(busy).version == 1)
        }
    }

    @Test func `a session is cancelled while others book, pay and cancel`() async throws {
        try await withVillage(poolSize: 16) { village in
            let ground = try await MoneyGround(village, capacity: 400)
            var keys: [BookingKey] = []
            for _ in 0..<12 { keys.append(try await ground.book(5)) }
            let all = keys
            let known: Set<String?> = [
                nil, "session-closed", "booking-changed", "step-not-allowed", "more-than-fee", "sold-out",
                "seats-taken",
            ]
            try await withThrowingTaskGroup(of: String?.self) { group in
                for key in all {
                    group.addTask {
                        try await refusal { try await ground.pay(key, 500) }?.code
                    }
                    group.addTask {
                        try await refusal { try await village.book(village.group(ground.session, headcount: 3)) }?.code
                    }
                }
                for key in all.prefix(3) {
                    group.addTask {
                        try await refusal {
                            try await village.change(BookingStore.cancel(key, now: village.clock.now))
                        }?.code
                    }
                }
                group.addTask {
                    for _ in 0..<20 {
                        let refused = try await refusal {
                            try await village.change(
                                SessionStore.cancelWithBookings(ground.session, reason: "台风", now: village.clock.now))
                        }?.code
                        if refused == nil { return nil }
                        #expect(known.contains(refused))
                    }
                    return "never"
                }
                for try await code in group { #expect(known.contains(code), "\(code ?? "")") }
            }
            #expect(try await village.seats(ground.session) == [0, 0])
            let open = try await village.number(
                """
                SELECT count(*) FROM tour_booking WHERE state <> 'cancelled' OR kept_fen > 0 OR refund_due_fen <> paid_fen
                """)
            #expect(open == 0)
            #expect(
                try await messages(village, "cancelled").count
                    == Int(try await village.number("SELECT count(*) FROM tour_booking")))
        }
    }
}
