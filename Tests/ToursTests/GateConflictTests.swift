import Database
import Foundation
import Kernel
import Postgres
import Signing
import Synchronization
import TestSupport
import Testing

@testable import Tours

/// What a gate saw and the books contradict: it is kept, and counts when the desk has settled it.
@Suite struct GateConflictTests {
    @Test func `who was let in offline and cancelled meanwhile is kept, and is income once the desk says so`()
        async throws
    {
        try await withVillage { village in
            let gate = Gate(village: village)
            let session = try await village.addSession()
            let booking = try await village.addBooking([session], headcount: 30)
            let offline = try OfflineGate(try await gate.list())
            let seen = try offline.admit(gate.entry(booking, 28), journal: []).entry
            try await village.change(
                BookingStore.cancel(.number(booking.number), reason: "误会", now: village.clock.now))
            #expect(try await village.seats(session) == [0, 0])
            let answer = try #require(try await gate.bringIn(seen).first?.answer)
            #expect(answer.outcome == .conflict && answer.why == .cancelled && answer.number == 1)
            let again = try await gate.bringIn(seen)
            #expect(again.map(\.word) == ["repeated"] && again.map(\.isSettled) == [false])
            #expect(try await village.tourIncome() == 0)
            let sheet = try await DaySheetStore(village.database).sheet(day: village.today, village.committee)
            #expect(sheet.conflicts.map(\.booking) == [booking.number])
            let settled = try await gate.settle(1, accept: true)
            #expect(settled.state == .arrived && settled.settlement?.reason == "问过带队人")
            #expect(try await gate.bringIn(seen).map(\.isSettled) == [true])
            let shown = try await gate.show(booking)
            #expect(shown.booking.arrived == 28 && shown.booking.kept.fen == 0)
            #expect(shown.events.map(\.what) == ["cancelled", "gate_conflict", "gate_settled"])
            #expect(try await village.seats(session) == [0, 30])
            #expect(try await village.tourIncome() == 150_000)
            #expect(try await gate.conflicts().isEmpty)
            #expect(try await gate.conflicts(all: true).count == 1)
            #expect(try await gate.refused { try await gate.settle(1, accept: false) } == "settled-already")
            #expect(try await gate.refused { try await gate.settle(9, accept: true) } == "unknown-conflict")
            // That was a mistake, too: the booking is cancelled as it was, and its seats are free.
            #expect(try await gate.undo(booking).state == .cancelled)
            #expect(try await village.seats(session) == [0, 0])
            #expect(try await village.tourIncome() == 0)
        }
    }

