import Database
import Income
import Kernel
import Postgres
import Registers
import TestSupport
import Testing

@Suite struct IncomeEntryTests {
    private func enter(
        _ village: TestVillage, fen: Int64, corrects: Int64? = nil, source: IncomeSource = .rent,
        day: CivilDay? = nil, memo: String = "冷库出租", as scope: Scope? = nil
    ) async throws -> Int64 {
        try await village.change(
            IncomeStore.enter(
                day: day ?? village.today, source: source, memo: memo, amount: Money(fen: fen), corrects: corrects,
                today: village.today), as: scope
        ).id.value
    }

    @Test func `only a correction that names its entry is below zero`() async throws {
        try await withVillage { village in
            for fen in [0, -1] as [Int64] {
                let refused = try await refusal { try await enter(village, fen: fen) }
                #expect(refused?.code == "amount-not-positive")
            }
            let entry = try await enter(village, fen: 10_000)
            let correction = try await enter(village, fen: -2500, corrects: entry)
            let other = try await refusal { try await enter(village, fen: -1, corrects: entry, source: .labour) }
            #expect(other?.code == "another-source")
            let below = try await refusal { try await enter(village, fen: -7501, corrects: entry) }
            #expect(below?.code == "corrected-below-zero")
            let twice = try await refusal { try await enter(village, fen: -1, corrects: correction) }
            #expect(twice?.code == "corrects-a-correction")
            let zero = try await refusal { try await enter(village, fen: 0, corrects: entry) }
            #expect(zero?.code == "amount-not-positive")
            let unknown = try await refusal { try await enter(village, fen: -1, corrects: correction + 100) }
            #expect(unknown?.code == "no-such-entry")
            let entries = try await IncomeStore(village.database).list(village.committee)
            #expect(entries.map(\.amount.fen) == [-2500, 10_000])
            #expect(entries.map(\.corrects) == [entry, nil])
            let sum = try await IncomeRowStore(village.database).summary(
                from: village.today, to: village.today, by: [.source], village.committee)
            #expect(sum.rows.map(\.values) == [["rent"]])
            #expect(sum.total.fen == 7500)
        }
    }

    @Test func `a correction falls on the day of what it corrects unless told otherwise`() async throws {
        try await withVillage { village in
            let day = village.today.adding(days: -400)
            let entry = try await enter(village, fen: 10_000, day: day)
            let correction = try await village.change(
                IncomeStore.enter(
                    day: nil, source: .rent, memo: "多记", amount: Money(fen: -10_000), corrects: entry,
                    today: village.today))
            #expect(correction.day == day)
            let fresh = try await village.change(
                IncomeStore.enter(
                    day: nil, source: .rent, memo: "", amount: Money(fen: 1), corrects: nil, today: village.today))
            #expect(fresh.day == village.today)
        }
    }

