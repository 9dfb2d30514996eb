import Database
import Kernel
import Orchard
import Postgres

/// How what is recorded of a batch is put right.
extension BatchStore {
    /// Puts a harvest right; its plot's season follows.
    public static func correct(
        _ number: Int64, _ right: RightHarvest, reason: String, day: CivilDay? = nil, today: CivilDay
    ) -> Plan<Batch> {
        { transaction, scope in
            let reason = try CleanText.reason(reason)
            let old = try await CorrectedBatch(number, grade: right.grade, transaction, scope)
            guard !old.batch.isVoid else { throw BatchRules.void(number) }
            if let grade = right.grade, old.newGrade == nil {
                _ = try await Catalogue.load(transaction, scope).grade(named: grade)
            }
            let state = CorrectedBatch.State(
                weight: right.weight ?? old.state.weight, grade: old.newGrade ?? old.state.grade,
                slip: try right.slip.map { try CleanText.number($0, field: "slip", max: 60) } ?? old.state.slip,
                picker: try right.picker.map { try OrchardRules.name($0, field: "picker") } ?? old.state.picker)
            guard state != old.state else { throw BatchRules.nothingChanges(number) }
            guard state.weight >= old.batch.weightOut else {
                throw BatchRules.belowWhatLeft(number, left: old.batch.weightOut, wanted: state.weight)
            }
            guard state.weight >= old.labelled else {
                throw BatchRules.belowWhatIsLabelled(number, labelled: old.labelled, wanted: state.weight)
            }
            let more = state.weight - old.state.weight
            let overCeiling = BatchRules.overCeiling(
                plot: old.batch.plot ?? "", season: old.season, ceiling: old.allowed, harvested: old.harvested,
                weight: more)
            guard more.grams <= 0 || old.harvested + more <= old.allowed else { throw overCeiling }
            let day = try BatchRules.correctionDay(
                day, of: old.batch.harvestedOn, closed: old.closed, today: today)
            return Change(
                writes: try old.writes(to: state, kind: "correct", day: day, reason: reason, scope),
                lastWrites: [old.update(to: state, scope) + " RETURNING in_g, out_g"],
                refusals: [
                    oversold: BatchRules.belowWhatLeft(number, left: old.batch.weightOut, wanted: state.weight),
                    "batch_not_overlabelled": BatchRules.belowWhatIsLabelled(
                        number, labelled: old.labelled, wanted: state.weight),
                    HarvestStore.withinCeiling: overCeiling,
                    HarvestStore.slipOnce: BatchRules.slipTaken(state.slip ?? ""),
                    SQL.rowsTouched: CorrectedBatch.changedMeanwhile,
                ],
                event: Event(
                    "batch.correct", "\(number)", day: day,
                    figures: old.figures(state, grade: right.grade) + [.reason(reason)])
            ) { rows in
                guard let row = rows.first else { throw MissingRow() }
                return Batch(
                    number: old.batch.number, kind: old.batch.kind, cooperative: old.batch.cooperative,
                    plot: old.batch.plot, product: old.batch.product, variety: old.batch.variety,
                    grade: right.grade ?? old.batch.grade, harvestedOn: old.batch.harvestedOn, slip: state.slip,
                    picker: state.picker, weightIn: try row.decode("in_g"), weightOut: try row.decode("out_g"),
                    isVoid: false, isRecalled: old.batch.isRecalled, registeredAt: old.batch.registeredAt)
            }
        }
    }

    /// What voids a batch, for whoever revokes its code in the same transaction: the harvest never was.
    /// - Returns: the writes, what the broken constraints tell, and the event.
    public static func void(
        _ number: Int64, reason: String, day: CivilDay?, today: CivilDay, in transaction: Transaction, _ scope: Scope
    ) async throws -> (writes: [SQL], refusals: [String: Refusal], event: Event) {
        let reason = try CleanText.reason(reason)
        let old = try await CorrectedBatch(number, grade: nil, transaction, scope)
        guard !old.batch.isVoid else { throw BatchRules.void(number) }
        let notVoidable = BatchRules.notVoidable(number, left: old.batch.weightOut)
        guard old.batch.weightOut.grams == 0 else { throw notVoidable }
        guard old.labelled.grams == 0 else {
            throw BatchRules.belowWhatIsLabelled(number, labelled: old.labelled, wanted: Weight(grams: 0))
        }
        let day = try BatchRules.correctionDay(day, of: old.batch.harvestedOn, closed: old.closed, today: today)
        let nothing = CorrectedBatch.State(
            weight: Weight(grams: 0), grade: old.state.grade, slip: old.state.slip, picker: old.state.picker)
        return (
            try old.writes(to: nothing, kind: "void", day: day, reason: reason, scope)
                + [old.update(to: nothing, scope)],
            [
                oversold: notVoidable, "batch_void_once": BatchRules.void(number),
                SQL.rowsTouched: CorrectedBatch.changedMeanwhile,
            ],
            Event(
                "batch.void", "\(number)", day: day, .grams(old.state.weight, "grams_before"), .reason(reason))
        )
    }

