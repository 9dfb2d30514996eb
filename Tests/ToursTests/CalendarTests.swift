import Foundation
import Kernel
import Postgres
import TestSupport
import Testing
import Tours

@Suite struct CalendarTests {
    private func event(_ summary: String, location: String = "蟠桃采摘园", cancelled: Bool = false) -> CalendarEvent {
        CalendarEvent(
            uid: "session-12@trace.example.cn", sequence: 3, changedAt: Date(timeIntervalSince1970: 1_796_400_000),
            startsAt: Date(timeIntervalSince1970: 1_796_432_400),
            endsAt: Date(timeIntervalSince1970: 1_796_439_600), summary: summary, location: location,
            isCancelled: cancelled)
    }

    private func text(_ events: [CalendarEvent], _ language: Language = .chinese) -> String {
        String(decoding: TourCalendar.text(events, village: "韩村", language), as: UTF8.self)
    }

    /// The content lines, unfolded as RFC 5545 has it.
    private func lines(_ text: String) -> [String] {
        text.replacing("\r\n ", with: "").components(separatedBy: "\r\n")
    }

    @Test func `an event says when it is in UTC`() {
        let lines = lines(text([event("蟠桃采摘")]))
        #expect(lines.first == "BEGIN:VCALENDAR")
        #expect(lines.suffix(2) == ["END:VCALENDAR", ""])
        for line in [
            "VERSION:2.0", "UID:session-12@trace.example.cn", "DTSTAMP:20261204T160000Z", "DTSTART:20261205T010000Z",
            "DTEND:20261205T030000Z", "SEQUENCE:3", "SUMMARY:蟠桃采摘", "LOCATION:蟠桃采摘园", "STATUS:CONFIRMED",
            "LAST-MODIFIED:20261204T160000Z", "TRANSP:OPAQUE",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test func `a cancelled session looks cancelled, also where the status is passed over`() {
        for (language, title) in [(Language.chinese, "已取消：蟠桃采摘"), (.english, "Cancelled: 蟠桃采摘")] {
            let lines = lines(text([event("蟠桃采摘", cancelled: true)], language))
            for line in ["STATUS:CANCELLED", "TRANSP:TRANSPARENT", "SUMMARY:\(title)"] {
                #expect(lines.contains(line), "\(line)")
            }
        }
    }

    @Test(arguments: [
        ("a,b;c\\d", "a\\,b\\;c\\\\d"), ("两行\n第二行", "两行\\n第二行"), ("\r\nx", "\\nx"), ("\u{7}响铃\u{0}", "响铃"),
        (";\u{301}", "\\;\u{301}"), ("BEGIN:VEVENT", "BEGIN:VEVENT"),
    ])
    func `a text can't break out of its line`(summary: String, written: String) {
        let lines = lines(text([event(summary)]))
        #expect(lines.filter { $0.hasPrefix("SUMMARY:") } == ["SUMMARY:" + written])
        #expect(lines.filter { $0 == "BEGIN:VEVENT" }.count == 1)
    }

    @Test(arguments: [74, 75, 76, 150, 1000], ["a", "桃", "🍑", "é"])
    func `lines have 75 octets at most and whole characters`(count: Int, letter: String) {
        let summary = String(repeating: letter, count: count)
        let written = text([event(summary)])
        let physical = written.components(separatedBy: "\r\n")
        #expect(physical.allSatisfy { $0.utf8.count <= 75 })
        #expect(!written.replacing("\r\n", with: "").contains { $0 == "\r" || $0 == "\n" })
        #expect(!written.contains("\u{FFFD}"))
        #expect(lines(written).contains("SUMMARY:" + summary))
    }

    @Test func `the village's calendar tells of closed and cancelled sessions too`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let ids = try await [
                ground.session(), ground.session(time: 660), ground.session(time: 840),
            ]
            try await village.change(SessionStore.step(.close, ids[1], now: village.clock.now))
            try await village.change(SessionStore.step(.cancel, ids[2], now: village.clock.now))
            let store = CalendarStore(village.database, village: village.village.id, origin: "trace.example.cn")
            let feed = try await store.feed(today: village.today)
            #expect(feed.map(\.uid) == ids.map { "session-\($0)@trace.example.cn" })
            #expect(feed.map(\.isCancelled) == [false, false, true])
            #expect(feed.map(\.sequence) == [0, 1, 1])
            let single = try await store.event(of: ids[0])
            #expect(single.summary == TourGround.programme && single.location == TourGround.orchard)
            #expect(single.startsAt == (try await ground.show(ids[0])).startsAt)
            #expect(try await refusal { try await store.event(of: ids[2] + 1) }?.kind == .notFound)
            #expect(try await store.feed(today: village.today.adding(days: 33)).isEmpty)
            let elsewhere = CalendarStore(village.database, village: 2, origin: "x")
            #expect(try await elsewhere.feed(today: village.today).isEmpty)
        }
    }

    @Test func `whatever a calendar shows of a session moves its sequence, and nothing else its bytes`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let session = try await ground.session()
            let store = CalendarStore(village.database, village: village.village.id, origin: "trace.example.cn")
            func event() async throws -> CalendarEvent { try await store.event(of: session) }
            func bytes() async throws -> [UInt8] {
                TourCalendar.text(try await store.feed(today: village.today), village: "韩村", .chinese)
            }
            var seen = try await event()
            var before = try await bytes()
            // Seats that are taken are nothing that a calendar shows.
            try await village.book(village.group(session, headcount: 3))
            #expect(try await bytes() == before)
            let changes: [@Sendable () async throws -> Void] = [
                { try await village.change(SiteStore.change(TourGround.orchard) { $0.name = "蟠桃大观园" }) },
                { try await village.change(ProgrammeStore.change(TourGround.programme) { $0.name = "蟠桃研学" }) },
                {
                    try await village.change(
                        SessionStore.change(session, capacity: 31, resources: nil, now: village.clock.now))
                },
                { try await village.change(SessionStore.step(.close, session, now: village.clock.now)) },
            ]
            for change in changes {
                try await change()
                let now = try await event()
                #expect(now.sequence == seen.sequence + 1 && now.changedAt > seen.changedAt)
                #expect(try await bytes() != before)
                (seen, before) = (now, try await bytes())
                #expect(try await bytes() == before)
            }
            let lines = lines(String(decoding: before, as: UTF8.self))
            for line in ["SEQUENCE:4", "LOCATION:蟠桃大观园", "SUMMARY:蟠桃研学"] { #expect(lines.contains(line), "\(line)") }
        }
    }
}
