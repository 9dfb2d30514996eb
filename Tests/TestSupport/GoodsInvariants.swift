import Postgres

/// What is true at any time of what was put right of goods, and of recalls.
enum GoodsInvariants {
    static let all: [(name: String, statement: SQL)] = [
        (
            "a batch is what its last correction made of it, and each began where the one before it ended",
            """
            SELECT * FROM (
                SELECT k.village_id, k.batch_number, k.grams_before, k.grade_before, k.slip_before, k.picker_before,
                    lag(k.grams_after) OVER chain AS grams, lag(k.grade_after) OVER chain AS grade,
                    lag(k.slip_after) OVER chain AS slip, lag(k.picker_after) OVER chain AS picker,
                    row_number() OVER chain AS place
                FROM batch_correction k WINDOW chain AS (PARTITION BY k.village_id, k.batch_number ORDER BY k.id)
            ) k
            WHERE place > 1 AND (grams_before, grade_before, slip_before, picker_before)
                IS DISTINCT FROM (grams, grade, slip, picker)
            """
        ),
        (
            "a corrected batch is recorded as its last correction says",
            """
            SELECT b.village_id, b.number, k.id FROM batch b JOIN batch_correction k
                ON k.village_id = b.village_id AND k.batch_number = b.number AND k.id = (
                    SELECT max(l.id) FROM batch_correction l
                    WHERE l.village_id = b.village_id AND l.batch_number = b.number)
            WHERE (b.in_g, b.grade_id, b.slip, b.picker, b.voided)
                IS DISTINCT FROM (k.grams_after, k.grade_after, k.slip_after, k.picker_after, k.kind = 'void')
            """
        ),
        (
            "a batch's corrections are its movements",
            """
            SELECT k.village_id, k.id, m.grams FROM batch_correction k
            LEFT JOIN stock_movement m ON m.village_id = k.village_id AND m.batch_number = k.batch_number
                AND m.id = k.movement
            WHERE coalesce(m.grams, 0) <> k.grams_after - k.grams_before OR m.kind <> 'correction' OR m.day <> k.day
            """
        ),
        (
            "a line's counters are the sums of its corrections",
            """
            SELECT l.village_id, l.sale_id, l.line, l.returned_g, l.refunded_fen FROM sale_line l
            LEFT JOIN sale_correction k ON k.village_id = l.village_id AND k.sale_id = l.sale_id AND k.line = l.line
            GROUP BY l.village_id, l.sale_id, l.line
            HAVING (l.returned_g, l.refunded_fen)
                <> (coalesce(sum(k.grams), 0)::bigint, coalesce(sum(k.refund_fen), 0)::bigint)
            """
        ),
        (
            "a line that is reversed has nothing left",
            """
            SELECT l.village_id, l.sale_id, l.line FROM sale_line l JOIN sale_correction k
                ON k.village_id = l.village_id AND k.sale_id = l.sale_id AND k.line = l.line AND k.kind = 'reversal'
            WHERE l.returned_g <> l.grams OR l.refunded_fen <> l.amount_fen
            """
        ),
        (
            "what came back of a sale are its movements",
            """
            SELECT k.village_id, k.id, back.grams, gone.grams AS gone FROM sale_correction k
            JOIN sale_line l ON l.village_id = k.village_id AND l.sale_id = k.sale_id AND l.line = k.line
            LEFT JOIN stock_movement back ON back.village_id = k.village_id AND back.batch_number = k.batch_number
                AND back.id = k.movement
            LEFT JOIN stock_movement gone ON gone.village_id = k.village_id AND gone.batch_number = k.batch_number
                AND gone.id = k.scrapping
            WHERE k.batch_number <> l.batch_number OR coalesce(back.grams, 0) <> k.grams OR back.kind <> 'return'
                OR back.sale_id <> k.sale_id OR gone.kind <> 'loss'
                OR coalesce(-gone.grams, 0) <> CASE k.goods WHEN 'scrapped' THEN k.grams ELSE 0 END
            """
        ),
        (
            "every return belongs to a correction, every undo to a withdrawal of the same grams",
            """
            SELECT m.village_id, m.batch_number, m.id, m.kind FROM stock_movement m
            LEFT JOIN withdrawal_undo u ON u.village_id = m.village_id AND u.batch_number = m.batch_number
                AND u.movement = m.id
            LEFT JOIN stock_movement w ON w.village_id = u.village_id AND w.batch_number = u.batch_number
                AND w.id = u.withdrawal
            WHERE m.kind = 'undo' AND (w.id IS NULL OR w.grams <> -m.grams OR w.kind NOT IN ('own_use', 'loss', 'gift'))
                OR m.kind = 'return' AND NOT EXISTS (
                    SELECT FROM sale_correction k WHERE k.village_id = m.village_id AND k.batch_number = m.batch_number
                        AND k.movement = m.id)
            """
        ),
        (
            "no code of a void batch is genuine",
            """
            SELECT c.village_id, c.batch_number FROM public_code c
            JOIN batch b ON b.village_id = c.village_id AND b.number = c.batch_number
            WHERE b.voided AND NOT c.revoked
            """
        ),
        (
            "a batch counts the open recalls of all that it was made from",
            """
            SELECT b.village_id, b.number, b.recalls, r.recalls AS open FROM batch b
            CROSS JOIN LATERAL (
                WITH RECURSIVE line (number) AS (
                    SELECT b.number
                    UNION
                    SELECT i.parent FROM batch_input i JOIN line
                        ON i.village_id = b.village_id AND i.child = line.number
                )
                SELECT count(*) AS recalls FROM line WHERE 'open' = (
                    SELECT r.step FROM recall r WHERE r.village_id = b.village_id AND r.batch_number = line.number
                    ORDER BY r.id DESC LIMIT 1)
            ) r
            WHERE b.recalls <> r.recalls
            """
        ),
        (
            "a sale of a village's income is its lines less what came back",
            """
            SELECT village_id, sum(fen) AS fen FROM (
                SELECT village_id, amount_fen - refunded_fen AS fen FROM sale_line
                UNION ALL SELECT village_id, -amount_fen FROM income_row WHERE source = 'sales'
            ) both_sides GROUP BY village_id HAVING sum(fen) <> 0
            """
        ),
    ]
}