    /// Undoes a withdrawal: its grams had not left after all.
    /// - Parameter batch: the one out of which it was, if that is known.
    public static func undo(
        withdrawal: Int64, of batch: Int64? = nil, reason: String, day: CivilDay? = nil, today: CivilDay
    ) -> Plan<MovedStock> {
        { transaction, scope in
            let reason = try CleanText.reason(reason)
            let answers = try await transaction.query([
                """
                SELECT m.batch_number, m.grams, m.day, u.movement AS undone_by FROM stock_movement m
                LEFT JOIN withdrawal_undo u ON u.village_id = m.village_id AND u.batch_number = m.batch_number
                    AND u.withdrawal = m.id
                WHERE m.village_id = \(scope.village) AND m.id = \(withdrawal)
                    AND m.kind IN ('own_use', 'loss', 'gift')
                    AND (\(batch)::bigint IS NULL OR m.batch_number = \(batch))
                """,
                ClosedBooks.through(scope),
            ])
            guard let row = answers[0].first else {
                throw Refusal(
                    .notFound, "unknown-withdrawal", field: "undo", zh: "没有编号为 \(withdrawal) 的自用、损耗或赠送（编号见 batch show）",
                    en: "there is no withdrawal \(withdrawal) (numbers: batch show)")
            }
            let undone = Refusal(
                .conflict, "undone-already", field: "undo", zh: "出库 \(withdrawal) 已经撤销过",
                en: "withdrawal \(withdrawal) is undone already")
            guard try row.decode("undone_by", as: Int64?.self) == nil else { throw undone }
            let number: Int64 = try row.decode("batch_number")
            let weight = Weight(grams: -(try row.decode("grams", as: Int64.self)))
            let day = try BatchRules.correctionDay(
                day, of: row.decode("day"), closed: answers[1].first?.decode("through"), today: today)
            return Change(
                writes: [
                    """
                    WITH moved AS (
                        INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, reason,
                            actor)
                        SELECT village_id, batch_number, cooperative_id, 'undo', -grams, \(day), \(reason),
                            \(scope.actor)
                        FROM stock_movement
                        WHERE village_id = \(scope.village) AND batch_number = \(number) AND id = \(withdrawal)
                        RETURNING id, cooperative_id
                    )
                    INSERT INTO withdrawal_undo (village_id, batch_number, withdrawal, cooperative_id, movement)
                    SELECT \(scope.village), \(number), \(withdrawal), cooperative_id, id FROM moved
                    RETURNING movement
                    """
                ],
                lastWrites: [
                    """
                    WITH back AS (\(putBack(number, weight, scope)) RETURNING in_g - out_g AS stock_g)
                    SELECT u.movement AS id, back.stock_g FROM back, withdrawal_undo u
                    WHERE u.village_id = \(scope.village) AND u.batch_number = \(number) AND u.withdrawal = \(withdrawal)
                    """
                ],
                refusals: ["withdrawal_undone_once": undone],
                event: Event(
                    "batch.undo", "\(number)", day: day, .number("movement", withdrawal), .grams(weight),
                    .reason(reason))
            ) { rows in
                guard let row = rows.first else { throw MissingRow() }
                return MovedStock(movement: try row.decode("id"), stock: try row.decode("stock_g"))
            }
        }
    }
}

/// A harvested batch as a correction finds it.
private struct CorrectedBatch {
    struct State: Hashable {
        let weight: Weight
        let grade: Int
        let slip: String?
        let picker: String?
    }

    let batch: Batch
    let state: State
    let labelled: Weight
    let plot: Int
    let product: Int
    let cooperative: Int
    let season: Int
    /// What the plot has given in the season, and may give.
    let harvested: Weight
    let allowed: Weight
    /// The grade that was named for it, if there is one of that name.
    let newGrade: Int?
    let closed: CivilDay?

    static let changedMeanwhile = Refusal(
        .conflict, "changed-meanwhile", field: "batch", zh: "这个批次刚被别人更正过，请再看一次",
        en: "somebody else has just corrected the batch: look again")

