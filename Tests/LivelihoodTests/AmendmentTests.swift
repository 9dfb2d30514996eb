import Batches
import Codes
import Database
import Foundation
import Income
import Kernel
import Sales
import TestSupport
import Testing
import Tours

@testable import Livelihood

/// What a report tells of what was put right: of earlier periods, and since a report before.
@Suite struct AmendmentTests {
    private func drawUp(_ village: TestVillage, _ year: Int) async throws -> LivelihoodReport {
        try await LivelihoodStore(village.database).drawUp(
            year: year, clock: village.clock.clock, village.committee)
    }

    private func line(_ batch: Int64, jin: Int64) throws -> NewSale.Line {
        NewSale.Line(batch: batch, weight: Weight(grams: jin * 500), price: try Price(fen: 800, basis: .jin))
    }

    private func reverse(_ village: TestVillage, _ sale: Sale) async throws {
        _ = try await village.change(SaleStore.reverse(sale.id.value, reason: "多写", today: village.today))
    }

    private func rows(_ report: LivelihoodReport, _ name: LivelihoodTable.Name) -> [[String]] {
        report.amendments(.chinese).first { $0.name == name }?.rows.map { $0.map(\.text) } ?? []
    }

    @Test func `what takes away from income is told below zero, and an import with its rows and money`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let today = village.today
            let batch = try await village.register(village.harvest()).batch
            let sales = [
                try await village.sell(village.sale([line(batch, jin: 6)])),
                try await village.sell(village.sale([line(batch, jin: 8)])),
            ]
            _ = try await drawUp(village, today.year)
            try await reverse(village, sales[0])
            _ = try await village.change(
                SaleStore.takeBack(
                    Weight(grams: 2000), goods: .back, refund: Money(fen: 3200), of: sales[1].id.value, line: 1,
                    reason: "压坏", today: today))
            let past = today.adding(days: -400)
            _ = try await village.load(
                lines: ["日期,类别,摘要,金额元", "\(today),出租,冷库,5", "\(today),出租,晒场,7", "\(past),出租,冷库,900"],
                IncomeRegister(today: today), kind: "income")
            _ = try await village.load(
                lines: ["日期,类别,摘要,金额元", "\(past),出租,仓库,900"], IncomeRegister(today: today), kind: "income")
            _ = try await village.load(
                lines: [
                    "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤", "C1,\(today),东社,E1,蟠桃,124蟠桃,一级,100",
                ], village.harvestRegister(), kind: "harvest")
            _ = try await village.load(
                lines: [
                    "日期,单号,合作社,采收单号,产品,数量斤,单价元每斤,金额元,渠道,买方,付款方式", "\(today),S9,东社,C1,蟠桃,10,8,80,零售,王老板,现金",
                ], SaleRegister(today: today), kind: "sales")
            _ = try await village.load(
                lines: ["户号,户主,网格,帮扶类别,合作社,人口,联系电话", "H9,李四,一网格,一般户,东社,3,"], village.householdRegister(),
                kind: "households")
            let report = try await drawUp(village, today.year)
            #expect(
                rows(report, .changes).map { [$0[2], $0[3]] } == [
                    ["销售冲销 \(sales[0].id)", "-48.00"], ["退货 \(sales[1].id)", "-32.00"], ["导入其他收入，2 行", "12.00"],
                    ["导入采收登记，1 行", "—"], ["导入销售流水，1 行", "80.00"], ["导入农户名册，1 行", "—"],
                ])
        }
    }

    @Test func `people who are entered late are told of, also those of a closed day`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let day = village.today.adding(days: -3)
            let session = try await village.addSession(on: day)
            let bookings = [
                try await village.addBooking([session], headcount: 10),
                try await village.addBooking([session], headcount: 20),
                try await village.addBooking([session], headcount: 30),
                try await village.addBooking([session], headcount: 20),
            ]
            let now = village.clock.now
            _ = try await drawUp(village, village.today.year)
            func key(_ index: Int) -> BookingKey { .number(bookings[index].number) }
            try await village.change(BookingStore.complete(key(0), arrived: 9, now: now))
            try await village.change(ClosedBooks.close(through: day, today: village.today))
            try await village.change(BookingStore.complete(key(1), arrived: 18, now: now))
            let scan = CheckInEntry(
                code: bookings[2].reference.text, headcount: 27, nonce: "late-scan",
                at: now.addingTimeInterval(-3 * 86_400), session: session)
            let kept = try await CheckInStore(village.database, keys: village.keys).bringIn(
                [scan], now: now, village.committee)
            guard case .answered(let answer) = kept.first, let conflict = answer.number else {
                Issue.record("\(kept)")
                return
            }
            try await village.change(GateConflictStore.settle(conflict, accept: true, reason: "问过", now: now))
            try await village.change(BookingStore.noShow(key(3), now: now))
            let report = try await drawUp(village, village.today.year)
            let today = "\(village.today)"
            #expect(
                rows(report, .changes).map { [$0[1], $0[2]] } == [
                    ["\(day)", "预约 \(bookings[0].number)，到 9 人"], [today, "预约 \(bookings[1].number)，到 18 人"],
                    [today, "预约 \(bookings[2].number)，到 27 人"], [today, "预约 \(bookings[3].number)"],
                ])
        }
    }

    @Test func `a late correction is the difference, however often the sale is recorded anew`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let today = village.today
            let last = try #require(CivilDay(year: today.year - 1, month: 12, day: 31))
            let batch = try await village.register(village.harvest(day: last)).batch
            let first = try await village.sell(village.sale([line(batch, jin: 10)], day: last))
            try await village.change(ClosedBooks.close(through: last, today: today))
            try await reverse(village, first)
            let late: Set<NewSale.Question> = [.pastBestBefore]
            let second = try await village.sell(
                village.sale([line(batch, jin: 8)], replaces: first.id.value, confirmed: late))
            func earlier() async throws -> [Int64] {
                let summary = try await IncomeRowStore(village.database).summary(
                    from: last.adding(days: 1), to: today, by: [], village.committee)
                let told = try await drawUp(village, today.year).figures.corrections ?? []
                return [summary.total.fen, summary.earlier.fen, told.reduce(0) { $0 + $1.fen }]
            }
            #expect(try await earlier() == [-1600, -1600, -1600])
            #expect(
                rows(try await drawUp(village, today.year), .earlier) == [
                    ["\(today)", "\(last)", "销售冲销 \(first.id)", "-80.00"],
                    ["\(today)", "\(last)", "重新登记的销售 \(second.id)", "64.00"],
                ])
            try await reverse(village, second)
            _ = try await village.sell(
                village.sale([line(batch, jin: 9)], replaces: second.id.value, confirmed: late))
            #expect(try await earlier() == [-800, -800, -800])
        }
    }

    @Test func `a closed year's batch that is put right is told of, and moves nothing in that year`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let today = village.today
            let last = try #require(CivilDay(year: today.year - 1, month: 12, day: 31))
            let void = try await village.register(village.harvest(day: last)).batch
            let wrong = try await village.register(village.harvest(day: last)).batch
            let before = try await drawUp(village, last.year)
            try await village.change(ClosedBooks.close(through: last, today: today))
            try await village.change(CodeStore.void(batch: void, reason: "重复登记", today: today))
            _ = try await village.change(
                BatchStore.correct(wrong, RightHarvest(weight: Weight(grams: 90_000)), reason: "x", today: today))
            _ = try await village.change(
                BatchStore.correct(wrong, RightHarvest(slip: "C1"), reason: "x", today: today))
            let after = try await drawUp(village, last.year)
            #expect(after.id == before.id && after.figures == before.figures)
            #expect(before.figures.products.map(\.harvestedGrams.this) == [200_000])
            let report = try await drawUp(village, today.year)
            #expect(
                rows(report, .earlierHarvests) == [
                    ["\(today)", "\(last)", "作废批次 \(void)", "蟠桃", "-200.0"],
                    ["\(today)", "\(last)", "更正批次 \(wrong)", "蟠桃", "-20.0"],
                ])
            #expect(report.figures.harvestCorrections?.map(\.grams) == [-100_000, -10_000])
        }
    }
}
