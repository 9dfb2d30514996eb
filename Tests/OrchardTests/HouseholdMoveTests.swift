import Kernel
import Orchard
import Registers
import TestSupport
import Testing

/// What becomes of the plots of a household that changes its cooperative.
@Suite struct HouseholdMoveTests {
    private static let header = "户号,户主,网格,帮扶类别,合作社,人口,联系电话"

    @Test func `the answer names the plots that stay where they were`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let row = "HE,张三,一网格,一般户,西社,3,13800000000"
            let day = village.today.adding(days: -3)
            let moved = try await village.load(lines: [Self.header, row], village.householdRegister(asOf: day))
            #expect(moved.notes.count == 1)
            let note = try #require(moved.notes.first)
            #expect(note.zh.contains("HE") && note.zh.contains("E1、E2 仍属“东社”") && note.zh.contains("--as-of \(day)"))
            let again = try await village.load(lines: [Self.header, row], village.householdRegister(asOf: day))
            #expect(again.notes.isEmpty && again.already == 1)
            // As the note has it, they are moved by their own register.
            let plots = try await village.load(
                lines: ["地块号,名称,合作社,户号,作物,面积亩,经度,纬度", "E1,E1,西社,HE,蟠桃,10,,"], village.plotRegister(asOf: day))
            #expect(plots.updated == 1)
            let back = try await village.load(
                lines: [Self.header, row.replacing("西社", with: "东社")], village.householdRegister())
            #expect(back.notes.count == 1 && back.notes[0].zh.contains("地块 E1 仍属“西社”"))
        }
    }

    @Test func `a household that stays says nothing of plots, nor one whose rows are not recorded`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let stays = "HE,李四,一网格,一般户,东社,3,13800000000"
            #expect(try await village.load(lines: [Self.header, stays], village.householdRegister()).notes.isEmpty)
            let refused = try await village.load(
                lines: [Self.header, "HE,李四,一网格,一般户,西社,3,13800000000", "HW,李四,一网格,一般户,西社,0,13800000000"],
                village.householdRegister())
            #expect(refused.refusedCount == 1 && refused.notes.isEmpty)
        }
    }
}
