import Kernel
import Postgres

/// What is true of every village's books at any time; each statement answers the rows that break it.
public enum Invariants {
    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter written: whether the program of today has written all of it; rows that were restored from a dump stand
    ///   no longer in their events' transactions.
    public static func check(_ owner: Pool, written: Bool = true) async throws {
        for (name, statement) in all + GoodsInvariants.all where written || name != together {
            let rows = try await owner.query(statement)
            guard let first = rows.first else { continue }
            let example = try rows.columns.map { "\($0)=\(try first.decode($0, as: String?.self) ?? "NULL")" }
            throw Broken(description: "\(name): \(rows.count) times, such as \(example.joined(separator: " "))")
        }
        try await checkNames(owner)
    }

    /// The channels and buyers of sales are names, or spellings of names. Only the program tells the form of a text.
    private static func checkNames(_ owner: Pool) async throws {
        struct Name: Hashable {
            let village: Int
            let kind: String
            let form: String
        }
        var names: [Name: String] = [:]
        for row in try await owner.query("SELECT village_id, kind, form, name FROM sale_name") {
            let name = Name(village: try row.decode(0), kind: try row.decode(1), form: try row.decode(2))
            names[name] = try row.decode(3)
        }
        for row in try await owner.query(
            """
            SELECT DISTINCT s.village_id, s.kind, s.name, w.name IS NOT NULL OR m.meant IS NOT NULL FROM (
                SELECT village_id, 'channel' AS kind, channel AS name FROM sale
                UNION ALL SELECT village_id, 'buyer', buyer FROM sale) s
            LEFT JOIN spelling w USING (village_id, kind, name)
            LEFT JOIN spelling m ON (m.village_id, m.kind, m.meant) = (s.village_id, s.kind, s.name)
            """)
        {
            let text: String = try row.decode(2)
            let name = Name(village: try row.decode(0), kind: try row.decode(1), form: CleanText.folded(text))
            let isSpelling: Bool = try row.decode(3)
            guard names[name] == text || isSpelling && names[name] != nil else {
                throw Broken(description: "a sale's \(name.kind) is a name: not “\(text)”, \(names[name] ?? "no name")")
            }
        }
    }

    private static let together = "whatever changes something leaves an event in its transaction"

