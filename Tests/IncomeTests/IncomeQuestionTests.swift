import Database
import Kernel
import Postgres
import Registers
import TestSupport
import Testing

@testable import Income

/// Rows of nothing, rows of what was entered by hand, and rows of what was put right since.
@Suite struct IncomeQuestionTests {
    private static let header = "日期,类别,摘要,金额元"
    private static let row = "2025-03-20,出租,冷库出租,500"

    private func load(
        _ village: TestVillage, _ rows: String..., changed: ChangedRows? = nil
    ) async throws -> ImportReport {
        try await village.load(
            lines: [Self.header] + rows, IncomeRegister(today: village.today), changed: changed)
    }

    @discardableResult
    private func enter(
        _ village: TestVillage, fen: Int64, memo: String = "冷库出租", corrects: Int64? = nil, day: String? = nil
    ) async throws -> Int64 {
        try await village.change(
            IncomeStore.enter(
                day: day.map { try CivilDay($0) }, source: .rent, memo: memo, amount: Money(fen: fen),
                corrects: corrects, today: village.today)
        ).id.value
    }

    private func total(_ village: TestVillage) async throws -> Int64 {
        try await village.number("SELECT coalesce(sum(amount_fen), 0)::bigint FROM income_entry")
    }

    @Test(arguments: ["\" ¥ -   \"", "-", "0", "0.00"]) func `a row of nothing is passed over, and the others recorded`(
        nothing: String
    ) async throws {
        try await withVillage { village in
            let rows = ["2025-03-19,出租,晒场,\(nothing)", Self.row, "2025-03-21,补助,良种,\(nothing)"]
            let first = try await load(village, rows[0], rows[1], rows[2])
            #expect([first.read, first.recorded, first.refusedCount] == [3, 1, 0])
            #expect(first.skipped.map(\.row) == [2, 4])
            #expect(Set(first.skipped.map(\.what.en)) == ["a row of nothing"])
            let again = try await load(village, rows[2], rows[1], rows[0], changed: .new)
            #expect([again.recorded, again.already, again.skipped.count] == [0, 1, 2])
            #expect(try await total(village) == 50_000)
        }
    }

    @Test func `a recorded row that says nothing now is asked about, and taken back`() async throws {
        try await withVillage { village in
            _ = try await load(village, Self.row, "2025-03-20,出租,晒场,300")
            let entry = try await village.number("SELECT min(id) FROM income_entry")
            let rows = ["2025-03-20,出租,冷库出租,-", "2025-03-20,出租,晒场,300", "2025-03-20,出租,机房,-"]
            let asked = try await load(village, rows[0], rows[1], rows[2])
            #expect(asked.changed == [ChangedRow(row: 2, field: "金额元", recorded: "500.00", entry: entry)])
            #expect([asked.refusedCount, asked.already] == [1, 1] && asked.skipped.map(\.row) == [4])
            #expect(try await load(village, rows[0], rows[1], rows[2], changed: .correct).updated == 1)
            #expect(try await total(village) == 30_000)
            #expect(try await load(village, rows[0], rows[1], changed: .correct).skipped.map(\.row) == [2])
            #expect(try await total(village) == 30_000)
        }
    }

    @Test func `an entry made by hand is asked about, and found in the register when it is said to be its row`()
        async throws
    {
        try await withVillage { village in
            let entry = try await enter(village, fen: 50_000, day: "2025-03-20")
            let asked = try await load(village, Self.row, Self.row)
            #expect([asked.refusedCount, asked.changed.count] == [1, 1] && asked.changed.map(\.entry) == [entry])
            #expect(asked.refused.first?.reason.zh.contains("第 \(entry) 笔") == true)
            #expect(try await total(village) == 50_000)
            #expect(try await load(village, Self.row, changed: .correct).updated == 1)
            #expect(try await load(village, Self.row).already == 1)
            #expect(try await total(village) == 50_000)
            #expect(try await load(village, Self.row, Self.row).recorded == 1)
            try await enter(village, fen: 7000, memo: "晒场", day: "2025-03-21")
            #expect(try await load(village, "2025-03-21,出租,晒场,70", changed: .new).recorded == 1)
            #expect(try await total(village) == 114_000)
        }
    }

    @Test func `an entry that was corrected since is told when the register says that it is right`() async throws {
        try await withVillage { village in
            _ = try await load(village, Self.row)
            let entry = try await village.number("SELECT id FROM income_entry")
            let correction = try await enter(village, fen: -5000, memo: "多记", corrects: entry, day: "2025-04-01")
            for changed in [nil, .new] as [ChangedRows?] {
                #expect(try await load(village, Self.row, changed: changed).already == 1)
            }
            let told = try await load(village, Self.row, changed: .correct)
            #expect(told.changed == [ChangedRow(row: 2, field: "金额元", recorded: "450.00", entry: entry)])
            #expect(told.refused.first?.reason.en.contains("on 2025-04-01 by entry \(correction) ") == true)
            #expect(told.refused.first?.reason.zh.contains("--corrects \(entry)") == true)
            #expect(try await total(village) == 45_000)
            #expect(try await load(village, Self.row.replacing("500", with: "450"), changed: .correct).already == 1)
        }
    }

    @Test func `what was taken back by hand of a closed year comes back with its corrected row`() async throws {
        try await withVillage { village in
            _ = try await load(village, Self.row)
            let entry = try await village.number("SELECT id FROM income_entry")
            _ = try await village.change(ClosedBooks.close(through: CivilDay("2025-12-31"), today: village.today))
            try await enter(village, fen: -50_000, memo: "金额写错", corrects: entry)
            let right = Self.row.replacing("500", with: "450")
            #expect(try await load(village, right).changed.map(\.entry) == [entry])
            #expect(try await load(village, right, changed: .correct).updated == 1)
            #expect(try await total(village) == 45_000)
            let late: SQL = "SELECT sum(amount_fen)::bigint FROM income_entry WHERE day > '2025-12-31'"
            #expect(try await village.number(late) == -5000)
            #expect(try await load(village, right, changed: .correct).already == 1)
            // What is new of a closed year is no correction.
            #expect(try await load(village, right, "2025-03-20,出租,晒场,70").refused.map(\.field) == ["日期"])
        }
    }

    @Test(arguments: [1, -1]) func `a counter is not moved without the correction that it counts`(fen: Int64)
        async throws
    {
        try await withVillage { village in
            let entry = try await enter(village, fen: 50_000)
            try await enter(village, fen: -1000, corrects: entry)
            let alone = try await postgresError {
                try await village.database.transaction(village.committee) {
                    try await $0.query(
                        "UPDATE income_entry SET corrected_fen = corrected_fen + \(fen) WHERE id = \(entry)")
                }
            }
            #expect(alone?.constraint == "income_entry_summed")
            let uncounted = try await postgresError {
                try await village.database.transaction(village.committee) {
                    try await $0.query(
                        """
                        INSERT INTO income_entry (village_id, day, source, memo, amount_fen, corrects, actor)
                        SELECT village_id, day, source, memo, \(fen), id, 'x' FROM income_entry WHERE id = \(entry)
                        """)
                }
            }
            #expect(uncounted?.constraint == "income_entry_summed")
        }
    }
}