    @Test func `a group whose seats have gone to others is accepted when there is room for it`() async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let session = try await village.addSession(capacity: 30)
            let booking = try await village.addBooking([session], headcount: 30)
            let seen = gate.entry(booking, 30, session: session)
            try await village.change(BookingStore.cancel(.number(booking.number), now: village.clock.now))
            _ = try await village.addBooking([session], headcount: 20)
            _ = try await gate.bringIn(seen)
            let full = try await refusal { try await gate.settle(1, accept: true) }
            #expect(full?.code == "sold-out" && full?.message.en.contains("capacity") == true)
            try await village.change(
                SessionStore.change(session, capacity: 50, resources: nil, now: village.clock.now))
            #expect(try await gate.settle(1, accept: true).state == .arrived)
            #expect(try await village.seats(session) == [0, 50])
        }
    }

    @Test func `who was let in to a session that the booking has left is kept`() async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let tour = try await village.tourProgramme()
            let morning = try await village.tourSession(tour, day: village.today, hour: 9)
            let evening = try await village.tourSession(tour, day: village.today, hour: 19)
            let booked = try await village.book(village.group(morning), as: .confirmed)
            let booking = TestBooking(booked)
            let seen = try OfflineGate(try await gate.list()).admit(gate.entry(booking, 10), journal: []).entry
            var move = BookingChange()
            move.sessions = [evening]
            try await village.change(BookingStore.change(.number(booking.number), move, now: village.clock.now))
            #expect(try await gate.bringIn(seen).map(\.word) == ["conflict"])
            let kept = try #require(try await gate.conflicts().first)
            #expect(kept.why == .moved && kept.session == morning)
            let elsewhere = try await refusal { try await gate.settle(kept.id, accept: true) }
            #expect(elsewhere?.code == "not-its-session" && elsewhere?.message.zh.contains("booking move") == true)
            // Moved back, they count where they came, although that is over.
            village.clock.set(village.today.adding(days: 1), hour: 10)
            move.sessions = [morning]
            try await village.change(BookingStore.change(.number(booking.number), move, now: village.clock.now))
            #expect(try await gate.settle(kept.id, accept: true).state == .arrived)
            #expect(try await gate.booking(booking).lines.map(\.arrived) == [10])
        }
    }

    @Test func `of two gates the earlier scan counts, whichever comes home first`() async throws {
        for order in [[0, 1], [1, 0]] {
            try await withVillage { village in
                let gate = Gate(village: village)
                let booking = try await village.addBooking([try await village.addSession()], headcount: 30)
                let list = try await gate.list()
                var seen: [CheckInEntry] = []
                for heads in [30, 29] {
                    seen.append(try OfflineGate(list).admit(gate.entry(booking, heads), journal: []).entry)
                    village.clock.advance(seconds: 60)
                }
                let words = [
                    try await gate.bringIn(seen[order[0]]).map(\.word),
                    try await gate.bringIn(seen[order[1]]).map(\.word),
                ]
                #expect(words == (order[0] == 0 ? [["counted"], ["twice"]] : [["counted"], ["counted"]]))
                let shown = try await gate.show(booking)
                #expect(shown.booking.arrived == 30)
                #expect(shown.checkIns.filter(\.counts).map(\.nonce) == [seen[0].nonce])
                #expect(shown.conflicts.map(\.headcount) == [29] && shown.conflicts.map(\.why) == [.twice])
                #expect(try await gate.bringIn(seen[0], seen[1]).map(\.word) == ["repeated", "repeated"])
                // They were more people after all.
                try await gate.settle(shown.conflicts[0].id, accept: true)
                #expect(try await gate.booking(booking).arrived == 59)
            }
        }
    }

    /// Two gates that know nothing of each other scan one ticket, each letting its group in in parts.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `the same scans of two gates count in whatever order they come home`(seed: UInt64) async throws {
        let outcomes = Mutex<[[String]]>([])
        for order in 0..<4 {
            try await withVillage { village in
                let gate = Gate(village: village)
                let booking = try await village.addBooking([try await village.addSession()], headcount: 30)
                village.clock.set(village.today, hour: 9)
                let offline = try OfflineGate(try await gate.list())
                var dice = Dice(seed)
                var journals: [[CheckInEntry]] = [[], []]
                for scan in 0..<8 {
                    village.clock.advance(seconds: 60)
                    let which = scan < 2 ? scan : Int.random(in: 0..<2, using: &dice)
                    let seen = gate.entry(
                        booking, .random(in: 1...15, using: &dice), nonce: "gate-\(which)-scan-\(scan)",
                        more: Int.random(in: 0..<5, using: &dice) == 0)
                    if let admitted = try? offline.admit(seen, journal: journals[which]) {
                        journals[which].append(admitted.entry)
                    }
                }
                // One after the other, or scan by scan as each gate comes by a network.
                let all = journals.joined().count
                var shuffle = Dice(seed * 10 + UInt64(order))
                while !journals.joined().isEmpty {
                    let either = order < 2 ? order : Int.random(in: 0..<2, using: &shuffle)
                    let which = journals[either].isEmpty ? 1 - either : either
                    #expect(try await gate.bringIn(journals[which].removeFirst()).first?.answer != nil)
                }
                let shown = try await gate.show(booking)
                let counted = shown.checkIns.filter(\.counts)
                outcomes.withLock { $0.append(counted.map(\.nonce).sorted()) }
                #expect(shown.booking.arrived == counted.reduce(0) { $0 + $1.headcount })
                #expect(shown.conflicts.count + counted.count == all)
            }
        }
        let counted = outcomes.withLock { $0 }
        #expect(Set(counted).count == 1 && counted.first?.contains("gate-0-scan-0") == true, "\(counted)")
    }

    @Test func `two gates at once let one group in once`() async throws {
        try await withVillage(poolSize: 8) { village in
            let gate = Gate(village: village)
            let booking = try await village.addBooking([try await village.addSession()], headcount: 30)
            let entries = (0..<6).map { gate.entry(booking, 30, at: gate.now.addingTimeInterval(Double($0))) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for entry in entries { group.addTask { _ = try await gate.bringIn(entry) } }
                try await group.waitForAll()
            }
            let shown = try await gate.show(booking)
            #expect(shown.booking.arrived == 30)
            #expect(shown.checkIns.filter(\.counts).map(\.nonce) == [entries[0].nonce])
            #expect(shown.conflicts.count == 5)
        }
    }

    @Test(arguments: [true, false])
    func `gates that fill beyond the capacity are recorded with a warning`(northFirst: Bool) async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let session = try await village.addSession(capacity: 50)
            let first = try await village.addBooking([session], headcount: 20)
            let second = try await village.addBooking([session], headcount: 20)
            let list = try await gate.list()
            let north = try OfflineGate(list).admit(gate.entry(first, 30), journal: []).entry
            let south = try OfflineGate(list).admit(gate.entry(second, 25), journal: []).entry
            let earlier = try await gate.bringIn(northFirst ? north : south).first?.answer
            #expect(earlier?.outcome == .counted && earlier?.warnings == [])
            let answer = try #require(try await gate.bringIn(northFirst ? south : north).first?.answer)
            #expect(answer.outcome == .counted && answer.warnings == [.overCapacity(5)])
            #expect(try await gate.booking(first).arrived == 30)
            #expect(try await gate.booking(second).arrived == 25)
            #expect(
                try await village.number("SELECT (figures ->> 'over')::bigint FROM event WHERE figures ? 'over'") == 5)
        }
    }

    @Test func `a gate whose clock is off says so, and what it saw is kept`() async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let session = try await village.addSession()
            let booking = try await village.addBooking([session], headcount: 20)
            let list = try await gate.list()
            // A day slow: behind the moment in which the list was made.
            let slow = gate.entry(booking, 20, at: gate.now.addingTimeInterval(-86_400))
            let admitted = try OfflineGate(list).admit(slow, journal: [])
            #expect(admitted.answer.warnings.map(\.code) == ["gate-clock"])
            #expect(admitted.answer.warnings.first?.message.zh.contains("时钟不准") == true)
            #expect(try await gate.bringIn(admitted.entry).map(\.word) == ["conflict"])
            // Three hours fast: the session is over by that clock, and the register finds it in the future.
            village.clock.set(village.today, hour: 9, seconds: 60)
            let fast = gate.entry(booking, 19, at: gate.now.addingTimeInterval(3 * 3600))
            let late = try OfflineGate(list).admit(fast, journal: [])
            #expect(late.answer.warnings.map(\.code) == ["session-over"])
            #expect(try await gate.bringIn(late.entry).map(\.word) == ["conflict"])
            let future = try #require(try await gate.bringIn(late.entry).first?.answer)
            #expect(future.isRepeat && future.why == .future)
            // A day fast: not let in without a word, and told of its clock.
            let tomorrow = gate.entry(booking, 18, at: gate.now.addingTimeInterval(86_400))
            let other = try await refusal { _ = try OfflineGate(list).admit(tomorrow, journal: []) }
            #expect(other?.code == "wrong-day" && other?.message.en.contains("clock") == true)
            let kept = try await gate.conflicts()
            #expect(kept.map(\.why) == [.future, .wrongDay])
            #expect(kept.map(\.session) == [session, session])
            #expect(try await gate.booking(booking).state == .confirmed)
            #expect(try await gate.settle(kept[1].id, accept: true).state == .arrived)
            #expect(try await gate.booking(booking).arrived == 20)
            try await gate.settle(kept[0].id, accept: false)
            #expect(try await gate.booking(booking).arrived == 20)
        }
    }

    @Test func `what waits to be settled is among what the desk has to see to, once a booking`() async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let booking = try await village.addBooking([try await village.addSession()], headcount: 20)
            _ = try await gate.record(gate.entry(booking, 20))
            for heads in [20, 19] { #expect(try await gate.record(gate.entry(booking, heads)).outcome == .twice) }
            func todo() async throws -> [BookingTask] {
                try await BookingStore(village.database).todo(now: village.clock.now, village.committee)
            }
            let tasks = try await todo()
            #expect(tasks.map(\.kind) == [.conflict] && tasks.map(\.booking.id.value) == [booking.number])
            let place = try #require(BookingTask.Place(tasks[0].place.description))
            let rest = try await BookingStore(village.database).todo(
                after: place, now: village.clock.now, village.committee)
            #expect(rest.isEmpty)
            for conflict in try await gate.conflicts() { try await gate.settle(conflict.id, accept: false) }
            #expect(try await todo().isEmpty)
        }
    }

    @Test func `a gate that is tried out before the day or used after it is not told that its clock is off`()
        async throws
    {
        try await withVillage { village in
            let gate = Gate(village: village)
            let day = village.today.adding(days: 7)
            let booking = try await village.addBooking([try await village.addSession(on: day)], headcount: 20)
            let offline = try OfflineGate(try await gate.list(day))
            func warnings() throws -> [GateWarning] {
                try offline.admit(gate.entry(booking, 20, anyDay: true), journal: []).answer.warnings
            }
            let early = try warnings()
            #expect(early.map(\.code) == ["another-day"])
            #expect(early.first?.message.zh.contains("试用") == true && early.first?.message.zh.contains("不准") == false)
            village.clock.set(day, hour: 9)
            #expect(try warnings() == [])
            village.clock.set(day.adding(days: 1), hour: 9)
            let late = try warnings()
            #expect(late.map(\.code) == ["another-day"] && late.first?.message.zh.contains("试用") == false)
        }
    }

    @Test func `a clock that is some hours off shows another time than groups come at`() async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let session = try await village.addSession(hour: 14)
            let booking = try await village.addBooking([session], headcount: 40)
            village.clock.set(village.today, hour: 8)
            let offline = try OfflineGate(try await gate.list())
            for (hour, minute, told) in [(13, 0, []), (12, 50, ["gate-clock"]), (15, 0, []), (15, 30, ["gate-clock"])] {
                village.clock.set(village.today, hour: hour, seconds: Double(minute * 60))
                let answer = try offline.admit(gate.entry(booking, 20), journal: []).answer
                #expect(answer.warnings.map(\.code) == told, "\(hour):\(minute)")
            }
            let first = try offline.admit(gate.entry(booking, 20), journal: [])
            #expect(first.answer.warnings.first?.message.en.contains("begins at 2026") == true)
            // The rest of a group may come late.
            #expect(try offline.admit(gate.entry(booking, 20), journal: [first.entry]).answer.warnings.isEmpty)
            // The register says by how much a clock is fast that wrote down what is still to come.
            let fast = gate.entry(booking, 20, at: gate.now.addingTimeInterval(3 * 3600 + 120), session: session)
            let kept = try #require(try await gate.bringIn(fast).first?.answer)
            #expect(kept.why == .future && kept.warnings == [.fast(10_920)])
            #expect(kept.warnings.first?.message.en.contains("3 h 2 min") == true)
        }
    }

    @Test func `a computer's clock is compared with the register's`() async throws {
        try await withVillage { village in
            func clock(_ ahead: TimeInterval) async throws -> GateClock {
                try await GateClock(
                    shows: Date().addingTimeInterval(ahead), village.database, village.committee)
            }
            #expect(try await clock(0).warning == nil)
            #expect(try await clock(-86_400 - 3600).warning?.zh.contains("慢了 1 天 1 小时") == true)
            // Three hours fast, and with the register: what was seen is still to come by its clock, and kept for the desk.
            let fast = try await clock(3 * 3600 + 5)
            #expect(fast.warning?.en.contains("fast by 3 h") == true)
            let gate = Gate(village: village)
            let session = try await village.addSession(on: CivilDay(of: fast.shows))
            let booking = try await village.addBooking([session], headcount: 20)
            let seen = gate.entry(booking, 20, at: fast.shows, session: session)
            let store = CheckInStore(village.database, keys: village.keys)
            let answers = try await store.bringIn([seen], now: fast.register, village.committee).map(\.answer)
            #expect(answers.map(\.?.why) == [.future] && answers[0]?.warnings.map(\.code) == ["gate-clock"])
            #expect(try await gate.conflicts().map(\.headcount) == [20])
            #expect(try await gate.booking(booking).state == .confirmed)
            let noon = Date(timeIntervalSince1970: 1_767_240_000)
            #expect(GateClock(shows: noon.addingTimeInterval(60), register: noon).warning == nil)
            #expect(
                GateClock(shows: noon.addingTimeInterval(5400), register: noon).warning?.en
                    .contains("fast by 1 h 30 min: it shows 2026-01-01 13:30") == true)
        }
    }

    @Test func `a ticket that is newer than the list comes in by its signature, marked`() async throws {
        try await withVillage { village in
            let gate = Gate(village: village)
            let session = try await village.addSession()
            let offline = try OfflineGate(try await gate.list())
            let booking = try await village.addBooking([session], headcount: 12)
            let ticket = try await TicketStore(village.database, keys: village.keys).show(
                booking: booking.number, today: village.today, village.committee)
            let entry = CheckInEntry(
                code: ticket.url, headcount: 12, nonce: CheckInEntry.freshNonce(), at: gate.now)
            let admitted = try offline.admit(entry, journal: [])
            #expect(admitted.answer.outcome == .counted && admitted.answer.warnings == [.unlisted])
            #expect(admitted.answer.booking == booking.number && admitted.answer.unit == nil)
            let again = CheckInEntry(
                code: ticket.payload, headcount: 12, nonce: CheckInEntry.freshNonce(), at: gate.now)
            let twice = try await refusal { _ = try offline.admit(again, journal: [admitted.entry]) }
            #expect(twice?.code == "already-checked-in")
            // By its reference nobody can tell whether there is such a booking.
            let unsigned = try await refusal { _ = try offline.admit(gate.entry(booking, 12), journal: []) }
            #expect(unsigned?.code == "not-on-the-list")
            let read = GateJournal.read(try GateJournal.line(admitted.entry))
            #expect(read.entries == [admitted.entry] && admitted.entry.unlisted)
            #expect(try await gate.bringIn(admitted.entry).map(\.word) == ["counted"])
            let shown = try await gate.show(booking)
            #expect(shown.booking.arrived == 12 && shown.checkIns.map(\.unlisted) == [true])
            // Of another day, or signed before the list was made: its group is somewhere else.
            let signer = try village.keys.signer()
            for (issued, day, code) in [
                (village.today, village.today.adding(days: 1), "wrong-day"),
                (village.today.adding(days: -1), village.today, "not-on-the-list"),
            ] {
                let payload = try signer.sign(booking: 4_000_000, issued: issued, day: day).payload
                let stale = CheckInEntry(code: payload, headcount: 1, nonce: CheckInEntry.freshNonce(), at: gate.now)
                let refused = try await refusal { _ = try offline.admit(stale, journal: []) }
                #expect(refused?.code == code)
            }
        }
    }

    @Test func `a damaged line costs the others nothing`() throws {
        let at = Date(timeIntervalSince1970: 1_700_000_000)
        let entries = (0..<2).map { CheckInEntry(code: "ABCDEFGHIJKL", headcount: 3, nonce: "nonce-00\($0)", at: at) }
        let good = try entries.map { try GateJournal.line($0) }
        func read(_ parts: [UInt8]...) -> GateJournal.Contents { GateJournal.read(Array(parts.joined())) }
        let torn = read(good[0], good[1].dropLast(9))
        #expect(torn.entries == [entries[0]] && !torn.isComplete)
        #expect(torn.damage.map(\.line) == [2] && torn.damage[0].why.en.contains("never finished"))
        let mended = read(good[0], good[1].dropLast(9) + [0x0A], good[1])
        #expect(mended.entries == entries && mended.damage.map(\.line) == [2] && mended.isComplete)
        let noise = read(good[0], Array("nonsense\n\n".utf8), [0xFF, 0xFE, 0x0A], good[1])
        #expect(noise.entries == entries && noise.damage.map(\.line) == [2, 4])
        let spoilt = String(decoding: good[0], as: UTF8.self).replacing("\"headcount\":3", with: "\"headcount\":0")
        #expect(read(Array(spoilt.utf8)).damage.first?.why.en.contains("headcount") == true)
        let missing = String(decoding: good[0], as: UTF8.self).replacing("\"headcount\":3,", with: "")
        #expect(read(Array(missing.utf8)).damage.first?.why.zh == "缺少 headcount")
        // As other programs write the time.
        for time in ["2023-11-14T22:13:20.123Z", "2023-11-15T06:13:20+08:00", "2023-11-14T22:13:20Z"] {
            let text = String(decoding: good[0], as: UTF8.self).replacing("2023-11-14T22:13:20Z", with: time)
            let read = read(Array(text.utf8))
            #expect(read.damage.isEmpty && read.entries.first.map { abs($0.at.timeIntervalSince(at)) < 0.2 } == true)
        }
        // Complete but for its end: it was written, and the gate let them in.
        #expect(read(good[0].dropLast()).entries == [entries[0]])
        #expect(GateJournal.read([]).entries.isEmpty && GateJournal.read([]).isComplete)
    }
}