    init(_ number: Int64, grade: String?, _ transaction: Transaction, _ scope: Scope) async throws {
        let answers = try await transaction.query([
            BatchStore.select(scope) + " AND b.number = \(number)",
            """
            SELECT b.grade_id, b.labelled_g, b.plot_id, b.product_id, b.cooperative_id,
                extract(year FROM b.harvested_on)::int AS season, d.area_centimu, p.ceiling_g_per_mu,
                coalesce(s.harvested_g, 0) AS harvested_g,
                (SELECT coalesce(sum(o.extra_g), 0)::bigint FROM ceiling_override o
                    WHERE o.village_id = \(scope.village) AND o.plot_id = b.plot_id AND o.product_id = b.product_id
                        AND o.season = extract(year FROM b.harvested_on)::int) AS extra_g,
                (SELECT coalesce(g.merged_into, g.id) FROM grade g
                    WHERE g.village_id = \(scope.village) AND g.name = \(grade)) AS new_grade
            FROM batch b
            CROSS JOIN LATERAL (SELECT b.village_id, b.plot_id AS id) t
            CROSS JOIN LATERAL (\(HarvestStore.held(on: "b.harvested_on", scope))) d
            JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
            LEFT JOIN plot_season s ON s.village_id = b.village_id AND s.plot_id = b.plot_id
                AND s.product_id = b.product_id AND s.season = extract(year FROM b.harvested_on)::int
            WHERE b.village_id = \(scope.village) AND b.number = \(number)
            """,
            ClosedBooks.through(scope),
        ])
        guard let found = try answers[0].first.map(BatchStore.batch) else { throw BatchRules.unknownBatch(number) }
        guard let row = answers[1].first else { throw BatchRules.notAHarvest }
        batch = found
        state = State(
            weight: found.weightIn, grade: try row.decode("grade_id"), slip: found.slip, picker: found.picker)
        labelled = try row.decode("labelled_g")
        plot = try row.decode("plot_id")
        product = try row.decode("product_id")
        cooperative = try row.decode("cooperative_id")
        season = try row.decode("season")
        harvested = try row.decode("harvested_g")
        let ceiling = OrchardRules.ceiling(
            areaCentimu: try row.decode("area_centimu"), perMu: try row.decode("ceiling_g_per_mu"))
        allowed = ceiling + Weight(grams: try row.decode("extra_g"))
        newGrade = try row.decode("new_grade")
        closed = try answers[2].first?.decode("through")
    }

    /// All but the batch's own row, which is locked first: the season, the correction, and the grams that came or went.
    func writes(to right: State, kind: String, day: CivilDay, reason: String, _ scope: Scope) throws -> [SQL] {
        let number = batch.number.value
        let more = right.weight.grams - state.weight.grams
        let moves = more != 0
        // Nothing is inserted unless the batch is still as it was found.
        let found: SQL = """
            FROM batch b WHERE b.village_id = \(scope.village) AND b.number = \(number) AND NOT b.voided
                AND b.in_g = \(state.weight) AND b.grade_id = \(state.grade)
                AND b.slip IS NOT DISTINCT FROM \(state.slip) AND b.picker IS NOT DISTINCT FROM \(state.picker)
            """
        let movement: SQL =
            moves
            ? """
            INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, reason, actor)
            SELECT b.village_id, b.number, b.cooperative_id, 'correction', \(more), \(day), \(reason), \(scope.actor)
            \(found) RETURNING id
            """ : "SELECT NULL::bigint AS id \(found)"
        // Seasons before batches, as in a registration.
        let seasons: [SQL] =
            moves
            ? [
                """
                UPDATE plot_season SET harvested_g = harvested_g + \(more),
                    ceiling_g = greatest(ceiling_g, \(more > 0 ? allowed.grams : 0))
                WHERE village_id = \(scope.village) AND plot_id = \(plot) AND product_id = \(product)
                    AND season = \(season)
                """
            ] : []
        return seasons + [
            BatchStore.lock([number], scope),
            """
            WITH moved AS (\(movement)), corrected AS (
                INSERT INTO batch_correction (village_id, batch_number, cooperative_id, kind, day, reason, grams_before,
                    grams_after, grade_before, grade_after, slip_before, slip_after, picker_before, picker_after,
                    movement, actor)
                SELECT \(scope.village), \(number), \(cooperative), \(kind), \(day), \(reason), \(state.weight),
                    \(right.weight), \(state.grade), \(right.grade), \(state.slip), \(right.slip), \(state.picker),
                    \(right.picker), moved.id, \(scope.actor)
                FROM moved RETURNING 1
            )
            SELECT check_touched(count(*), 1) FROM corrected
            """,
        ]
    }

    func update(to right: State, _ scope: Scope) -> SQL {
        """
        UPDATE batch SET in_g = \(right.weight), grade_id = \(right.grade), slip = \(right.slip),
            picker = \(right.picker), voided = \(right.weight.grams == 0)
        WHERE village_id = \(scope.village) AND number = \(batch.number.value)
        """
    }

    /// What changes, for the event.
    func figures(_ right: State, grade: String?) -> [Event.Figure] {
        var figures: [Event.Figure] = []
        if right.weight != state.weight {
            figures += [.grams(right.weight), .grams(state.weight, "grams_before")]
        }
        if right.grade != state.grade { figures += [.text("grade", grade), .text("grade_before", batch.grade)] }
        if right.slip != state.slip { figures += [.text("slip", right.slip), .text("slip_before", state.slip)] }
        if right.picker != state.picker {
            figures += [.text("picker", right.picker), .text("picker_before", state.picker)]
        }
        return figures
    }
}
