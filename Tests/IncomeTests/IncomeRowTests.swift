import Database
import Income
import Kernel
import Sales
import Synchronization
import TestSupport
import Testing

/// Every figure leads to its rows.
@Suite struct IncomeRowTests {
    private let dimensions: [[IncomeSummary.Dimension]] =
        IncomeSummary.Dimension.allCases.map { [$0] } + [
            [.month, .source], [.source, .cooperative, .product], [.month, .household], [.channel, .cooperative],
            [.month, .source, .product, .cooperative, .channel, .household],
        ]

    @Test func `the rows of every cell of the sample village sum up to it`() async throws {
        try await withVillage { village in
            try await village.loadEverything()
            _ = try await village.owner.query("ANALYZE")
            let store = IncomeRowStore(village.database)
            for year in [2024, 2025] {
                let from = try #require(CivilDay(year: year, month: 1, day: 1))
                let to = try #require(CivilDay(year: year, month: 12, day: 31))
                let rows = try await all(store, try IncomeFilter(from: from, to: to), village.committee)
                for by in dimensions {
                    let summary = try await store.summary(from: from, to: to, by: by, village.committee)
                    #expect(summary.total == rows.reduce(.zero) { $0 + $1.amount })
                    // The finest cut is compared with the rows at hand; a statement for each of its cells takes minutes.
                    guard by.count < 6 else {
                        let sums = Dictionary(grouping: rows) { Self.values($0, by) }
                            .mapValues { $0.reduce(Money.zero) { $0 + $1.amount } }
                        for cell in summary.rows {
                            #expect(sums[cell.values] ?? .zero == cell.amount, "\(cell.values)")
                        }
                        continue
                    }
                    for cell in summary.rows {
                        let values = Dictionary(
                            uniqueKeysWithValues: zip(by, cell.values.map { IncomeFilter.Value(entered: $0 ?? "") }))
                        let total = try await store.total(
                            IncomeFilter(from: from, to: to, values: values), village.committee)
                        #expect(total == cell.amount, "\(year) \(cell.values)")
                    }
                }
            }
        }
    }

