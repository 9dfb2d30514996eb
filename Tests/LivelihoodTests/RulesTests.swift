import Kernel
import Testing

@testable import Livelihood

/// Growth, shares, merging, days and rounding, without a database.
@Suite struct RulesTests {
    @Test(
        arguments: [
            (100, 116, 160), (1000, 1161, 161), (2000, 2001, 1), (10000, 10005, 1), (10000, 10004, 0), (100, 100, 0),
            (100, 0, -1000), (10000, 9995, 0), (10000, 9994, -1), (3, 4, 333), (3, 5, 667), (7, 1, -857),
            (1, 1_000_000_000_000, 999_999_999_999_000), (9_000_000_000_000_000_000, 9_000_000_000_000_000_001, 0),
        ] as [(Int64, Int64, Int64)])
    func `growth is in tenths of a per cent, halves up`(last: Int64, this: Int64, growth: Int64) {
        #expect(LivelihoodRules.growth(from: last, to: this) == growth)
    }

    @Test(arguments: [(0, 5), (0, 0), (-3, 5)] as [(Int64, Int64)])
    func `there is no growth from nothing or from below it`(last: Int64, this: Int64) {
        #expect(LivelihoodRules.growth(from: last, to: this) == nil)
    }

    @Test(
        arguments: [
            ([1, 1, 1], [334, 333, 333]), ([2, 1], [667, 333]), ([0, 0, 7], [0, 0, 1000]), ([5], [1000]),
            ([1, 1, 1, 1, 1, 1], [167, 167, 167, 167, 166, 166]), ([999_999, 1], [1000, 0]),
            ([151_179_600, 11_972_300, 43_699_600], [731, 58, 211]),
            ([9_000_000_000_000_000_000, 9_000_000_000_000_000_000], [500, 500]),
        ] as [([Int64], [Int64])])
    func `shares sum to the whole by largest remainder`(amounts: [Int64], shares: [Int64]) {
        #expect(LivelihoodRules.shares(amounts) == shares)
        #expect(shares.reduce(0, +) == 1000)
    }

    @Test(arguments: [[], [0, 0], [5, -1], [-5]] as [[Int64]])
    func `what can't be shared has no shares`(amounts: [Int64]) {
        #expect(LivelihoodRules.shares(amounts) == nil)
    }

    @Test(
        arguments: [
            ([27, 5, 2, 2], [27, 9]), ([27, 5, 3, 2], [27, 5, 5]), ([5, 5, 5], [5, 5, 5]), ([4], []), ([2, 2], []),
            ([], []),
            ([5, 1], [6]), ([9, 6, 4], [9, 10]), ([3, 3, 3], [9]), ([5, 0], [5]), ([1, 1, 1, 1, 1], [5]),
        ] as [([Int64], [Int64])])
    func `classes of fewer than five households are merged until they are five`(households: [Int64], shown: [Int64]) {
        let classes = households.enumerated().map { index, count in
            LivelihoodFigures.HouseholdGroup(classes: ["类\(index)"], households: count, people: count * 3, salesFen: 10)
        }
        for order in [classes, classes.reversed()] {
            let merged = LivelihoodRules.merged(order)
            #expect(merged.map(\.households) == shown)
            #expect(merged.allSatisfy { $0.households >= LivelihoodRules.fewestHouseholds })
            guard !shown.isEmpty else { continue }
            let there = classes.filter { $0.households > 0 }
            #expect(Set(merged.flatMap(\.classes)) == Set(there.flatMap(\.classes)))
            #expect(merged.reduce(0) { $0 + $1.people } == there.reduce(0) { $0 + $1.people })
            #expect(merged.reduce(0) { $0 + $1.salesFen } == there.reduce(0) { $0 + $1.salesFen })
        }
    }

    @Test(arguments: [
        (2025, "2026-01-15", "2025-12-31", "2024-12-31"), (2026, "2026-01-15", "2026-01-15", "2025-01-15"),
        (2024, "2024-02-29", "2024-02-29", "2023-02-28"), (2025, "2025-12-31", "2025-12-31", "2024-12-31"),
    ])
    func `a year reaches to its end or to today, and is compared with the same days`(
        year: Int, today: String, to: String, lastTo: String
    ) throws {
        let period = try LivelihoodRules.period(year: year, today: CivilDay(today))
        #expect(period.from == CivilDay(year: year, month: 1, day: 1))
        #expect(period.to.description == to && period.lastTo.description == lastTo)
        #expect(period.lastFrom == CivilDay(year: year - 1, month: 1, day: 1))
        #expect(period.isWhole == to.hasSuffix("12-31"))
    }

    @Test(arguments: [1999, 2027, 0, -5, 2200, Int.max])
    func `a year that has not begun or lies too far back is refused`(year: Int) throws {
        let today = try CivilDay("2026-01-15")
        let refusal = #expect(throws: Refusal.self) { try LivelihoodRules.period(year: year, today: today) }
        #expect(refusal?.code == "no-such-year" && refusal?.field == "year")
    }

    @Test(
        arguments: [
            (151_179_600, "151.18万元", "1,511,796 yuan"), (1_000_000, "1.00万元", "10,000 yuan"),
            (999_999, "9,999.99元", "10,000 yuan"), (0, "0.00元", "0 yuan"), (-1_234_567, "-1.23万元", "-12,346 yuan"),
            (1_005_000, "1.01万元", "10,050 yuan"), (-1_005_000, "-1.00万元", "-10,050 yuan"), (50, "0.50元", "1 yuan"),
            (123_456_789_000, "123,456.79万元", "1,234,567,890 yuan"),
        ] as [(Int64, String, String)])
    func `sentences round money, halves up`(fen: Int64, zh: String, en: String) {
        #expect(LivelihoodNumbers.roundedMoney(fen, .chinese) == zh)
        #expect(LivelihoodNumbers.roundedMoney(fen, .english) == en)
    }

    @Test(
        arguments: [
            (64_784_450, "12.96万斤", "64.78 t"), (5_000_000, "1.00万斤", "5.00 t"), (4_999_950, "9,999.9斤", "5.00 t"),
            (250, "0.5斤", "0.25 kg"), (1, "0.002斤", "0.001 kg"), (0, "0斤", "0 kg"),
        ] as [(Int64, String, String)])
    func `sentences round weights`(grams: Int64, zh: String, en: String) {
        #expect(LivelihoodNumbers.roundedWeight(grams, .chinese) == zh)
        #expect(LivelihoodNumbers.roundedWeight(grams, .english) == en)
    }

    @Test func `tables round nothing but percentages`() {
        typealias Cell = LivelihoodTable.Cell
        #expect(Cell.money(151_179_601).text == "1,511,796.01" && Cell.money(-5).text == "-0.05")
        #expect(Cell.weight(64_784_451).text == "129,568.902" && Cell.weight(500).text == "1.0")
        #expect(Cell.percent(-5).text == "-0.5%" && Cell.percent(1000).text == "100.0%" && Cell.none.text == "—")
        #expect(Cell.count(1806).text == "1,806" && Cell.count(-1000).text == "-1,000" && Cell.count(999).text == "999")
    }
}
