import Kernel
import Postgres
import Testing

@testable import Database

/// A village that has the books of before history was kept by value.
@Suite(OneServer()) struct HistoryMigrationTests {
    @Test func `what the books say has held from the beginning, and each batch is its plot's household's`() async throws
    {
        let settings = try await OneServer.newDatabase()
        let present = try Migrator.ofThisProgram()
        let before = Migrator(
            roles: present.roles, migrations: Array(present.migrations.prefix { $0.topic != "history" }))
        try #require(before.migrations.count < present.migrations.count)
        _ = try await before.migrate(using: settings)
        for statement in Self.books { try await run(settings, statement) }
        _ = try await present.migrate(using: settings)
        let batches = try await run(
            settings,
            """
            SELECT b.number || ' ' || coalesce(h.number, '-') || ' ' || coalesce(p.number, '-') AS batch
            FROM batch b LEFT JOIN household h ON h.id = b.household_id LEFT JOIN plot_period p ON p.id = b.plot_period_id
            ORDER BY b.number
            """)
        #expect(try batches?.map { try $0.decode(0, as: String.self) } == ["1 H1 P1", "2 H2 P2", "3 - -"])
        let lines = try await run(
            settings,
            """
            SELECT h.number || ' ' || h.head || ' ' || r.amount_fen FROM income_row r
            JOIN household h ON h.id = r.household_id WHERE r.source = 'sales' ORDER BY 1
            """)
        #expect(try lines?.map { try $0.decode(0, as: String.self) } == ["H1 张三 8500", "H2 李四 900"])
        let periods = try await run(
            settings,
            """
            SELECT (SELECT string_agg(from_day || head || support_class || people, ' ' ORDER BY id) FROM household_period)
                || ' ' || (SELECT string_agg(from_day || number || area_centimu, ' ' ORDER BY id) FROM plot_period)
            """)
        #expect(
            try periods?.first?.decode(0)
                == "1900-01-01张三一般户3 1900-01-01李四困难户2 1900-01-01P1500 1900-01-01P2600")
    }

    @Test func `texts of sales that differ in nothing that counts become spellings of one name`() async throws {
        let settings = try await OneServer.newDatabase()
        let present = try Migrator.ofThisProgram()
        let before = Migrator(
            roles: present.roles, migrations: Array(present.migrations.prefix { $0.topic != "history" }))
        _ = try await before.migrate(using: settings)
        for statement in Self.books { try await run(settings, statement) }
        let nasty = [
            "王\u{3000}老\u{A0}板\u{2009}", "果\u{200B}品\u{FEFF}\u{AD}社", "ＡＢｃ１２（甲）", "[乙]{丙}<丁>〔戊〕〖己〗《庚》「辛」",
            "㈱ﷺ", "é", "e\u{301}", "\u{202E}反", "ﾊﾞ", "\u{2061}丑\u{180E}", "A\tB\nC\u{85}\u{2028}", "①２③", "～—·",
        ]
        for (index, buyer) in nasty.enumerated() {
            try await run(
                settings,
                """
                INSERT INTO sale (village_id, id, cooperative_id, sold_on, channel, buyer, actor)
                VALUES (1, \(Int64(100 + index)), 1, '2024-06-26', '零售', \(buyer), 'x')
                """)
        }
        _ = try await present.migrate(using: settings)
        let names = try await run(
            settings, "SELECT kind || '|' || name FROM sale_name WHERE name !~ '[^零售王板老（）甲【】 李]' ORDER BY 1")
        #expect(
            try names?.map { try $0.decode(0, as: String.self) }
                == ["buyer|李", "buyer|王", "buyer|王老板（甲）", "channel|零售"])
        let spellings = try await run(settings, "SELECT name || '|' || meant FROM spelling ORDER BY kind, name")
        let told = try spellings?.map { try $0.decode(0, as: String.self) } ?? []
        #expect(told.contains("王老板(甲)|王老板（甲）"))
        #expect(Set(told).isSuperset(of: ["零售 |零售", "【零】售|零售"]))
        let forms = try await run(settings, "SELECT form FROM sale_name WHERE kind = 'buyer'")
        let expected = Set((nasty + ["王", "王老板(甲)", "李"]).map(CleanText.folded))
        #expect(Set(try forms?.map { try $0.decode(0, as: String.self) } ?? []) == expected)
    }

    private static let books: [SQL] = [
        "INSERT INTO village (id, name, brand, origin) VALUES (1, '村', '品', 'a.example')",
        "INSERT INTO cooperative (village_id, name) VALUES (1, '东社'), (1, '西社')",
        "INSERT INTO product (village_id, name, ceiling_g_per_mu) VALUES (1, '蟠桃', 1000000)",
        "INSERT INTO variety (village_id, product_id, name) VALUES (1, 1, '早露')",
        "INSERT INTO grade (village_id, name) VALUES (1, '特级')",
        """
        INSERT INTO household (village_id, cooperative_id, number, head, grid_cell, support_class, people)
        VALUES (1, 1, 'H1', '张三', '一网格', '一般户', 3), (1, 2, 'H2', '李四', '一网格', '困难户', 2)
        """,
        """
        INSERT INTO plot (village_id, cooperative_id, household_id, product_id, number, name, area_centimu)
        VALUES (1, 1, 1, 1, 'P1', '东园', 500), (1, 2, 2, 1, 'P2', '西园', 600)
        """,
        """
        INSERT INTO batch (village_id, number, cooperative_id, kind, plot_id, product_id, variety_id, grade_id,
            harvested_on, slip, in_g, out_g)
        VALUES (1, 1, 1, 'harvest', 1, 1, 1, 1, '2024-06-25', 'C1', 50000, 5000),
            (1, 2, 2, 'harvest', 2, 1, 1, 1, '2024-06-25', 'C1', 50000, 500),
            (1, 3, 1, 'blended', NULL, 1, 1, 1, '2024-06-25', NULL, 1000, 0)
        """,
        """
        INSERT INTO sale (village_id, id, cooperative_id, number, sold_on, channel, buyer, actor)
        VALUES (1, 1, 1, 'S1', '2024-06-26', '零售', '王', 'x'), (1, 2, 2, 'S1', '2024-06-26', '零售', '王', 'x'),
            (1, 3, 1, NULL, '2024-06-26', '零售 ', '王老板（甲）', 'x'),
            (1, 4, 1, NULL, '2024-06-26', '零售', '王老板(甲)', 'x'), (1, 5, 1, NULL, '2024-06-26', '【零】售', '李', 'x')
        """,
        """
        INSERT INTO sale_line (village_id, sale_id, line, cooperative_id, batch_number, grams, price_fen, price_basis,
            basis_g, amount_fen)
        VALUES (1, 1, 1, 1, 1, 5000, 850, 'jin', 500, 8500), (1, 2, 1, 2, 2, 500, 900, 'jin', 500, 900)
        """,
    ]
}
