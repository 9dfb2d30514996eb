import Income
import Kernel
import TestSupport
import Testing

@testable import Livelihood

/// The sentences, which have to be good ones whatever the figures are.
@Suite struct TextTests {
    private func drawUp(_ village: TestVillage, _ year: Int) async throws -> LivelihoodReport {
        try await LivelihoodStore(village.database).drawUp(year: year, clock: village.clock.clock, village.committee)
    }

    private func sentences(_ report: LivelihoodReport, _ language: Language = .chinese) -> String {
        report.text(language).sections.flatMap { [$0.heading] + $0.paragraphs }.joined(separator: "\n")
    }

    @Test func `the samples' sentences carry their figures`() async throws {
        try await withVillage { village in
            try await village.loadEverything()
            let report = try await drawUp(village, 2025)
            let text = sentences(report)
            for part in [
                "采收蟠桃25.27万斤，同比增长2.3%", "农产品销售收入151.18万元，同比增长16.1%", "“试品”品牌登记采收批次",
                "采收54.65万斤，与销售22.48万斤、期末库存32.17万斤之和相符", "到访1,806人次，同比增长9.7%", "研学收入11.97万元，同比增长9.6%",
                "各项收入合计206.85万元，同比增长12.0%", "农产品销售151.18万元，占73.1%", "研学11.97万元，占5.8%",
                "登记农户36户", "合作社3个", "一般户27户", "（合并）9户",
            ] {
                #expect(text.contains(part), "\(part) in\n\(text)")
            }
            let english = sentences(report, .english)
            for part in [
                "126.35 t of 蟠桃 (up 2.3%)", "Sales came to 1,511,796 yuan (up 16.1%)", "1,806 people (up 9.7%)",
                "income came to 2,068,515 yuan (up 12.0%)", "36 households", "27 households",
            ] {
                #expect(english.contains(part), "\(part) in\n\(english)")
            }
            let imprint = report.text(.chinese).imprint
            for part in ["第\(report.id)号", "试村", "2025年1月1日至2025年12月31日", "2026-01-15 10:00", "由committee生成"] {
                #expect(imprint.contains(part), "\(part) in \(imprint)")
            }
            #expect(report.text(.chinese).signature == ["试村村民委员会", "2026年1月15日"])
        }
    }

    @Test func `an empty village has a report of plain sentences`() async throws {
        try await withVillage { village in
            let report = try await drawUp(village, 2025)
            let text = sentences(report)
            for part in ["没有采收登记", "没有销售收入", "没有登记新的采收批次", "没有研学团队到访", "没有收入登记", "尚未登记农户"] {
                #expect(text.contains(part), "\(part) in\n\(text)")
            }
            for part in ["nil", "%", "同比", "Optional", "NaN"] { #expect(!text.contains(part), "\(part) in\n\(text)") }
            let tables = report.tables(.chinese)
            #expect(
                tables.map(\.name)
                    == LivelihoodTable.Name.allCases.filter { ![.earlier, .earlierHarvests, .changes].contains($0) })
            #expect(tables.allSatisfy { table in table.rows.allSatisfy { $0.count == table.columns.count } })
            #expect(tables.first { $0.name == .months }?.rows.count == 12)
            #expect(tables.first { $0.name == .income }?.total?.last == LivelihoodTable.Cell.none)
        }
    }

    @Test func `a year without one before has no growth`() async throws {
        try await withVillage { village in
            try await village.loadEverything()
            let report = try await drawUp(village, 2024)
            let text = sentences(report)
            #expect(text.contains("（上年无此项）") && !text.contains("同比"))
            let core = try #require(report.tables(.chinese).first { $0.name == .core })
            #expect(core.rows.allSatisfy { $0[5] == .none })
            #expect(core.rows[0][2] == .money(0))
        }
    }

    /// The year after the samples: nothing was harvested, sold or visited in it.
    @Test func `a year in which everything fell away is told plainly`() async throws {
        try await withVillage { village in
            try await village.loadEverything()
            village.clock.set(try #require(CivilDay(year: 2027, month: 2, day: 1)))
            let text = sentences(try await drawUp(village, 2026))
            for part in ["蟠桃没有采收（上年25.27万斤）", "没有销售收入（上年151.18万元）", "没有研学团队到访（上年", "没有收入登记（上年206.85万元）"] {
                #expect(text.contains(part), "\(part) in\n\(text)")
            }
            for part in ["同比", "nil"] { #expect(!text.contains(part), "\(text)") }
        }
    }

    @Test func `a fall is a fall, and a standstill a standstill`() async throws {
        try await withVillage { village in
            for (year, fen) in [(2023, 200_000), (2024, 200_000), (2025, 150_100)] as [(Int, Int64)] {
                try await village.change(
                    IncomeStore.enter(
                        day: CivilDay(year: year, month: 3, day: 1), source: .rent, memo: "",
                        amount: Money(fen: fen), corrects: nil, today: village.today))
            }
            #expect(sentences(try await drawUp(village, 2024)).contains("收入合计2,000.00元，与上年持平"))
            #expect(sentences(try await drawUp(village, 2025)).contains("收入合计1,501.00元，同比下降24.9%"))
            let english = sentences(try await drawUp(village, 2025), .english)
            #expect(english.contains("income came to 1,501 yuan (down 24.9%)"))
        }
    }

    @Test func `the present year is compared with the same days of the last`() async throws {
        try await withVillage { village in
            for (day, fen) in [("2025-01-10", 100), ("2025-06-01", 5000), ("2026-01-10", 150)] as [(String, Int64)] {
                try await village.change(
                    IncomeStore.enter(
                        day: CivilDay(day), source: .rent, memo: "", amount: Money(fen: fen), corrects: nil,
                        today: village.today))
            }
            let report = try await drawUp(village, 2026)
            #expect(report.figures.totalIncome == .init(last: 100, this: 150))
            #expect(sentences(report).contains("2026年1月1日至1月15日，各项收入合计1.50元，同比增长50.0%"))
            let core = try #require(report.tables(.chinese).first { $0.name == .core })
            #expect(core.columns.map(\.title).contains("2025年同期"))
        }
    }

    @Test(arguments: [
        ("account:li", "li", "li"), ("local", "本机管理员", "the administrator of this machine"),
        ("token:12", "访问令牌 12", "access token 12"), ("other", "other", "other"),
    ])
    func `who drew a report up is named to its reader`(actor: String, zh: String, en: String) {
        #expect(LivelihoodWords.person(actor, .chinese) == zh && LivelihoodWords.person(actor, .english) == en)
    }
}