    @Test func `pages hold each row once, in the order of days`() async throws {
        try await withVillage { village in
            try await village.loadEverything()
            let store = IncomeRowStore(village.database)
            let filter = try IncomeFilter(
                from: #require(CivilDay(iso: "2025-07-01")), to: #require(CivilDay(iso: "2025-08-31")))
            let whole = try await all(store, filter, village.committee)
            var paged: [IncomeRow] = []
            while true {
                let page = try await store.page(
                    filter, after: paged.last.map(IncomeRowPlace.init(after:)), limit: 100, village.committee)
                paged += page
                if page.count < 100 { break }
            }
            #expect(whole.count > 150 && paged.map(Self.identity) == whole.map(Self.identity))
            #expect(Set(paged.map(Self.identity)).count == paged.count)
            #expect(paged.map(\.day) == paged.map(\.day).sorted())
            // A booking's rows are no lines of it.
            #expect(Set(paged.filter { $0.line != nil }.map(\.source)) == [.sales])
            #expect(paged.contains { $0.source == .tours })
            #expect(try await store.total(filter, village.committee) == paged.reduce(.zero) { $0 + $1.amount })
        }
    }

    @Test func `a row says what it is`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let today = village.today
            let code = try await village.register(village.harvest())
            let sale = try await village.sell(
                village.sale([.init(batch: code.batch, weight: Weight(grams: 500), price: Price(fen: 850, basis: .jin))]
                ))
            let entry = try await village.change(
                IncomeStore.enter(
                    day: today.adding(days: -40), source: .rent, memo: "", amount: Money(fen: 300), corrects: nil,
                    today: today))
            let correction = try await village.change(
                IncomeStore.enter(
                    day: today, source: .rent, memo: "", amount: Money(fen: -100), corrects: entry.id.value,
                    today: today))
            let store = IncomeRowStore(village.database)
            let filter = try IncomeFilter(from: today, to: today)
            let rows = try await all(store, filter, village.committee)
            #expect(rows.map(\.kind) == [.correction, .sale])
            #expect(rows.map(\.number) == [correction.id.value, sale.id.value] && rows.map(\.line) == [nil, 1])
            #expect(rows[0].ofDay == entry.day && rows[1].household != nil && rows[1].product == "蟠桃")
            let summary = try await store.summary(from: today, to: today, by: [.source], village.committee)
            #expect(summary.earlier.fen == -100 && summary.total.fen == 750)
            // A clerk sees the own cooperative's.
            let clerk = try await all(store, filter, village.clerk(of: orchard.west))
            #expect(clerk.isEmpty)
        }
    }

    @Test func `months without income are told with nothing`() async throws {
        try await withVillage { village in
            for (day, fen) in [("2026-01-15", 500), ("2026-04-02", 700)] as [(String, Int64)] {
                try await village.change(
                    IncomeStore.enter(
                        day: CivilDay(day), source: .rent, memo: "", amount: Money(fen: fen),
                        corrects: nil,
                        today: CivilDay("2026-06-30")))
            }
            let summary = try await IncomeRowStore(village.database).summary(
                from: #require(CivilDay(iso: "2026-01-01")), to: CivilDay("2026-06-30"), by: [.month],
                village.committee)
            #expect(
                summary.rows.map(\.values) == [
                    ["2026-01"], ["2026-02"], ["2026-03"], ["2026-04"], ["2026-05"], ["2026-06"],
                ])
            #expect(summary.rows.map(\.amount.fen) == [500, 0, 0, 700, 0, 0])
            let empty = try await IncomeRowStore(village.database).summary(
                from: #require(CivilDay(iso: "2027-11-01")), to: #require(CivilDay(iso: "2028-02-01")),
                by: [.source, .month],
                village.committee)
            #expect(
                empty.rows.map(\.values) == [
                    [nil, "2027-11"], [nil, "2027-12"], [nil, "2028-01"], [nil, "2028-02"],
                ])
        }
    }

    @Test func `what there is not is refused by name, and what was never used shows nothing`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let store = IncomeRowStore(village.database)
            func refused(
                _ dimension: IncomeSummary.Dimension, _ name: String, as scope: Scope? = nil
            ) async throws -> Refusal? {
                try await refusal {
                    let filter = try IncomeFilter(
                        from: village.today, to: village.today, values: [dimension: .some(name)])
                    #expect(try await all(store, filter, scope ?? village.committee).isEmpty)
                    #expect(try await store.page(filter, limit: 5, scope ?? village.committee).isEmpty)
                    return try await store.total(filter, scope ?? village.committee)
                }
            }
            for (dimension, name) in [(.product, "蟠逃"), (.cooperative, "南社"), (.household, "H8")]
                as [(IncomeSummary.Dimension, String)]
            {
                let refusal = try await refused(dimension, name)
                #expect(refusal?.code == "unknown-\(dimension)" && refusal?.field == "\(dimension)")
            }
            for (dimension, name) in [
                (.product, "红薯"), (.cooperative, "东社"), (.household, "ＨＥ"), (.household, "HE 张三"), (.channel, "摆摊"),
            ] as [(IncomeSummary.Dimension, String)] {
                #expect(try await refused(dimension, name) == nil, "\(name)")
            }
            // A clerk is told the own cooperative's alone.
            let clerk = village.clerk(of: orchard.east)
            #expect(try await refused(.household, "HW", as: clerk)?.message.en.hasSuffix("there are: HE") == true)
            #expect(try await refused(.cooperative, "南社", as: clerk)?.message.en.hasSuffix("there are: 东社") == true)
            let source = try await refused(.source, "砚学")
            for known in ["农产品销售", "研学", "出租", "其他"] { #expect(source?.message.zh.contains(known) == true, "\(known)") }
        }
    }

    @Test func `what is no cell is refused`() throws {
        let day = try #require(CivilDay(iso: "2026-01-01"))
        for (values, code) in [
            ([.month: .some("2026-13")], "unknown-month"), ([.source: .some("偷来的")], "unknown-source"),
        ] as [([IncomeSummary.Dimension: IncomeFilter.Value], String)] {
            let refused = #expect(throws: Refusal.self) { try IncomeFilter(from: day, to: day, values: values) }
            #expect(refused?.code == code)
        }
        #expect(throws: Refusal.self) { try IncomeRowPlace("2026-01-01 sale x 1") }
    }

    private func all(_ store: IncomeRowStore, _ filter: IncomeFilter, _ scope: Scope) async throws -> [IncomeRow] {
        let rows = Mutex<[IncomeRow]>([])
        try await store.all(filter, scope) { part in rows.withLock { $0 += part } }
        return rows.withLock { $0 }
    }

    private static func identity(_ row: IncomeRow) -> String {
        IncomeRowPlace(after: row).description
    }

    private static func values(_ row: IncomeRow, _ by: [IncomeSummary.Dimension]) -> [String?] {
        by.map { dimension in
            switch dimension {
            case .month: String("\(row.day)".prefix(7))
            case .source: row.source.rawValue
            case .product: row.product
            case .cooperative: row.cooperative
            case .channel: row.channel
            case .household: row.household
            }
        }
    }
}
