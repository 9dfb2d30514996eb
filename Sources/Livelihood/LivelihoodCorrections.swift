import Database
import Income
import Kernel
import Postgres

extension LivelihoodFigures {
    /// An amount of the period that puts right what was entered for a day before it.
    public struct Correction: Sendable, Hashable, Codable {
        let day: String
        let ofDay: String
        let kind: String
        public let number: Int64
        public let fen: Int64

        /// What it is, as one looks it up.
        func what(_ language: Language) -> String {
            // A sale has another day than its own only when it was recorded anew.
            let label =
                kind == IncomeRow.Kind.sale.rawValue
                ? Bilingual(zh: "重新登记的销售", en: "sale recorded anew") : IncomeRow.Kind(rawValue: kind)?.label
            return "\(label?[language] ?? kind) \(number)"
        }
    }

    /// What puts right, in the period, the weight of a batch that was harvested before it.
    public struct HarvestCorrection: Sendable, Hashable, Codable {
        let day: String
        let harvestedOn: String
        let isVoid: Bool
        public let batch: Int64
        let product: String
        /// What came, below zero what went.
        public let grams: Int64
    }

    /// What was entered for the period's days after a report on the same days had been given out.
    public struct LaterChange: Sendable, Hashable, Codable {
        /// The day on which it was entered, in Asia/Shanghai.
        let enteredOn: String
        let day: String?
        let kind: String
        let subject: String
        /// Below zero for what takes away from income; of an import, of what it recorded for the period's days.
        public let fen: Int64?
        public let reason: String?
        /// How many rows an import recorded; of those that have a day, for the period's days.
        let rows: Int64?
        /// How many came, of a visit.
        let people: Int64?

        func what(_ language: Language) -> String {
            let noun = Self.nouns.first { kind.hasPrefix($0.prefix) }
            let label = noun?.label[language] ?? kind
            if let people {
                return language == .chinese
                    ? "\(label) \(subject)，到 \(people) 人" : "\(label) \(subject), \(people) came"
            }
            guard let rows else { return "\(label) \(subject)" }
            return language == .chinese ? "\(label)，\(rows) 行" : "\(label), \(rows) \(rows == 1 ? "row" : "rows")"
        }

        private static let nouns: [(prefix: String, label: Bilingual)] = [
            ("sale.reverse", Bilingual(zh: "销售冲销", en: "reversal of sale")),
            ("sale.return", Bilingual(zh: "退货", en: "return of sale")),
            ("sale.", Bilingual(zh: "销售", en: "sale")),
            ("batch.correct", Bilingual(zh: "更正批次", en: "correction of batch")),
            ("batch.void", Bilingual(zh: "作废批次", en: "voided batch")),
            ("batch.", Bilingual(zh: "批次", en: "batch")),
            ("income.", Bilingual(zh: "收入", en: "income entry")),
            ("booking.", Bilingual(zh: "预约", en: "booking")),
            ("import.households", Bilingual(zh: "导入农户名册", en: "import of households")),
            ("import.plots", Bilingual(zh: "导入地块", en: "import of plots")),
            ("import.harvest", Bilingual(zh: "导入采收登记", en: "import of harvests")),
            ("import.sales", Bilingual(zh: "导入销售流水", en: "import of sales")),
            ("import.income", Bilingual(zh: "导入其他收入", en: "import of other income")),
            ("import.bookings", Bilingual(zh: "导入研学预约", en: "import of bookings")),
            ("import.", Bilingual(zh: "导入", en: "import")),
            ("name.merge", Bilingual(zh: "合并名称", en: "merge of names")),
        ]
    }

    /// The same figures without what has changed since another report, by which two reports are compared.
    var withoutChanges: LivelihoodFigures {
        var figures = self
        figures.changes = nil
        figures.changedSince = nil
        return figures
    }

    /// At most so many of either are told; the figures themselves count all.
    private static let told = 200

