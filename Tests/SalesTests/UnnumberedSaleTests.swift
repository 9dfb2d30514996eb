import Database
import Kernel
import Registers
import Sales
import TestSupport
import Testing

/// Sales that were recorded by hand without a number, and the register that has one for them.
@Suite struct UnnumberedSaleTests {
    private static let header = "日期,单号,合作社,采收单号,产品,数量斤,单价元每斤,金额元,渠道,买方,付款方式"
    private static let row = "2025-08-04,S1,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金"

    private func load(
        _ village: TestVillage, _ rows: String..., changed: ChangedRows? = nil
    ) async throws -> ImportReport {
        try await village.load(
            lines: [Self.header] + rows, SaleRegister(today: village.today), partial: true, changed: changed)
    }

    /// Slip `C1` of east with 100 斤, harvested on 2025-08-03.
    private func harvest(_ village: TestVillage) async throws -> Int64 {
        _ = try await village.plant()
        _ = try await village.load(
            lines: ["采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤", "C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,100"],
            village.harvestRegister())
        return try await village.number("SELECT number FROM batch")
    }

    @discardableResult
    private func sell(
        _ village: TestVillage, _ batch: Int64, grams: Int64 = 5000, price: String = "8.50/斤", replaces: Int64? = nil
    ) async throws -> Int64 {
        try await village.sell(
            NewSale(
                number: nil, day: CivilDay("2025-08-04"), channel: "批发", buyer: "王老板", paidHow: nil,
                lines: [.init(batch: batch, weight: Weight(grams: grams), price: Price(price))], replaces: replaces)
        ).id.value
    }

    private func left(_ village: TestVillage) async throws -> Int64 {
        try await village.number("SELECT sum(amount_fen - refunded_fen)::bigint FROM sale_line")
    }

    @Test(arguments: ["8.50/斤", "17/kg"]) func `one is asked about, and gets its number when it is said to be the row`(
        price: String
    ) async throws {
        try await withVillage { village in
            let sale = try await sell(village, harvest(village), price: price)
            let asked = try await load(village, Self.row)
            #expect(asked.refused.map(\.field) == ["单号"])
            #expect(asked.refused.first?.reason.en.contains("sale \(sale) ") == true)
            #expect(asked.changed == [ChangedRow(row: 2, field: "单号", recorded: "", entry: sale)])
            #expect(try await left(village) == 8500)
            let said = try await load(village, Self.row, changed: .correct)
            #expect([said.recorded, said.updated, said.refusedCount] == [0, 1, 0])
            #expect(try await village.number("SELECT count(*) FROM sale WHERE number = 'S1'") == 1)
            #expect(try await left(village) == 8500)
            for changed in [nil, .correct, .new] as [ChangedRows?] {
                #expect(try await load(village, Self.row, changed: changed).already == 1)
            }
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind = 'sale.number'") == 1)
        }
    }

    @Test func `another is a sale of its own`() async throws {
        try await withVillage { village in
            try await sell(village, harvest(village))
            #expect(try await load(village, Self.row, changed: .new).recorded == 1)
            #expect(try await left(village) == 17_000)
            for (index, other) in [
                Self.row.replacing(",10,8.5,85,", with: ",9,8.5,76.5,"), Self.row.replacing("王老板", with: "李老板"),
                Self.row.replacing("08-04", with: "08-05"), Self.row.replacing("批发", with: "电商"),
                Self.row.replacing("8.5,85,", with: "8.6,86,"),
            ].enumerated() {
                #expect(try await load(village, other.replacing("S1", with: "T\(index)")).recorded == 1, "\(other)")
            }
        }
    }

    @Test func `of two rows one may be it, whichever stands first`() async throws {
        try await withVillage { village in
            try await sell(village, harvest(village))
            let report = try await load(village, Self.row, Self.row.replacing("S1", with: "S2"))
            #expect([report.recorded, report.refusedCount] == [1, 1])
            #expect(try await left(village) == 17_000)
        }
    }

    @Test func `one that was recorded anew gets the number with what it replaces, in a closed year too`() async throws {
        try await withVillage { village in
            let batch = try await harvest(village)
            let wrong = try await sell(village, batch, grams: 50_000)
            try await village.change(SaleStore.reverse(wrong, reason: "应为 10 斤", today: village.today))
            // Reversed, it is no longer what a row may be.
            #expect(try await load(village, Self.row.replacing(",10,8.5,85,", with: ",100,8.5,850,")).recorded == 1)
            let reversed = try await village.number("SELECT id FROM sale WHERE number = 'S1'")
            try await village.change(SaleStore.reverse(reversed, reason: "多余", today: village.today))
            let right = try await sell(village, batch, replaces: wrong)
            _ = try await village.database.change(
                village.committee, ClosedBooks.close(through: CivilDay("2025-12-31"), today: village.today))
            let row = Self.row.replacing("S1", with: "S2")
            #expect(try await load(village, row).changed.map(\.entry) == [right])
            #expect(try await load(village, row, changed: .correct).updated == 1)
            #expect(try await village.number("SELECT count(*) FROM sale WHERE number = 'S2'") == 2)
            #expect(try await load(village, row).already == 1)
        }
    }

    @Test func `a sale keeps a number that it has`() async throws {
        try await withVillage { village in
            try await sell(village, harvest(village))
            _ = try await load(village, Self.row, changed: .correct)
            for column in ["number", "paid_how"] {
                let error = try await postgresError {
                    try await village.database.transaction(village.committee) {
                        try await $0.query("UPDATE sale SET \(identifier: column) = 'S9'")
                    }
                }
                #expect(error?.constraint == "sale_number_kept")
            }
        }
    }
}