    @Test func `corrections at one moment don't go below zero together`() async throws {
        try await withVillage { village in
            let entry = try await enter(village, fen: 10_000)
            let refused = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<6 {
                    group.addTask { try await refusal { try await enter(village, fen: -3000, corrects: entry) }?.code }
                }
                return try await group.reduce(into: [String]()) { codes, code in if let code { codes.append(code) } }
            }
            #expect(refused == ["corrected-below-zero", "corrected-below-zero", "corrected-below-zero"])
            let left = "SELECT sum(amount_fen)::bigint FROM income_entry" as SQL
            #expect(try await village.number(left) == 1000)
        }
    }

    @Test func `a late correction of a closed year is dated after it`() async throws {
        try await withVillage { village in
            let day = village.today.adding(days: -400)
            let entry = try await enter(village, fen: 10_000, day: day)
            try await village.change(ClosedBooks.close(through: day.adding(days: 1), today: village.today))
            for late in [day, day.adding(days: 1)] {
                let refused = try await refusal { try await enter(village, fen: 5, day: late) }
                #expect(refused?.code == "books-closed" && refused?.field == "day")
            }
            let correction = try await village.change(
                IncomeStore.enter(
                    day: nil, source: .rent, memo: "多记", amount: Money(fen: -10), corrects: entry, today: village.today)
            )
            #expect(correction.day == village.today)
            // The guard is in the database.
            let error = try await postgresError {
                try await village.database.transaction(village.committee) {
                    try await $0.query(
                        """
                        INSERT INTO income_entry (village_id, day, source, memo, amount_fen, actor)
                        VALUES (1, \(day), 'rent', '', 5, 'x')
                        """)
                }
            }
            #expect(error?.constraint == "books_closed")
            let back = try await refusal {
                try await village.change(ClosedBooks.close(through: day, today: village.today))
            }
            #expect(back?.code == "closed-already")
        }
    }

    @Test func `the database itself refuses an amount below zero that corrects nothing`() async throws {
        try await withVillage { village in
            let error = try await postgresError {
                try await village.database.transaction(village.committee) {
                    try await $0.query(
                        """
                        INSERT INTO income_entry (village_id, day, source, memo, amount_fen, actor)
                        VALUES (1, '2026-01-01', 'rent', '', -5, 'x')
                        """)
                }
            }
            #expect(error?.constraint == "income_entry_only_corrections_negative")
        }
    }

    @Test func `what is entered has its limits`() async throws {
        try await withVillage { village in
            let tomorrow = village.today.adding(days: 1)
            let future = try await refusal { try await enter(village, fen: 1, day: tomorrow) }
            #expect(future?.code == "income-in-future")
            for source in [IncomeSource.sales, .tours] {
                let refused = try await refusal { try await enter(village, fen: 1, source: source) }
                #expect(refused?.code == "unknown-source")
            }
            for memo in [String(repeating: "注", count: 501), "a\nb"] {
                let refused = try await refusal { try await enter(village, fen: 1, memo: memo) }
                #expect(refused?.field == "memo")
            }
            _ = try await enter(village, fen: 1, memo: String(repeating: "注", count: 500))
            for source in IncomeSource.entered { _ = try await enter(village, fen: 1, source: source) }
        }
    }

    @Test func `a clerk enters no income`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            await #expect(throws: (any Error).self) {
                try await enter(village, fen: 1, as: village.clerk(of: orchard.east))
            }
            #expect(try await village.number("SELECT count(*) FROM income_entry") == 0)
        }
    }
}

@Suite struct IncomeRegisterTests {
    private static let header = "日期,类别,摘要,金额元"

    private func load(_ village: TestVillage, _ rows: String..., as scope: Scope? = nil, partial: Bool = false)
        async throws -> ImportReport
    {
        try await village.load(
            lines: [Self.header] + rows, IncomeRegister(today: village.today), as: scope, partial: partial)
    }

    @Test func `the sample is recorded once`() async throws {
        try await withVillage { village in
            let recorder = IncomeRegister(today: village.today)
            let first = try await village.load(Samples.path("income.csv"), recorder)
            #expect([first.read, first.recorded, first.already, first.refusedCount] == [16, 16, 0, 0])
            let again = try await village.load(Samples.path("income.csv"), recorder)
            #expect([again.read, again.recorded, again.already, again.refusedCount] == [16, 0, 16, 0])
        }
    }

    @Test func `equal rows of one file count each, and once however often the file comes`() async throws {
        try await withVillage { village in
            let row = "2025-01-15,出租,冷库出租,100"
            for (recorded, already) in [(2, 0), (0, 2)] {
                let report = try await load(village, row, row)
                #expect([report.recorded, report.already] == [recorded, already])
            }
            let longer = try await load(village, row, row, row)
            #expect([longer.recorded, longer.already] == [1, 2])
            #expect(try await village.number("SELECT sum(amount_fen)::bigint FROM income_entry") == 30_000)
        }
    }

    @Test(arguments: [
        ("2025-01-15,出租,冷库出租,200", "金额元"), ("2025-01-15,出租,冷库租金,100", "摘要"),
        ("2025-01-14,出租,冷库出租,100", "日期"),
    ])
    func `a row that was changed after it was recorded is refused, not counted again`(changed: String, field: String)
        async throws
    {
        try await withVillage { village in
            let (rent, other) = ("2025-01-15,出租,冷库出租,100", "2025-01-15,出租,机房出租,300")
            _ = try await load(village, rent, other)
            let report = try await load(
                village, other, changed, "2025-01-13,出租,机房出租,500", "2025-01-16,出租,冷库出租,700", partial: true)
            #expect([report.recorded, report.already, report.refusedCount] == [2, 1, 1])
            #expect(report.refused.map(\.field) == [field])
            #expect(report.refused.map(\.row) == [3])
            #expect(try await village.number("SELECT sum(amount_fen)::bigint FROM income_entry") == 160_000)
        }
    }