    static func corrections(_ period: LivelihoodPeriod, _ scope: Scope) -> SQL {
        """
        SELECT day::text AS day, of_day::text AS of_day, kind, number, amount_fen FROM income_row
        WHERE village_id = \(scope.village) AND day BETWEEN \(period.from) AND \(period.to)
            AND of_day < \(period.from)
        ORDER BY day, kind, number LIMIT \(told)
        """
    }

    static func corrections(_ rows: Rows) throws -> [Correction] {
        try rows.map { row in
            Correction(
                day: try row.decode("day"), ofDay: try row.decode("of_day"), kind: try row.decode("kind"),
                number: try row.decode("number"), fen: try row.decode("amount_fen"))
        }
    }

    static func harvestCorrections(_ period: LivelihoodPeriod, _ scope: Scope) -> SQL {
        """
        SELECT k.day::text AS day, b.harvested_on::text AS harvested_on, k.kind = 'void' AS is_void, k.batch_number,
            p.name AS product, k.grams_after - k.grams_before AS grams
        FROM batch_correction k
        JOIN batch b ON b.village_id = k.village_id AND b.number = k.batch_number
        JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
        WHERE k.village_id = \(scope.village) AND k.day BETWEEN \(period.from) AND \(period.to)
            AND b.harvested_on < \(period.from) AND k.grams_after <> k.grams_before
        ORDER BY k.day, k.id LIMIT \(told)
        """
    }

    /// - Returns: nil instead of none, as reports have it that were stored before these were told.
    static func harvestCorrections(_ rows: Rows) throws -> [HarvestCorrection]? {
        guard !rows.isEmpty else { return nil }
        return try rows.map { row in
            HarvestCorrection(
                day: try row.decode("day"), harvestedOn: try row.decode("harvested_on"),
                isVoid: try row.decode("is_void"), batch: try row.decode("batch_number"),
                product: try row.decode("product"), grams: try row.decode("grams"))
        }
    }

    /// What the events tell of the period's days since that report was given out. The rows of an import are known by its
    /// moment, which they have in common; those that correct others have events of their own.
    static func changes(
        _ period: LivelihoodPeriod, since report: LivelihoodReport, _ transaction: Transaction, _ scope: Scope
    ) async throws -> [LaterChange] {
        try await transaction.query(
            """
            SELECT (e.at AT TIME ZONE 'Asia/Shanghai')::date::text AS entered_on, e.day::text AS day, e.kind, e.subject,
                coalesce(i.fen, (e.figures ->> 'fen')::bigint
                    * CASE WHEN e.kind IN ('sale.reverse', 'sale.return', 'booking.refunded') THEN -1 ELSE 1 END) AS fen,
                coalesce(e.figures ->> 'reason', '→ ' || (e.figures ->> 'meant')) AS reason, i.rows,
                CASE WHEN e.kind IN ('booking.checked_in', 'booking.completed', 'booking.gate_settled')
                    THEN (e.figures ->> 'people')::bigint END AS people
            FROM event e
            LEFT JOIN LATERAL (
                SELECT CASE WHEN e.kind IN ('import.sales', 'import.income', 'import.harvest') THEN count(r.day)
                    ELSE (e.figures ->> 'recorded')::bigint + (e.figures ->> 'updated')::bigint END AS rows,
                    sum(r.fen)::bigint AS fen
                FROM (
                    SELECT x.day, x.amount_fen AS fen FROM income_entry x
                    WHERE e.kind = 'import.income' AND x.village_id = e.village_id AND x.at = e.at
                        AND x.corrects IS NULL
                    UNION ALL
                    SELECT s.sold_on, l.amount_fen FROM sale s
                    JOIN sale_line l ON l.village_id = s.village_id AND l.sale_id = s.id
                    WHERE e.kind = 'import.sales' AND s.village_id = e.village_id AND s.at = e.at
                        AND s.replaces IS NULL
                    UNION ALL
                    SELECT b.harvested_on, NULL FROM batch b
                    WHERE e.kind = 'import.harvest' AND b.village_id = e.village_id AND b.created_at = e.at
                ) r WHERE r.day BETWEEN \(period.from) AND \(period.to)
            ) i ON e.kind LIKE 'import.%'
            WHERE e.village_id = \(scope.village) AND e.id > (
                    SELECT coalesce(max(id), 0) FROM event
                    WHERE village_id = \(scope.village) AND kind = 'report.livelihood'
                        AND subject = \(report.id.description))
                AND e.kind ~ '^(sale|batch|income|booking|import|name)[.]'
                AND (e.day BETWEEN \(period.from) AND \(period.to) OR i.rows > 0 OR e.kind = 'name.merge')
            ORDER BY e.id LIMIT \(told)
            """
        ).map { row in
            LaterChange(
                enteredOn: try row.decode("entered_on"), day: try row.decode("day"), kind: try row.decode("kind"),
                subject: try row.decode("subject"), fen: try row.decode("fen"), reason: try row.decode("reason"),
                rows: try row.decode("rows"), people: try row.decode("people"))
        }
    }
}

