import Batches
import Database
import Kernel
import Orchard
import Postgres

/// How what is recorded of a sale is put right.
extension SaleStore {
    /// Takes back all that is left of a sale or of one of its lines: grams and money together.
    public static func reverse(
        _ sale: Int64, line: Int? = nil, reason: String, day: CivilDay? = nil, today: CivilDay
    ) -> Plan<[SaleCorrection]> {
        { transaction, scope in
            let reason = try CleanText.reason(reason)
            // It takes back all that is left: what comes back meanwhile waits, or several such would beat it for ever.
            _ = try await transaction.query(
                """
                SELECT FROM sale_line WHERE village_id = \(scope.village) AND sale_id = \(sale)
                ORDER BY line FOR NO KEY UPDATE
                """)
            let old = try await Self.sale(sale, transaction, scope)
            let lines = try line.map { [try Self.line($0, of: old)] } ?? old.lines
            let left = lines.filter { !$0.isOver }
            guard !left.isEmpty else { throw SaleRules.reversedAlready(sale, line: line) }
            let (ids, closed) = try await Self.prepare(left.count, transaction, scope)
            let day = try BatchRules.correctionDay(day, of: old.day, closed: closed, today: today)
            // Batches in the order of their numbers, as in a sale.
            let corrections = zip(left.sorted { ($0.batch, $0.number) < ($1.batch, $1.number) }, ids).map { line, id in
                (
                    line,
                    SaleCorrection(
                        number: id, line: line.number, kind: .reversal, goods: .back,
                        weight: line.weight - line.returned, refund: Money(fen: line.amount.fen - line.refunded.fen),
                        day: day, reason: reason, actor: scope.actor, at: nil)
                )
            }
            let refund = corrections.reduce(Money.zero) { $0 + $1.1.refund }
            let grams = corrections.reduce(Weight(grams: 0)) { $0 + $1.1.weight }
            return Change(
                corrections.map(\.1).sorted { $0.line < $1.line },
                writes: corrections.flatMap { line, correction in
                    [
                        // Something that came back meanwhile would come back twice.
                        (count(correction, of: sale, scope) + """
                             AND returned_g = \(line.returned) AND refunded_fen = \(line.refunded)
                            """).touching(1)
                    ] + writes(correction, of: sale, batch: line.batch, scope)
                },
                refusals: [
                    SQL.rowsTouched: SaleRules.reversedAlready(sale, line: line),
                    "sale_reversed_once": SaleRules.reversedAlready(sale, line: line),
                ],
                event: Event(
                    "sale.reverse", "\(sale)", day: day, .number("line", line.map(Int64.init)), .fen(refund),
                    .grams(grams), .reason(reason)))
        }
    }

    /// Records goods that came back, and what their buyer got back for them.
    public static func takeBack(
        _ weight: Weight, goods: SaleCorrection.Goods, refund: Money, of sale: Int64, line number: Int, reason: String,
        day: CivilDay? = nil, today: CivilDay
    ) -> Plan<SaleCorrection> {
        { transaction, scope in
            let reason = try CleanText.reason(reason)
            let old = try await Self.sale(sale, transaction, scope)
            let line = try Self.line(number, of: old)
            let tooMuch = SaleRules.moreThanSold(line, wanted: weight)
            guard line.returned + weight <= line.weight else { throw tooMuch }
            let tooDear = SaleRules.moreThanPaid(line, wanted: refund)
            guard refund.fen >= 0, line.refunded + refund <= line.amount else { throw tooDear }
            let (ids, closed) = try await Self.prepare(1, transaction, scope)
            let day = try BatchRules.correctionDay(day, of: old.day, closed: closed, today: today)
            guard let id = ids.first else { throw MissingRow() }
            let correction = SaleCorrection(
                number: id, line: number, kind: .returned, goods: goods, weight: weight, refund: refund, day: day,
                reason: reason, actor: scope.actor, at: nil)
            return Change(
                correction,
                writes: [count(correction, of: sale, scope).touching(1)]
                    + writes(correction, of: sale, batch: line.batch, scope),
                refusals: ["sale_line_returned": tooMuch, "sale_line_refunded": tooDear],
                event: Event(
                    "sale.return", "\(sale)", day: day, .number("line", number), .fen(refund), .grams(weight),
                    .text("goods", goods.rawValue), .reason(reason)))
        }
    }