    @Test func `the same rent each month is no changed row`() async throws {
        try await withVillage { village in
            let months = ["2025-01-15", "2025-02-15", "2025-03-15"].map { "\($0),出租,冷库出租,100" }
            _ = try await load(village, months[0])
            _ = try await load(village, months[0], months[1])
            let alone = try await load(village, months[2])
            #expect([alone.recorded, alone.refusedCount] == [1, 0])
            #expect(try await load(village, months[0], months[1], months[2]).already == 3)
        }
    }

    @Test func `a register that has been corrected like the books is recorded already`() async throws {
        try await withVillage { village in
            let row = "2025-01-15,出租,冷库出租,"
            _ = try await load(village, row + "100")
            let entry = try await village.number("SELECT id FROM income_entry")
            _ = try await village.change(
                IncomeStore.enter(
                    day: CivilDay("2025-02-01"), source: .rent, memo: "多记", amount: Money(fen: -1000), corrects: entry,
                    today: village.today))
            for amount in ["90", "100"] {
                let report = try await load(village, row + amount)
                #expect([report.recorded, report.already] == [0, 1], "\(amount)")
            }
            #expect(try await load(village, row + "80").refused.map(\.field) == ["金额元"])
        }
    }

    private func total(_ village: TestVillage) async throws -> Int64 {
        try await village.number("SELECT coalesce(sum(amount_fen), 0)::bigint FROM income_entry")
    }

    @Test func `what is left over beside what is left over is asked about, and new when it is said to be`() async throws
    {
        try await withVillage { village in
            _ = try await load(village, "2025-03-20,出租,冷库出租,500")
            let entry = try await village.number("SELECT id FROM income_entry")
            let b = ["2025-03-20,出租,晒场出租,500"]
            let c = ["2025-02-20,出租,冷库出租,500", "2025-04-20,出租,冷库出租,500"]
            let asked = try await load(village, b[0])
            #expect(asked.refused.map(\.field) == ["摘要"])
            #expect(asked.refused.first?.reason.zh.contains("第 \(entry) 笔") == true)
            #expect(asked.changed == [ChangedRow(row: 2, field: "摘要", recorded: "冷库出租", entry: entry)])
            #expect(try await load(village, c[0], c[1]).changed.map(\.entry) == [entry])
            #expect(try await total(village) == 50_000)
            for rows in [b, c] {
                let report = try await village.load(
                    lines: [Self.header] + rows, IncomeRegister(today: village.today), changed: .new)
                #expect(report.recorded == rows.count && report.refusedCount == 0)
            }
            #expect(try await total(village) == 200_000)
            #expect(try await load(village, "2025-03-20,出租,冷库出租,500", b[0], c[0], c[1]).already == 4)
        }
    }

    @Test func `a corrected row corrects the books when it is said to`() async throws {
        try await withVillage { village in
            _ = try await load(village, "2025-03-20,其他,冷库,500")
            let changed = "2025-03-20,出租,冷库,500"
            #expect(try await load(village, changed).refused.map(\.field) == ["类别"])
            for again in [false, true] {
                let report = try await village.load(
                    lines: [Self.header, changed], IncomeRegister(today: village.today), changed: .correct)
                #expect([report.updated, report.already] == (again ? [0, 1] : [1, 0]))
                #expect(try await total(village) == 50_000)
            }
            let bySource = try await village.number(
                "SELECT sum(amount_fen)::bigint FROM income_entry WHERE source = 'rent'")
            #expect(bySource == 50_000)
            #expect(try await load(village, "2025-03-20,其他,冷库,500").already == 1, "the old file is recorded too")
            let less = try await village.load(
                lines: [Self.header, "2025-03-20,出租,冷库,450"], IncomeRegister(today: village.today), changed: .correct)
            #expect(less.updated == 1 && less.changed.map(\.recorded) == ["500.00"])
            #expect(try await total(village) == 45_000)
            #expect(try await load(village, "2025-03-20,出租,冷库,450").already == 1)
            #expect(try await village.number("SELECT count(*) FROM income_entry WHERE corrects IS NOT NULL") == 2)
        }
    }

