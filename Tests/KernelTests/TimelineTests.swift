import Kernel
import Testing

@Suite struct TimelineTests {
    private func day(_ text: String) throws -> CivilDay { try CivilDay(text) }

    @Test func `what holds on a day is the last that began by then`() throws {
        var timeline = Timeline<String>()
        #expect(timeline.value(on: try day("2025-01-01")) == nil && timeline.start == nil)
        timeline.add("b", from: try day("2025-06-01"))
        timeline.add("a", from: try day("2024-01-01"))
        timeline.add("c", from: try day("2026-01-01"))
        #expect(timeline.start == (try day("2024-01-01")))
        let held = try [
            "2023-12-31", "2024-01-01", "2025-05-31", "2025-06-01", "2025-12-31", "2026-01-01", "2199-01-01",
        ]
        .map { timeline.value(on: try day($0)) }
        #expect(held == [nil, "a", "a", "b", "b", "c", "c"])
    }

    @Test func `of one day the last that is said counts`() throws {
        var timeline = Timeline<Int>()
        let first = try day("2025-06-01")
        timeline.add(1, from: first)
        timeline.add(2, from: first)
        #expect(timeline.value(on: first) == 2 && timeline.entries.count == 1)
    }

    @Test func `how long something has held is told`() throws {
        var timeline = Timeline<Int>()
        for (value, from) in [(1, "2020-01-01"), (2, "2021-01-01"), (1, "2022-01-01"), (1, "2023-01-01")] {
            timeline.add(value, from: try day(from))
        }
        #expect(timeline.since(try day("2024-01-01")) { $0 == 1 } == (try day("2022-01-01")))
        #expect(timeline.since(try day("2020-06-01")) { $0 == 1 } == (try day("2020-01-01")))
        #expect(timeline.since(try day("2021-06-01")) { $0 == 1 } == nil)
        #expect(timeline.changes(after: try day("2022-12-31")))
        #expect(!timeline.changes(after: try day("2023-01-01")))
    }
}
