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

    /// - Throws: a `Refusal` when what the row says was put right since: who is right can't be told from here.
    mutating func checkIsPresent(_ entry: Entry, _ past: Recorded, _ present: Recorded?) throws {
        guard let batch = past.batch, let day = past.correctedOn, present.map(entry.says) != true else { return }
        changed.append(
            present.flatMap { entry.beside($0).changed(row: entry.row, entry: batch) }
                ?? ChangedRow(row: entry.row, field: Self.slip.name, recorded: past.slip ?? "", entry: batch))
        let slip = entry.slip.shortened
        if past.isVoid {
            throw Refusal(
                .conflict, "corrected-since", field: Self.slip.name,
                zh: "采收单号 \(slip)（批次 \(batch)）已于 \(day) 作废；作废对就从登记簿删去这一行，登记簿对就用 batch register "
                    + "--slip \(slip) 重新登记",
                en: "slip \(slip) (batch \(batch)) was voided on \(day): take the row out of the register, or if it is "
                    + "right, register it anew with batch register --slip \(slip)")
        }
        let back = "batch correct --batch \(batch)"
        throw Refusal.olderContent(
            field: Self.slip.name, zh: "采收单号 \(slip)（批次 \(batch)）已于 \(day) 更正",
            en: "slip \(slip) (batch \(batch)) was corrected on \(day)", back: Bilingual(zh: back, en: back))
    }

    /// - Parameter past: what was recorded under the slip and is no longer.
    /// - Throws: a `Refusal` when the books of the row's day are closed.
    func checkIsOpen(_ entry: Entry, _ past: Recorded?) throws {
        do {
            try ClosedBooks.check(entry.day, through: context.closedThrough, field: Self.day.name)
        } catch let closed {
            guard let past, past.isVoid, let batch = past.batch else { throw closed }
            throw Refusal(
                .conflict, "books-closed", field: Self.day.name,
                zh: "批次 \(batch) 已作废，\(entry.day) 又在已结账的期间，登记簿不能再记；请用 batch register --slip "
                    + "\(entry.slip.shortened) 登记为结账以后的采收",
                en:
                    "batch \(batch) is void, and \(entry.day) is of a period that is closed, so that the register can't "
                    + "record it again: enter it with batch register --slip \(entry.slip.shortened), dated after the closing"
            )
        }
    }

    /// Gives a batch the slip of the row that it is, if that is said; else the row waits.
    mutating func number(
        _ batch: Int64, as entry: Entry, _ transaction: Transaction, _ scope: Scope
    ) async throws -> RowOutcome {
        changed.append(ChangedRow(row: entry.row, field: Self.slip.name, recorded: "", entry: batch))
        guard context.choices.changed == .correct else {
            throw Refusal.isItThis(
                "slip-missing", field: Self.slip.name, zh: "批次 \(batch) 是同一地块同一天同样多的采收，还没有单号",
                en: "batch \(batch) is as much from the same plot on the same day and has no slip yet")
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
