import Foundation
import Kernel
import Postgres
import TestSupport
import Testing
import Tours

@Suite struct CalendarTests {
    private func event(_ summary: String, location: String = "蟠桃采摘园", cancelled: Bool = false) -> CalendarEvent {
        CalendarEvent(
            uid: "session-12@trace.example.cn", sequence: 3, startsAt: Date(timeIntervalSince1970: 1_796_432_400),
            endsAt: Date(timeIntervalSince1970: 1_796_439_600), summary: summary, location: location,
            isCancelled: cancelled)
    }

    private func text(_ events: [CalendarEvent]) -> String {
        String(
            decoding: TourCalendar.text(events, name: "韩村研学", now: Date(timeIntervalSince1970: 1_796_400_000)),
            as: UTF8.self)
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
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        #expect(self.lines(text([event("x", cancelled: true)])).contains("STATUS:CANCELLED"))
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
}
