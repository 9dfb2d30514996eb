import Access
import Database
import Kernel
import Messages
import Orchard
import Registers
import Signing
import TestSupport
import Testing

@testable import Documents

/// What is told of growers, names, those who sign in, books, messages and imports.
@Suite struct OrchardShapeTests {
    @Test func `what is told of real values fits its description`() async throws {
        try await withVillage { village in
            try await village.populate(try await village.plant())
            let (database, scope) = (village.database, village.committee)
            let store = OrchardStore(database)
            fit(Shapes.village, [village.village])
            fit(Shapes.cooperative, try await store.cooperatives(scope))
            fit(Shapes.grade, try await store.grades(scope))
            fit(Shapes.product, try await store.products(scope))
            fit(Shapes.household, try await store.households(scope))
            fit(Shapes.plot, try await store.plots(scope))
            fit(Shapes.householdHistory, [try await store.household("HE", scope)])
            fit(Shapes.plotHistory, [try await store.plot("E1", scope)])
            fit(Shapes.token, try await TokenStore(database).list(village: village.village.id))
            fit(
                Shapes.account,
                try await AccountStore(database, hasher: PasswordHasher()).list(village: village.village.id))
            for kind in ["batch", "sale", "account", "recall"] {
                fit(Shapes.auditEntry, try await AuditStore(database).list(scope, AuditFilter(kind: kind), limit: 500))
            }
            fit(Shapes.message, try await MessageStore(database).list(scope, limit: 500))
        }
    }

    @Test func `the books are closed through the newest closing, or not at all`() async throws {
        try await withVillage { village in
            let days = [100, 50].map { village.today.adding(days: -$0) }
            for day in days { try await village.change(ClosedBooks.close(through: day, today: village.today)) }
            let closings = try await ClosedBooks.closings(village.database, village.committee)
            fit(Shapes.closings, [closings, []])
            #expect(Shapes.closings.json(closings)["through"] == JSON(days[1]))
            #expect(closings.map { Shapes.closing.row(of: $0, .english)[0] } == days.reversed().map { "\($0)" })
        }
    }

    @Test func `a list says what a name was merged into, and what holds from the beginning`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            for name in ["等外", "次品"] { try await village.change(OrchardStore.addGrade(name: name)) }
            try await village.change(NameMerge.merge(.grade, from: "等外", to: "次品"))
            let ceiling = Weight(grams: 1_500_000)
            try await village.change(
                OrchardStore.addProduct(name: "冬枣", bestBeforeDays: nil, ceilingPerMu: ceiling))
            try await village.change(OrchardStore.addVariety(name: "一号", product: "冬枣"))
            try await village.change(OrchardStore.addVariety(name: "二号", product: "冬枣"))
            let store = OrchardStore(village.database)
            let grades = try await store.grades(village.committee).map { Shapes.grade.row(of: $0, .chinese) }
            #expect(grades.contains(["等外（并入 次品）"]) && grades.contains(["次品"]))
            let product = try #require(try await store.products(village.committee).last)
            #expect(Shapes.product.row(of: product, .chinese) == ["冬枣", "—", "\(ceiling)", "一号、二号"])
            let (plot, periods) = try await store.plot("E1", village.committee)
            #expect(Shapes.plot.row(of: plot, .english) == ["E1", plot.name, "东社", "HE", "蟠桃", "10.00"])
            #expect(
                periods.map { Shapes.plotPeriod.row(of: $0, .english) } == [["always", "HE", "东社", "蟠桃", "10.00"]])
        }
    }

    @Test func `a token is listed by its role unless it has a name, and as what has become of it`() async throws {
        try await withVillage { village in
            for (name, days) in [("auditor", 1), ("报表", 30)] {
                try await village.change(
                    TokenStore.create(
                        name: name, role: .auditor, cooperative: nil, days: days, maker: nil, now: village.clock.now))
            }
            let tokens = try await TokenStore(village.database).list(village: village.village.id)
            let shape = Shapes.tokens(at: village.clock.now.addingTimeInterval(7 * 86_400))
            let rows = tokens.map { shape.row(of: $0, .chinese) }
            #expect(rows.map { $0[1] } == ["审计", "报表"] && rows.allSatisfy { $0[4] == "本机" })
            #expect(rows.map { $0[6] } == ["已到期", "有效"])
        }
    }

    @Test func `a report of an import tells all in JSON and what there is to a person`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let report = try await village.load(
                lines: [
                    "sep=,", "户号,户主,网格,帮扶类别,合作社,人口,联系电话,备注", "HE,李四,一网格,一般户,东社,3,13800000000,甲",
                    "H9,王五,一网格,一般户,东社,很多,,乙",
                ], village.householdRegister(), partial: true)
            for language in Language.allCases { fit(Shapes.importReport(in: language), [report]) }
            let json = Shapes.importReport(in: .english).json(report)
            #expect(json["skipped"] == [["row": 1, "what": "a separator line"]] && json["ignoredColumns"] == ["备注"])
            let facts = Shapes.importReport(in: .chinese).facts(of: report, .chinese)
            #expect(
                facts.compactMap { fact in fact.text.map { "\(fact.title) \($0)" } } == [
                    "读到 2 行", "新记录 0 行", "已更新 1 行", "早已记录 0 行", "被拒 1 行", "未用的列 备注", "跳过的行 1 分隔符行",
                ])
            let change = try #require(report.changes.first)
            #expect(
                Shapes.registerChange.row(of: change, .chinese)
                    == ["3", "HE", "户主", "张三", "李四", "\(village.today)"])
            let refused = try #require(report.refused.first)
            #expect(Shapes.refusedRow(in: .chinese).row(of: refused, .chinese).prefix(2) == ["4", "人口"])
        }
    }
}