extension LivelihoodTables {
    /// Corrections of earlier periods among the figures, and what has been entered since another report was given out;
    /// none where there are none.
    var amendments: [LivelihoodTable] { [earlier, earlierHarvests, later].compactMap(\.self) }

    private var earlier: LivelihoodTable? {
        guard let corrections = figures.corrections, !corrections.isEmpty else { return nil }
        return LivelihoodTable(
            name: .earlier, title: say("更正以前期间的收入", "Corrections of earlier periods"),
            columns: [
                words("记账日期", "Entered for"), words("更正的日期", "Corrects"), words("哪一笔", "What"),
                number("金额（元）", "Yuan"),
            ],
            rows: corrections.map {
                [.text($0.day), .text($0.ofDay), .text($0.what(language)), .money($0.fen)]
            },
            total: [.text(say("合计", "Total")), .none, .none, .money(corrections.reduce(0) { $0 + $1.fen })],
            note: say("已包含在本期收入中。", "These are part of the period's income."))
    }

    private var earlierHarvests: LivelihoodTable? {
        guard let corrections = figures.harvestCorrections, !corrections.isEmpty else { return nil }
        return LivelihoodTable(
            name: .earlierHarvests, title: say("更正以前期间的采收", "Corrections of earlier harvests"),
            columns: [
                words("记账日期", "Entered for"), words("采收日期", "Harvested"), words("哪一笔", "What"),
                words("产品", "Product"), number("重量（斤）", "斤 (500 g)"),
            ],
            rows: corrections.map { correction in
                let what = correction.isVoid ? say("作废批次", "voided batch") : say("更正批次", "correction of batch")
                return [
                    .text(correction.day), .text(correction.harvestedOn), .text("\(what) \(correction.batch)"),
                    .text(correction.product), .weight(correction.grams),
                ]
            },
            total: [.text(say("合计", "Total")), .none, .none, .none, .weight(corrections.reduce(0) { $0 + $1.grams })],
            note: say("不计入本期采收量。", "These are no part of the period's harvest."))
    }

    private var later: LivelihoodTable? {
        guard let changes = figures.changes, !changes.isEmpty, let report = figures.changedSince else { return nil }
        return LivelihoodTable(
            name: .changes,
            title: say("第\(report)号民生篇之后登记的", "Entered since report \(report) was given out"),
            columns: [
                words("登记日期", "Entered on"), words("记账日期", "For"), words("哪一笔", "What"),
                number("金额（元）", "Yuan"), words("原因", "Reason"),
            ],
            rows: changes.map { change in
                [
                    .text(change.enteredOn), .text(change.day ?? ""), .text(change.what(language)),
                    change.fen.map { .money($0) } ?? .none, .text(change.reason ?? ""),
                ]
            },
            total: nil, note: nil)
    }
}
