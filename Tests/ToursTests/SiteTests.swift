import Kernel
import Postgres
import TestSupport
import Testing

@testable import Tours

@Suite struct SiteTests {
    @Test(arguments: [("1970-01-01", 4), ("2024-02-29", 4), ("2026-12-06", 7), ("2026-12-07", 1), ("1950-01-01", 7)])
    func `a day's place in the week is known`(day: String, weekday: Int) throws {
        #expect(try CivilDay(day).weekday == weekday)
    }

    @Test func `days of the week are read as lists and ranges`() throws {
        #expect(try Weekdays("6,7").days == [6, 7])
        #expect(try Weekdays("1-5,7").days == [1, 2, 3, 4, 5, 7])
        #expect(try Weekdays("1-7") == .all)
        for text in ["", "0", "8", "5-1", "1-", "a", "1,,2", "1-2-3"] {
            #expect(throws: Refusal.self, "\(text)") { try Weekdays(text) }
        }
    }

    @Test(arguments: TourSite.Kind.allCases) func `a kind of site is read by its name and word`(kind: TourSite.Kind)
        throws
    {
        #expect(try TourSite.Kind(named: kind.rawValue) == kind)
        #expect(try TourSite.Kind(named: kind.label.zh) == kind)
        #expect(throws: Refusal.self) { try TourSite.Kind(named: "教室") }
    }

    @Test func `a site is added once, listed, shown and changed`() async throws {
        try await withVillage { village in
            let details = TourSite.Details(
                name: "  蟠桃采摘园 ", kind: .orchard, opens: TimeOfDay(minute: 510), closes: TimeOfDay(minute: 1050))
            let added = try await village.change(SiteStore.add(details))
            #expect(added.name == "蟠桃采摘园")
            let taken = try await refusal { try await village.change(SiteStore.add(details)) }
            #expect(taken?.code == "name-taken")
            let store = SiteStore(village.database)
            #expect(try await store.list(village.committee) == [added])
            let changed = try await village.change(
                SiteStore.change("蟠桃采摘园", match: { #expect($0 == 1) }) { $0.closes = TimeOfDay(minute: 1110) })
            #expect(changed.version == 2)
            #expect(try await store.show("蟠桃采摘园", village.committee) == changed)
            let unknown = try await refusal { try await store.show("桃园", village.committee) }
            #expect(unknown?.kind == .notFound)
        }
    }

    @Test func `a change of a version that is gone is refused`() async throws {
        try await withVillage { village in
            _ = try await TourGround(village)
            let seen: VersionCheck = { if $0 != 1 { throw Refusal.changedMeanwhile } }
            try await village.change(SiteStore.change(TourGround.orchard, match: seen) { $0.kind = .base })
            let stale = try await refusal {
                try await village.change(SiteStore.change(TourGround.orchard, match: seen) { $0.kind = .orchard })
            }
            #expect(stale == .changedMeanwhile)
            let programme = TourGround.programme
            try await village.change(ProgrammeStore.change(programme, match: seen) { $0.minutes = 90 })
            let second = try await refusal {
                try await village.change(ProgrammeStore.change(programme, match: seen) { $0.minutes = 60 })
            }
            #expect(second == .changedMeanwhile)
            let kept = try await ProgrammeStore(village.database).show(programme, village.committee)
            #expect(kept.details.minutes == 90)
        }
    }

    @Test(arguments: [
        ("", 480, 1080), ("\u{7}", 480, 1080), (String(repeating: "园", count: 101), 480, 1080), ("园", 600, 600),
    ])
    func `a bad site is refused`(name: String, opens: Int, closes: Int) async throws {
        try await withVillage { village in
            let details = TourSite.Details(
                name: name, kind: .base, opens: TimeOfDay(minute: opens), closes: TimeOfDay(minute: closes))
            let refused = try await refusal { try await village.change(SiteStore.add(details)) }
            #expect(refused?.kind == .invalid)
            #expect(try await village.number("SELECT count(*) FROM tour_site") == 0)
        }
    }

    @Test func `a day is closed once, and opened again`() async throws {
        try await withVillage { village in
            _ = try await TourGround(village)
            let day = village.today.adding(days: 3)
            let close = SiteStore.closeDay(TourGround.orchard, day: day, reason: "春节", today: village.today)
            let site = try await village.change(close)
            #expect(site.closedDays == [TourSite.ClosedDay(day: day, reason: "春节")])
            #expect(try await refusal { try await village.change(close) }?.code == "closed-already")
            let opened = try await village.change(SiteStore.openDay(TourGround.orchard, day: day))
            #expect(opened.closedDays.isEmpty && opened.version == 3)
            let again = try await refusal {
                try await village.change(SiteStore.openDay(TourGround.orchard, day: day))
            }
            #expect(again?.kind == .notFound)
            let past = try await refusal {
                try await village.change(
                    SiteStore.closeDay(
                        TourGround.orchard, day: village.today.adding(days: -1), reason: "x", today: village.today))
            }
            #expect(past?.code == "day-in-past")
        }
    }

    @Test func `a day with sessions is not closed until they are cancelled`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let session = try await ground.session()
            let day = village.today.adding(days: 1)
            let close = SiteStore.closeDay(TourGround.orchard, day: day, reason: "修路", today: village.today)
            let refused = try await refusal { try await village.change(close) }
            #expect(refused?.code == "sessions-on-day")
            #expect(refused?.message.en.contains("\(session)") == true)
            try await village.change(SessionStore.step(.cancel, session, now: village.clock.now))
            try await village.change(close)
            let reopened = try await refusal {
                try await village.change(SessionStore.step(.reopen, session, now: village.clock.now))
            }
            #expect(reopened?.code == "closed-day")
        }
    }

    /// Either the day is closed or it has a session, whoever is faster.
    @Test func `a day is not closed while a session is planned on it`() async throws {
        try await withVillage(poolSize: 8) { village in
            let ground = try await TourGround(village)
            for offset in 1...10 {
                let day = village.today.adding(days: offset)
                let plan = try ground.plan(day: day)
                async let planned = refusal { try await village.change(plan) }
                async let closed = refusal {
                    try await village.change(
                        SiteStore.closeDay(TourGround.orchard, day: day, reason: "x", today: village.today))
                }
                let codes = Set(try await [planned?.code, closed?.code])
                #expect(codes == [nil, "closed-day"] || codes == [nil, "sessions-on-day"])
            }
        }
    }

    @Test func `resources are named once and can be renamed`() async throws {
        try await withVillage { village in
            _ = try await TourGround(village)
            let taken = try await refusal {
                try await village.change(ResourceStore.add(TourResource(name: "张导", kind: .coach)))
            }
            #expect(taken?.code == "name-taken")
            let renamed = try await village.change(ResourceStore.change("张导") { $0.name = "张老师" })
            #expect(renamed == TourResource(name: "张老师", kind: .guide))
            let gone = try await refusal { try await village.change(ResourceStore.change("张导") { $0.kind = .room }) }
            #expect(gone?.kind == .notFound)
            let clash = try await refusal { try await village.change(ResourceStore.change("张老师") { $0.name = "李导" }) }
            #expect(clash?.code == "name-taken")
            #expect(
                try await ResourceStore(village.database).list(village.committee).map(\.name).sorted() == ["张老师", "李导"])
        }
    }
}
