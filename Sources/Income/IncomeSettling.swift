import Database
import Kernel
import Postgres
import Registers

/// What becomes of a row beside what the books hold: it is recorded, it is one that is there, or it waits.
extension IncomeRegister {
    mutating func outcome(
        _ row: RegisterRow, _ verdict: IncomeStaging.Verdict, _ new: inout [Int], _ corrections: inout [SQL],
        _ scope: Scope
    ) throws -> RowOutcome {
        guard verdict.kind != .already else { return .already }
        let said = try read(row)
        let choice = context.choices.changed
        switch verdict.kind {
        case .earlier where choice != .correct: return .already
        case .earlier:
            if let entry = verdict.entry { throw corrected(row, entry, verdict) }
        case .entered where choice != .new:
            if let entry = verdict.entry {
                changed.append(
                    ChangedRow(row: row.number, field: Self.amount.name, recorded: "\(said.amount)", entry: entry))
                guard choice == .correct else { throw Self.enteredByHand(entry) }
                corrections.append(IncomeStaging.adopt(entry, line: row.number, scope).touching(1))
                return .updated([])
            }
        case .changed where choice != .new:
            if let old = Recorded(verdict) { return try settle(row, said, old, &new, &corrections, scope) }
        case .already, .changed, .entered, .new, .nothing: break
        }
        guard said.amount != .zero else {
            return .passedOver(Bilingual(zh: "金额为零，没有收入", en: "a row of nothing"))
        }
        try ClosedBooks.check(said.day, through: context.closedThrough, field: Self.day.name)
        new.append(row.number)
        return .recorded
    }

    private mutating func settle(
        _ row: RegisterRow, _ said: Entry, _ old: Recorded, _ new: inout [Int], _ corrections: inout [SQL],
        _ scope: Scope
    ) throws -> RowOutcome {
        let difference = Self.difference(said, old)
        changed.append(
            ChangedRow(row: row.number, field: difference.column, recorded: difference.recorded, entry: old.entry))
        guard context.choices.changed == .correct else { throw Self.mayBeChanged(old, difference) }
        if try correct(old, as: said, &corrections, scope) { new.append(row.number) }
        return .updated([])
    }

    /// The row says what was recorded before somebody corrected it: who is right can't be told from here.
    private mutating func corrected(
        _ row: RegisterRow, _ entry: Int64, _ verdict: IncomeStaging.Verdict
    ) -> Refusal {
        let now = verdict.amount ?? .zero
        changed.append(ChangedRow(row: row.number, field: Self.amount.name, recorded: "\(now)", entry: entry))
        let (by, on) = (verdict.correction ?? entry, verdict.correctedOn ?? today)
        return Refusal(
            .conflict, "corrected-since", field: Self.amount.name,
            zh: "第 \(entry) 笔收入已由第 \(by) 笔（\(on)）更正为 \(now) 元，登记簿还是更正前的内容；账对就改登记簿，"
                + "登记簿对就用 income enter --corrects \(entry) 更正回来",
            en:
                "entry \(entry) was corrected on \(on) by entry \(by) and amounts to \(now) yuan; the register holds the "
                + "older content: mend the register, or if it is right, put the entry back with income enter --corrects "
                + "\(entry)")
    }

    private static func enteredByHand(_ entry: Int64) -> Refusal {
        .isItThis(
            "entered-by-hand", field: amount.name, zh: "手工登记的第 \(entry) 笔收入与这一行相同",
            en: "entry \(entry), made by hand, says the same as this row")
    }

    /// Entries that put the recorded one right.
    /// - Returns: whether the row becomes an entry of its own, because more than its amount has changed.
    private func correct(
        _ old: Recorded, as said: Entry, _ corrections: inout [SQL], _ scope: Scope
    ) throws -> Bool {
        let isAmountAlone = old.day == said.day && old.source == said.source.rawValue && old.memo == said.memo
        if !isAmountAlone {
            try ClosedBooks.check(said.day, through: context.closedThrough, field: Self.day.name)
        }
        let isOpen = context.closedThrough.map { old.day > $0 } ?? true
        let difference = Money(fen: (isAmountAlone ? said.amount.fen : 0) - old.amount.fen)
        corrections += IncomeStore.correction(
            of: old.entry, source: old.source, day: isOpen ? old.day : today, memo: said.memo, by: difference, scope)
        return !isAmountAlone
    }

    /// What is recorded of a row that may have been changed.
    private struct Recorded {
        let entry: Int64
        let day: CivilDay
        let source: String
        let memo: String
        let amount: Money

        init?(_ verdict: IncomeStaging.Verdict) {
            guard let entry = verdict.entry, let day = verdict.day, let source = verdict.source,
                let memo = verdict.memo, let amount = verdict.amount
            else { return nil }
            (self.entry, self.day, self.source, self.memo, self.amount) = (entry, day, source, memo, amount)
        }
    }

    private static func difference(_ said: Entry, _ old: Recorded) -> (column: String, recorded: String) {
        if said.day != old.day { return (day.name, "\(old.day)") }
        if said.source.rawValue != old.source {
            return (source.name, IncomeSource(rawValue: old.source)?.label.zh ?? old.source)
        }
        if said.memo != old.memo { return (memo.name, old.memo) }
        return (amount.name, "\(old.amount)")
    }

    private static func mayBeChanged(
        _ old: Recorded, _ difference: (column: String, recorded: String)
    ) -> Refusal {
        let label = IncomeSource(rawValue: old.source)?.label ?? Bilingual(zh: old.source, en: old.source)
        return Refusal(
            .conflict, "income-differs", field: difference.column,
            zh: "可能是第 \(old.entry) 笔收入改过的：登记的是 \(old.day) \(label.zh)“\(old.memo.shortened)” \(old.amount) 元，"
                + "其中“\(difference.column)”是“\(difference.recorded.shortened)”；是更正请用 --changed correct"
                + "（changed=correct），是另一笔请用 --changed new（changed=new）",
            en:
                "this may be entry \(old.entry), changed, which is recorded as \(old.day), \(label.en), “\(old.memo.shortened)”, "
                + "\(old.amount) yuan, with “\(difference.recorded.shortened)” as its “\(difference.column)”: if it is a "
                + "correction, say --changed correct (changed=correct), if it is another one, --changed new (changed=new)"
        )
    }
}
