import Batches
import Database
import Kernel
import Postgres
import Registers

/// What becomes of a row whose slip, or whose harvest without one, is in the books: it says the same, it waits, or the
/// harvest is corrected as the register was.
extension HarvestRegister {
    private static let correctable = [weight, grade, picker]

    mutating func settle(
        _ entry: Entry, beside old: Recorded, _ known: inout Known?, _ transaction: Transaction, _ scope: Scope
    ) async throws -> RowOutcome {
        let row = entry.beside(old)
        let what = Bilingual(zh: "采收单号 \(entry.slip.shortened) ", en: "slip \(entry.slip.shortened)")
        guard let refusal = row.refusal("slip-differs", what) else { return .already }
        guard let batch = old.batch, let change = row.changed(row: entry.row, entry: batch) else { throw refusal }
        changed.append(change)
        guard context.choices.changed == .correct else { throw refusal }
        if let refusal = row.refusal("slip-differs", what, correcting: Self.correctable) { throw refusal }
        let right = RightHarvest(weight: entry.weight, grade: entry.gradeName, picker: entry.picker)
        do {
            let correction = try await BatchStore.correct(batch, right, reason: "登记簿已更正", today: today)(
                transaction, scope)
            // Knows of harvests that are still on their way.
            try ledger.count(entry, insteadOf: old.weight)
            _ = try await correction.write(in: transaction, scope)
        } catch let refusal as Refusal {
            throw refusal.renamed(field: refusal.field.flatMap { Self.columnNames[$0] } ?? Self.slip.name)
        }
        known?.present = Recorded(
            batch: batch, slip: entry.slip, plot: old.plot, variety: old.variety, grade: entry.gradeName, day: old.day,
            weight: entry.weight, picker: entry.picker ?? old.picker)
        return .updated([])
    }

    /// Gives a batch the slip of the row that it is, if that is said; else the row waits.
    mutating func number(
        _ batch: Int64, as entry: Entry, _ transaction: Transaction, _ scope: Scope
    ) async throws -> RowOutcome {
        changed.append(ChangedRow(row: entry.row, field: Self.slip.name, recorded: "", entry: batch))
        guard context.choices.changed == .correct else {
            throw Refusal(
                .conflict, "slip-missing", field: Self.slip.name,
                zh: "批次 \(batch) 是同一地块同一天同样多的采收，还没有单号；就是这一笔请用 --changed correct（changed=correct），"
                    + "是另一笔请用 --changed new（changed=new）",
                en:
                    "batch \(batch) is as much from the same plot on the same day and has no slip yet: if this is it, say "
                    + "--changed correct (changed=correct), if it is another, --changed new (changed=new)")
        }
        do {
            let right = RightHarvest(slip: entry.slip, picker: entry.picker)
            _ = try await BatchStore.correct(batch, right, reason: "登记簿补录单号", today: today)(transaction, scope)
                .write(in: transaction, scope)
        } catch let refusal as Refusal {
            throw refusal.renamed(field: Self.slip.name)
        }
        return .updated([])
    }

    /// Which columns a correction's fields are.
    private static let columnNames = [
        "weight": weight.name, "grade": grade.name, "picker": picker.name, weight.name: weight.name,
    ]
}