    private static func line(_ number: Int, of sale: Sale) throws -> Sale.Line {
        guard let line = sale.lines.first(where: { $0.number == number }) else {
            throw Refusal(
                .notFound, "unknown-line", field: "line", zh: "销售 \(sale.id) 没有第 \(number) 行，共 \(sale.lines.count) 行",
                en: "sale \(sale.id) has no line \(number); it has \(sale.lines.count)")
        }
        return line
    }

    /// Numbers for some corrections, and the day through which the books are closed.
    private static func prepare(
        _ count: Int, _ transaction: Transaction, _ scope: Scope
    ) async throws -> (ids: [Int64], closed: CivilDay?) {
        let answers = try await transaction.query([
            "SELECT own_number('sale_correction') AS id FROM generate_series(1, \(count)::int)",
            ClosedBooks.through(scope),
        ])
        return (try answers[0].map { try $0.decode("id") }, try answers[1].first?.decode("through"))
    }

    /// Counts a correction in its line, whose constraints bound it.
    private static func count(_ correction: SaleCorrection, of sale: Int64, _ scope: Scope) -> SQL {
        """
        UPDATE sale_line SET returned_g = returned_g + \(correction.weight),
            refunded_fen = refunded_fen + \(correction.refund)
        WHERE village_id = \(scope.village) AND sale_id = \(sale) AND line = \(correction.line)
        """
    }

    /// The correction and its movements; and the stock, unless what came back left again as scrap.
    private static func writes(
        _ correction: SaleCorrection, of sale: Int64, batch: Int64, _ scope: Scope
    ) -> [SQL] {
        let grams = correction.weight.grams
        let isScrap = correction.goods == .scrapped
        func movement(_ kind: String, _ grams: Int64, sale: Int64?) -> SQL {
            """
            INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, sale_id, reason, actor)
            SELECT village_id, number, cooperative_id, \(kind), \(grams), \(correction.day), \(sale), \(correction.reason),
                \(scope.actor)
            FROM batch WHERE village_id = \(scope.village) AND number = \(batch) RETURNING id
            """
        }
        let none: SQL = "SELECT NULL::bigint AS id"
        let written: SQL = """
            WITH back AS (\(grams > 0 ? movement("return", grams, sale: sale) : none)),
            gone AS (\(isScrap ? movement("loss", -grams, sale: nil) : none))
            INSERT INTO sale_correction (village_id, id, sale_id, line, cooperative_id, kind, goods, grams, refund_fen,
                batch_number, movement, scrapping, day, reason, actor)
            SELECT s.village_id, \(correction.number), s.id, \(correction.line), s.cooperative_id,
                \(correction.kind.rawValue), \(correction.goods.rawValue), \(correction.weight), \(correction.refund),
                \(batch), back.id, gone.id, \(correction.day), \(correction.reason), \(scope.actor)
            FROM sale s, back, gone WHERE s.village_id = \(scope.village) AND s.id = \(sale)
            RETURNING id
            """
        return [written] + (isScrap || grams == 0 ? [] : [BatchStore.putBack(batch, correction.weight, scope)])
    }
}

extension SaleRules {
    static func reversedAlready(_ sale: Int64, line: Int?) -> Refusal {
        Refusal(
            .conflict, "reversed-already", field: line == nil ? "sale" : "line",
            zh: line.map { "销售 \(sale) 第 \($0) 行已经冲销或全部退回" } ?? "销售 \(sale) 已经冲销或全部退回",
            en: line.map { "line \($0) of sale \(sale) is reversed, or has come back, already" }
                ?? "sale \(sale) is reversed, or has come back, already")
    }

    static func moreThanSold(_ line: Sale.Line, wanted: Weight) -> Refusal {
        Refusal(
            .conflict, "more-than-sold", field: "weight",
            zh: "第 \(line.number) 行卖出 \(line.weight)，已退 \(line.returned)，不能再退 \(wanted)",
            en: "line \(line.number) sold \(line.weight), of which \(line.returned) came back: \(wanted) more can't")
    }

    static func moreThanPaid(_ line: Sale.Line, wanted: Money) -> Refusal {
        Refusal(
            .conflict, "more-than-paid", field: "refund",
            zh: "第 \(line.number) 行金额 \(line.amount) 元，已退 \(line.refunded) 元，不能再退 \(wanted) 元",
            en:
                "line \(line.number) is of \(line.amount) yuan, of which \(line.refunded) went back: \(wanted) more can't"
        )
    }
}