    @Test func `any number of rows of one day is recorded, in any order`() async throws {
        try await withVillage { village in
            let rows = (1...5001).map { "2025-06-01,劳务,采摘用工服务,\($0).00" }
            let lines = [Self.header] + rows
            #expect(try await village.load(lines: lines, IncomeRegister(today: village.today)).recorded == 5001)
            #expect(try await total(village) == 1_250_750_100)
            let turned = try await village.load(
                lines: [Self.header] + rows.reversed(), IncomeRegister(today: village.today))
            #expect([turned.already, turned.refusedCount] == [5001, 0])
            let one = rows.dropLast() + ["2025-06-01,劳务,采摘用工服务,5002.00"]
            for order in [Array(one), one.reversed()] {
                let asked = try await village.load(
                    lines: [Self.header] + order, IncomeRegister(today: village.today), partial: true)
                #expect([asked.already, asked.refusedCount, asked.recorded] == [5000, 1, 0])
                #expect(asked.changed.map(\.recorded) == ["5001.00"])
            }
        }
    }

    @Test func `a dry run tells all and records nothing`() async throws {
        try await withVillage { village in
            let report = try await village.load(
                Samples.path("income.csv"), IncomeRegister(today: village.today), dryRun: true)
            #expect(report.isDryRun && report.recorded == 16)
            #expect(try await village.number("SELECT count(*) FROM income_entry") == 0)
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind LIKE 'import.%'") == 0)
        }
    }

    @Test func `titles, units and totals are named and not counted`() async throws {
        try await withVillage { village in
            let report = try await village.load(
                lines: ["sep=,", "其他收入,,,", "单位：元,,,", Self.header, "2025-03-20,出租,冷库, ¥ 500.00 ", "合计,,,500"],
                IncomeRegister(today: village.today))
            #expect([report.read, report.recorded, report.refusedCount] == [1, 1, 0])
            #expect(report.skipped.map(\.row) == [1, 2, 3, 6])
            #expect(report.skipped.map(\.what.zh) == ["分隔符行", "标题行", "单位行", "合计行"])
        }
    }

    @Test func `two rows of one day that differ are two, whatever comes in between`() async throws {
        try await withVillage { village in
            let (one, two) = ("2025-01-15,出租,冷库出租,100", "2025-01-15,出租,冷库出租,200")
            let three = "2025-01-15,出租,机房出租,100"
            let first = try await load(village, one, two, three)
            let again = try await load(village, three, one, two)
            #expect([first.recorded, again.already] == [3, 3])
        }
    }

    @Test(arguments: [
        ("2025-01-15,出租,冷库,-1", "金额元"), ("2025-01-15,出租,冷库,", "金额元"), ("2025-01-15,出租,冷库,1.005", "金额元"),
        ("2025-01-15,中奖,彩票,1", "类别"), ("2025-01-15,农产品销售,桃,1", "类别"), ("2025-02-30,出租,冷库,1", "日期"),
        ("2099-01-15,出租,冷库,1", "日期"),
    ])
    func `what is wrong is named`(row: String, field: String) async throws {
        try await withVillage { village in
            let report = try await load(village, "2025-01-15,出租,冷库,1", row)
            #expect(report.refused.map(\.field) == [field])
            #expect(report.refused.map(\.row) == [3])
            #expect(try await village.number("SELECT count(*) FROM income_entry") == 0)
            let partial = try await load(village, "2025-01-15,出租,冷库,1", row, partial: true)
            #expect([partial.recorded, partial.refusedCount] == [1, 1])
        }
    }

    @Test func `a clerk imports no income`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let clerk = village.clerk(of: orchard.east)
            let refused = try await refusal { try await load(village, "2025-01-15,出租,冷库,1", as: clerk) }
            #expect(refused?.kind == .forbidden)
        }
    }

    @Test(arguments: [
        ("发包及上交", IncomeSource.contracting), ("出租", .rent), ("租金", .rent), ("租金收入", .rent), ("补助", .subsidy),
        ("劳务收入", .labour), ("投资收益", .investment), ("其他", .other), ("其他收入", .other), ("RENT", .rent),
    ])
    func `sources are read as registers spell them`(text: String, source: IncomeSource) throws {
        #expect(try IncomeSource(entered: text) == source)
    }
}
