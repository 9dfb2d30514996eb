import Batches
import Database
import Kernel
import Postgres
import Registers

/// What becomes of a row whose number is recorded with other content: it waits, or the sale is corrected as the register
/// was, that is reversed and recorded anew.
extension SaleRegister {
    mutating func settle(
        _ entry: Entry, _ row: Int, beside old: Recorded, _ part: inout Part, _ transaction: Transaction,
        _ scope: Scope
    ) async throws -> RowOutcome {
        let number = entry.key.key.number.shortened
        let what = Bilingual(zh: "单号 \(number) ", en: "sale \(number)")
        if let sale = old.sale, let change = entry.beside(old).changed(row: row, entry: sale) { changed.append(change) }
        guard context.choices.changed == .correct, let sale = old.sale else {
            guard let refusal = entry.beside(old).refusal("sale-differs", what) else { return .already }
            throw refusal
        }
        guard !old.hasReturns else {
            throw Refusal(
                .conflict, "sale-came-back", field: Self.number.name,
                zh: "\(what.zh)（销售 \(sale)）已有冲销或退货，不能随登记簿更正；请用 sale reverse 和 sale record --replaces",
                en:
                    "of \(what.en) (\(sale)) something was reversed or came back, and the register can't correct it: use "
                    + "sale reverse and sale record --replaces")
        }
        if let closed = context.closedThrough, entry.day <= closed {
            throw Refusal(
                .conflict, "books-closed", field: Self.day.name,
                zh: "\(what.zh)（销售 \(sale)）在已结账的期间（到 \(closed) 为止），登记簿不能更正；请用 sale reverse 和 sale record "
                    + "--replaces，记在之后的日期",
                en:
                    "\(what.en) (\(sale)) is of a period that is closed (through \(closed)), and the register can't correct it: "
                    + "use sale reverse and sale record --replaces on a later day")
        }
        try names.check(channel: entry.channel, in: Self.channel)
        if entry.price.fen != old.price { try checkPrice(entry) }
        // What the batches have left is read from the books.
        try await write(&part, transaction, scope)
        let isOpen = context.closedThrough.map { old.day > $0 } ?? true
        let corrected = try await correct(sale, entry, on: isOpen ? old.day : nil, transaction, scope)
        names.record(channel: entry.channel, buyer: entry.buyer)
        if let batch = old.batch, let stock = part.sources.batches[batch]?.stock {
            part.sources.batches[batch]?.stock = stock + old.weight
        }
        if let stock = part.sources.batches[entry.source.number]?.stock {
            part.sources.batches[entry.source.number]?.stock = stock - entry.weight
        }
        part.known[entry.key, default: []].insert(entry.recorded(as: corrected), at: 0)
        return .updated([])
    }

    /// - Parameter place: which of the entries says the same as the row, the newest first.
    /// - Throws: a `Refusal` when that was put right since: who is right can't be told from here.
    mutating func checkIsPresent(_ entry: Entry, _ row: Int, _ old: [Recorded], at place: Int) throws {
        guard let sale = old[0].sale else { return }
        let number = entry.key.key.number.shortened
        let isOpen = context.closedThrough.map { entry.day > $0 } ?? true
        let ofDay = isOpen ? " --day \(entry.day)" : ""
        if place > 0 {
            if let change = entry.beside(old[0]).changed(row: row, entry: sale) { changed.append(change) }
            let day = old[1].reversedOn ?? old[0].day
            let (undo, redo) = ("sale reverse --sale \(sale)\(ofDay)", "sale record --replaces \(sale)\(ofDay)")
            throw Refusal.olderContent(
                field: Self.number.name, zh: "单号 \(number) 已于 \(day) 更正为销售 \(sale)",
                en: "sale \(number) was corrected on \(day) by sale \(sale)",
                back: Bilingual(zh: "\(undo) 和 \(redo)", en: "\(undo) and \(redo)"))
        }
        guard let day = old[0].reversedOn else { return }
        changed.append(ChangedRow(row: row, field: Self.number.name, recorded: number, entry: sale))
        throw Refusal(
            .conflict, "corrected-since", field: Self.number.name,
            zh: "单号 \(number)（销售 \(sale)）已于 \(day) 冲销；冲销对就从登记簿删去这一行，登记簿对就用 sale record --replaces "
                + "\(sale)\(ofDay) 重新登记",
            en: "sale \(number) (\(sale)) was reversed on \(day): take the row out of the register, or if it is right, "
                + "record it anew with sale record --replaces \(sale)\(ofDay)")
    }

    /// Gives a sale the number of the row that it is, if that is said; else the row waits.
    mutating func number(
        _ sale: Int64, as entry: Entry, _ row: Int, _ part: inout Part, _ transaction: Transaction, _ scope: Scope
    ) async throws -> RowOutcome {
        let number = entry.key.key.number
        changed.append(ChangedRow(row: row, field: Self.number.name, recorded: "", entry: sale))
        guard context.choices.changed == .correct else {
            throw Refusal.isItThis(
                "sale-number-missing", field: Self.number.name,
                zh: "销售 \(sale) 的日期、批次、数量、金额、渠道和买方都相同，还没有单号",
                en: "sale \(sale) has the same day, batch, weight, amount, channel and buyer, and no number yet")
        }
        _ = try await transaction.query([
            UnnumberedSales.give(number, paidHow: entry.paidHow, to: sale, scope),
            Event("sale.number", "\(sale)", .text("number", number)).insert(by: scope),
        ])
        part.known[entry.key] = [entry.recorded(as: sale)]
        return .updated([])
    }

    private func correct(
        _ sale: Int64, _ entry: Entry, on day: CivilDay?, _ transaction: Transaction, _ scope: Scope
    ) async throws -> Int64 {
        let anew = NewSale(
            number: entry.key.key.number, day: entry.day, channel: entry.channel, buyer: entry.buyer,
            paidHow: entry.paidHow,
            lines: [NewSale.Line(batch: entry.source.number, weight: entry.weight, price: entry.price)],
            replaces: sale, confirmed: Set(NewSale.Question.allCases))
        do {
            return try await transaction.part {
                // On the day of the sale: as the register has it, the wrong one never was.
                _ = try await SaleStore.reverse(sale, reason: "登记簿已更正", day: day, today: today)(transaction, scope)
                    .write(in: transaction, scope)
                return try await SaleStore.record(anew, today: today)(transaction, scope)
                    .write(in: transaction, scope).id.value
            }
        } catch let refusal as Refusal {
            throw refusal.renamed(field: refusal.field.flatMap { Self.columnNames[$0] } ?? Self.number.name)
        }
    }

    /// Which columns a sale's fields are.
    private static let columnNames = [
        "day": day.name, "lines[0].batch": slip.name, "lines[0].weight": weight.name, "lines[0].price": price.name,
        "channel": channel.name, "buyer": buyer.name,
    ]
}