    private static let all: [(name: String, statement: SQL)] = [
        (
            "a batch's counters are the sums of its movements",
            """
            SELECT b.village_id, b.number, b.in_g, b.out_g, sum(m.grams) AS moved FROM batch b
            LEFT JOIN stock_movement m ON m.village_id = b.village_id AND m.batch_number = b.number
            GROUP BY b.village_id, b.number
            HAVING coalesce(sum(m.grams), 0) <> b.in_g - b.out_g
                OR coalesce(sum(m.grams) FILTER (WHERE m.kind IN ('harvest', 'correction')), 0) <> b.in_g
            """
        ),
        (
            "no more leaves a batch than came in",
            "SELECT village_id, number, in_g, out_g FROM batch WHERE out_g NOT BETWEEN 0 AND in_g"
        ),
        (
            "a plot's season is the sum of its harvests",
            """
            SELECT * FROM (
                SELECT village_id, plot_id, product_id, season, harvested_g FROM plot_season WHERE harvested_g <> 0
            ) counted
            FULL JOIN (
                SELECT village_id, plot_id, product_id, extract(year FROM harvested_on)::int AS season,
                    sum(in_g)::bigint AS summed_g
                FROM batch WHERE kind = 'harvest' GROUP BY 1, 2, 3, 4 HAVING sum(in_g) <> 0
            ) summed USING (village_id, plot_id, product_id, season)
            WHERE harvested_g IS DISTINCT FROM summed_g
            """
        ),
        (
            "no plot gives more than its ceiling and the exceptions",
            """
            SELECT s.village_id, s.plot_id, s.season, s.harvested_g, s.ceiling_g FROM plot_season s
            WHERE s.harvested_g > s.ceiling_g
            """
        ),
        (
            "a batch is of the household, the cooperative and the crop that its plot had on its day",
            """
            SELECT b.village_id, b.number, b.plot_id, b.household_id, b.harvested_on FROM batch b
            WHERE b.kind = 'harvest'
                AND (b.plot_period_id, b.household_id, b.cooperative_id, b.product_id) IS DISTINCT FROM (
                SELECT (p.id, p.household_id, p.cooperative_id, p.product_id) FROM plot_period p
                WHERE p.village_id = b.village_id AND p.plot_id = b.plot_id AND p.from_day <= b.harvested_on
                    AND p.at <= b.created_at
                ORDER BY p.from_day DESC, p.id DESC LIMIT 1)
            """
        ),
        (
            "a household is what the newest of its periods says, and has one",
            """
            SELECT h.village_id, h.number FROM household h
            WHERE (h.cooperative_id, h.head, h.grid_cell, h.support_class, h.people) IS DISTINCT FROM (
                SELECT (p.cooperative_id, p.head, p.grid_cell, p.support_class, p.people) FROM household_period p
                WHERE p.village_id = h.village_id AND p.household_id = h.id ORDER BY p.from_day DESC, p.id DESC LIMIT 1)
            """
        ),
        (
            "a plot is what the newest of its periods says, and has one",
            """
            SELECT t.village_id, t.number FROM plot t
            WHERE (t.cooperative_id, t.household_id, t.product_id, t.area_centimu) IS DISTINCT FROM (
                SELECT (p.cooperative_id, p.household_id, p.product_id, p.area_centimu) FROM plot_period p
                WHERE p.village_id = t.village_id AND p.plot_id = t.id ORDER BY p.from_day DESC, p.id DESC LIMIT 1)
            """
        ),
        (
            "sale lines are the sale's movements",
            """
            SELECT * FROM (
                SELECT village_id, batch_number, sale_id, sum(grams) AS sold FROM sale_line GROUP BY 1, 2, 3
            ) lines
            FULL JOIN (
                SELECT village_id, batch_number, sale_id, -sum(grams) AS moved
                FROM stock_movement WHERE kind = 'sale' GROUP BY 1, 2, 3
            ) movements USING (village_id, batch_number, sale_id)
            WHERE sold IS DISTINCT FROM moved
            """
        ),
        (
            "a sale has lines",
            """
            SELECT village_id, id FROM sale s WHERE NOT EXISTS (
                SELECT FROM sale_line l WHERE l.village_id = s.village_id AND l.sale_id = s.id)
            """
        ),
        (
            "a line's amount is grams × price / basis, half up",
            """
            SELECT village_id, sale_id, line, grams, price_fen, basis_g, amount_fen FROM sale_line
            WHERE amount_fen <> floor(grams::numeric * price_fen / basis_g + 0.5)
            """
        ),
        (
            "a batch has one code of its own",
            """
            SELECT b.village_id, b.number, count(c.batch_number) AS codes FROM batch b
            LEFT JOIN code c ON c.village_id = b.village_id AND c.batch_number = b.number AND c.serial = ''
            GROUP BY b.village_id, b.number HAVING count(c.batch_number) <> 1
            """
        ),
        (
            "no more visitors are told than there are scans",
            """
            SELECT c.village_id, c.day, c.batch_number, c.visitors FROM scan_count c
            WHERE c.visitors > (
                SELECT count(*) FROM scan s WHERE s.village_id = c.village_id AND s.day = c.day
                    AND s.batch_number = c.batch_number AND s.serial = c.serial)
            """
        ),
        (
            "only corrections are below zero",
            "SELECT village_id, id FROM income_entry WHERE amount_fen <= 0 AND corrects IS NULL"
        ),
        (
            "a session's counters are the sums of its bookings",
            """
            SELECT s.village_id, s.id, s.held, s.booked, sum(l.headcount) AS seats FROM tour_session s
            LEFT JOIN (
                SELECT l.village_id, l.session_id, l.headcount, b.state FROM tour_booking_session l
                JOIN tour_booking b ON b.village_id = l.village_id AND b.id = l.booking_id
            ) l ON l.village_id = s.village_id AND l.session_id = s.id
            GROUP BY s.village_id, s.id
            HAVING s.held <> coalesce(sum(l.headcount) FILTER (WHERE l.state IN ('requested', 'held')), 0)
                OR s.booked <> coalesce(sum(l.headcount) FILTER (
                    WHERE l.state IN ('confirmed', 'arrived', 'completed', 'no_show')), 0)
                OR s.held + s.booked > s.capacity
            """
        ),
        (
            "a booking's money is the sum of its lines, adjustments and payments",
            """
            SELECT b.village_id, b.id, b.fee_fen, b.adjusted_fen, b.kept_fen, b.paid_fen, b.refunded_fen
            FROM tour_booking b
            WHERE b.fee_fen <> (
                    SELECT coalesce(sum(amount_fen), 0) FROM tour_booking_session l
                    WHERE l.village_id = b.village_id AND l.booking_id = b.id) + (
                    SELECT coalesce(sum(amount_fen), 0) FROM tour_booking_extra x
                    WHERE x.village_id = b.village_id AND x.booking_id = b.id)
                OR b.adjusted_fen <> (
                    SELECT coalesce(sum(amount_fen), 0) FROM tour_adjustment a
                    WHERE a.village_id = b.village_id AND a.booking_id = b.id AND a.touches = 'fee')
                OR b.kept_fen <> (
                    SELECT coalesce(sum(kept_fen), 0) FROM tour_booking_session l
                    WHERE l.village_id = b.village_id AND l.booking_id = b.id)
                OR (b.paid_fen - b.register_paid_fen, b.refunded_fen) <> (
                    SELECT coalesce(sum(fen) FILTER (WHERE kind = 'payment'), 0)::bigint,
                        coalesce(sum(fen) FILTER (WHERE kind = 'refund'), 0)::bigint
                    FROM (
                        SELECT kind, CASE WHEN reverses IS NULL THEN amount_fen ELSE -amount_fen END AS fen
                        FROM tour_payment p WHERE p.village_id = b.village_id AND p.booking_id = b.id) p)
            """
        ),
        (
            "what is to go back was paid and isn't kept",
            """
            SELECT village_id, id, paid_fen, refund_due_fen, refunded_fen, kept_fen FROM tour_booking
            WHERE NOT 0 <= refunded_fen OR NOT refunded_fen <= refund_due_fen OR NOT refund_due_fen <= paid_fen
                OR state IN ('cancelled', 'no_show') AND refund_due_fen > refunded_fen
                    AND refund_due_fen > paid_fen - kept_fen
            """
        ),
        (
            "income of tours, claims and what was paid too much are what the bookings come to",
            """
            SELECT * FROM (
                SELECT b.village_id, b.id, b.state, b.came, b.net, b.charge, coalesce(e.fen, 0) AS income,
                    coalesce(c.amount_fen, 0) AS claim
                FROM (
                    SELECT village_id, id, state, state IN ('arrived', 'completed') AS came, paid_fen - refunded_fen AS net,
                        CASE WHEN state IN ('arrived', 'completed') AND refunded_fen > refund_due_fen - granted_fen
                                THEN fee_fen + adjusted_fen - refunded_fen + refund_due_fen - granted_fen
                            WHEN state IN ('arrived', 'completed') THEN fee_fen + adjusted_fen
                            WHEN state IN ('cancelled', 'no_show') THEN kept_fen ELSE 0 END AS charge
                    FROM tour_booking) b
                LEFT JOIN (
                    SELECT village_id, booking_id, sum(amount_fen) AS fen FROM tour_income GROUP BY 1, 2
                ) e ON e.village_id = b.village_id AND e.booking_id = b.id
                LEFT JOIN tour_claim c ON c.village_id = b.village_id AND c.booking_id = b.id
            ) f
            WHERE income <> CASE WHEN came THEN charge ELSE least(charge, net) END
                OR claim <> greatest(0, charge - net)
            """
        ),
        (
            "income of tours that was written down is that which the bookings stand for, row by row",
            """
            SELECT * FROM (
                SELECT village_id, booking_id, session_id, visit_day, unit_kind, kind, sum(amount_fen) AS fen FROM (
                    SELECT village_id, booking_id, session_id, visit_day, unit_kind, kind, amount_fen FROM tour_income_now
                    UNION ALL
                    SELECT village_id, booking_id, session_id, visit_day, unit_kind, kind, -amount_fen FROM tour_earning
                ) both_sides GROUP BY 1, 2, 3, 4, 5, 6
            ) differences WHERE fen <> 0
            """
        ),
        (
            "people of tours that were written down are those who came, booking by booking and day by day",
            """
            SELECT * FROM (
                SELECT village_id, booking_id, visit_day, unit_kind, sum(groups) AS groups, sum(people) AS people FROM (
                    SELECT village_id, booking_id, day AS visit_day, unit_kind, 1 AS groups, people FROM tour_visit_now
                    UNION ALL
                    SELECT village_id, booking_id, visit_day, unit_kind, -groups, -people FROM tour_visit
                ) both_sides GROUP BY 1, 2, 3, 4
            ) differences WHERE groups <> 0 OR people <> 0
            """
        ),
        (
            "who arrived is the sum of the check-ins that count",
            """
            SELECT l.village_id, l.booking_id, l.session_id, l.arrived, sum(c.headcount) AS counted
            FROM tour_booking_session l
            JOIN tour_booking b ON b.village_id = l.village_id AND b.id = l.booking_id
            LEFT JOIN tour_check_in c ON c.village_id = l.village_id AND c.booking_id = l.booking_id
                AND c.session_id = l.session_id AND c.counts AND NOT EXISTS (
                    SELECT FROM tour_check_in_undo u WHERE u.village_id = c.village_id
                        AND u.booking_id = c.booking_id AND u.check_in_id = c.id)
            WHERE b.state NOT IN ('completed')
            GROUP BY l.village_id, l.booking_id, l.session_id, l.arrived
            HAVING l.arrived IS DISTINCT FROM sum(c.headcount)
            """
        ),
        (
            "who counts has seats in the session",
            """
            SELECT c.village_id, c.booking_id, c.session_id, c.id FROM tour_check_in c
            WHERE c.counts AND NOT EXISTS (
                SELECT FROM tour_check_in_undo u WHERE u.village_id = c.village_id AND u.booking_id = c.booking_id
                    AND u.check_in_id = c.id)
                AND NOT EXISTS (
                    SELECT FROM tour_booking_session l WHERE l.village_id = c.village_id
                        AND l.booking_id = c.booking_id AND l.session_id = c.session_id)
            """
        ),
        (
            "a booking's last event tells where it stands",
            """
            SELECT b.village_id, b.id, b.state, e.kind, e.figures FROM tour_booking b
            JOIN LATERAL (
                SELECT kind, figures FROM event e WHERE e.village_id = b.village_id AND e.subject = b.id::text
                    AND e.kind LIKE 'booking.%' ORDER BY e.id DESC LIMIT 1
            ) e ON true
            WHERE e.figures ->> 'state' <> b.state
            """
        ),
        (
            together,
            """
            SELECT changed.what, count(*) AS rows FROM (
                SELECT 'batch' AS what, xmin FROM batch
                UNION ALL SELECT 'stock_movement', xmin FROM stock_movement
                UNION ALL SELECT 'plot_season', xmin FROM plot_season
                UNION ALL SELECT 'ceiling_override', xmin FROM ceiling_override
                UNION ALL SELECT 'code', xmin FROM code
                UNION ALL SELECT 'code_revocation', xmin FROM code_revocation
                UNION ALL SELECT 'recall', xmin FROM recall
                UNION ALL SELECT 'signing_key', xmin FROM signing_key
                UNION ALL SELECT 'signing_key_end', xmin FROM signing_key_end
                UNION ALL SELECT 'batch_correction', xmin FROM batch_correction
                UNION ALL SELECT 'withdrawal_undo', xmin FROM withdrawal_undo
                UNION ALL SELECT 'sale', xmin FROM sale
                UNION ALL SELECT 'sale_correction', xmin FROM sale_correction
                UNION ALL SELECT 'sale_name', xmin FROM sale_name
                UNION ALL SELECT 'sale_line', xmin FROM sale_line
                UNION ALL SELECT 'income_entry', xmin FROM income_entry
                UNION ALL SELECT 'livelihood_report', xmin FROM livelihood_report
                UNION ALL SELECT 'account', xmin FROM account
                UNION ALL SELECT 'api_token', xmin FROM api_token
                UNION ALL SELECT 'cooperative', xmin FROM cooperative
                UNION ALL SELECT 'household', xmin FROM household
                UNION ALL SELECT 'plot', xmin FROM plot
                UNION ALL SELECT 'household_period', xmin FROM household_period
                UNION ALL SELECT 'plot_period', xmin FROM plot_period
                UNION ALL SELECT 'tour_booking', xmin FROM tour_booking
                UNION ALL SELECT 'tour_booking_session', xmin FROM tour_booking_session
                UNION ALL SELECT 'tour_booking_extra', xmin FROM tour_booking_extra
                UNION ALL SELECT 'tour_check_in', xmin FROM tour_check_in
                UNION ALL SELECT 'tour_check_in_undo', xmin FROM tour_check_in_undo
                UNION ALL SELECT 'tour_gate_conflict', xmin FROM tour_gate_conflict
                UNION ALL SELECT 'tour_gate_settlement', xmin FROM tour_gate_settlement
                UNION ALL SELECT 'tour_picking_sale', xmin FROM tour_picking_sale
                UNION ALL SELECT 'tour_payment', xmin FROM tour_payment
                UNION ALL SELECT 'tour_adjustment', xmin FROM tour_adjustment
                UNION ALL SELECT 'tour_earning', xmin FROM tour_earning
                UNION ALL SELECT 'tour_visit', xmin FROM tour_visit
                UNION ALL SELECT 'tour_site', xmin FROM tour_site
                UNION ALL SELECT 'tour_site_closure', xmin FROM tour_site_closure
                UNION ALL SELECT 'tour_resource', xmin FROM tour_resource
                UNION ALL SELECT 'tour_programme', xmin FROM tour_programme
                UNION ALL SELECT 'tour_extra', xmin FROM tour_extra
                UNION ALL SELECT 'tour_session', xmin FROM tour_session
                UNION ALL SELECT 'tour_session_resource', xmin FROM tour_session_resource
            ) changed
            -- numbering an event makes its row one of the numbering's transaction
            WHERE changed.xmin::text NOT IN (SELECT xmin::text FROM event)
                AND NOT EXISTS (SELECT FROM event WHERE number IS NOT NULL)
            GROUP BY changed.what
            """
        ),
        (
            "a village's events name their actors",
            "SELECT village_id, id FROM event WHERE actor = '' OR kind = '' OR subject = ''"
        ),
    ]
}
