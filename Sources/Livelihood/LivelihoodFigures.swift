import Database
import Income
import Kernel
import Postgres

/// How the figures are read: every statement in the one transaction that is given.
extension LivelihoodFigures {
    static func read(
        _ period: LivelihoodPeriod, _ transaction: Transaction, _ scope: Scope
    ) async throws -> LivelihoodFigures {
        let answers = try await transaction.query([
            village(period, scope), income(period, scope), movements(period, scope), stock(period, scope),
            sales(period, scope), visits(period, scope), lastVisits(period, scope), tourIncome(period, scope),
            households(period, scope), corrections(period, scope), harvestCorrections(period, scope),
        ])
        guard let village = answers[0].first, let lastVisits = answers[6].first else { throw MissingReport() }
        var income: [String: Compared] = [:]
        for row in answers[1] { income[try row.decode("source")] = try row.compared("last_fen", "this_fen") }
        let (products, batches) = try products(movements: answers[2], stock: answers[3], sales: answers[4])
        let visits = try visits(people: answers[5], income: answers[7])
        let (classes, unattributed) = try households(answers[8])
        return LivelihoodFigures(
            village: try village.decode("name"), brand: try village.decode("brand"), period: period, income: income,
            products: products, batches: batches, visits: visits,
            groups: Compared(last: try lastVisits.decode("groups"), this: visits.reduce(0) { $0 + $1.groups }),
            visitors: Compared(last: try lastVisits.decode("people"), this: visits.reduce(0) { $0 + $1.people }),
            householdGroups: LivelihoodRules.merged(classes),
            households: HouseholdGroup(classes).withoutClasses,
            unattributedSalesFen: unattributed, cooperatives: try village.decode("cooperatives"),
            corrections: try corrections(answers[9]), harvestCorrections: try harvestCorrections(answers[10]))
    }

    /// The cooperatives are those which had households on the period's last day.
    private static func village(_ period: LivelihoodPeriod, _ scope: Scope) -> SQL {
        """
        SELECT v.name, v.brand, (
            SELECT count(DISTINCT c.meant_id) FROM household_span h
            JOIN cooperative_meant c ON c.village_id = h.village_id AND c.id = h.cooperative_id
            WHERE h.village_id = v.id AND h.from_day <= \(period.to) AND \(period.to) < h.until_day) AS cooperatives
        FROM village v WHERE v.id = \(scope.village)
        """
    }

    private static func income(_ period: LivelihoodPeriod, _ scope: Scope) -> SQL {
        """
        SELECT source,
            coalesce(sum(amount_fen) FILTER (WHERE day BETWEEN \(period.lastFrom) AND \(period.lastTo)), 0)::bigint
                AS last_fen,
            coalesce(sum(amount_fen) FILTER (WHERE day >= \(period.from)), 0)::bigint AS this_fen
        FROM income_row WHERE village_id = \(scope.village) AND day BETWEEN \(period.lastFrom) AND \(period.to)
        GROUP BY source
        """
    }

    /// What moved in and out of the batches harvested in the period, by its last day; and of those of the year before
    /// what was harvested. What was put right counts where it should have been in the first place.
    private static func movements(_ period: LivelihoodPeriod, _ scope: Scope) -> SQL {
        """
        SELECT p.name AS product,
            CASE m.kind WHEN 'return' THEN 'sale' WHEN 'undo' THEN w.kind
                WHEN 'correction' THEN CASE WHEN k.id IS NULL THEN 'correction' ELSE 'harvest' END
                ELSE m.kind END AS kind,
            b.harvested_on >= \(period.from) AS is_this, sum(m.grams)::bigint AS grams
        FROM batch b
        JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
        JOIN stock_movement m ON m.village_id = b.village_id AND m.batch_number = b.number
        LEFT JOIN batch_correction k ON m.kind = 'correction' AND k.village_id = b.village_id
            AND k.batch_number = b.number AND k.movement = m.id
        LEFT JOIN withdrawal_undo u ON m.kind = 'undo' AND u.village_id = b.village_id AND u.batch_number = b.number
            AND u.movement = m.id
        LEFT JOIN stock_movement w ON w.village_id = u.village_id AND w.batch_number = u.batch_number
            AND w.id = u.withdrawal
        WHERE b.village_id = \(scope.village) AND b.kind = 'harvest' AND m.day <= \(period.to) AND (
            b.harvested_on BETWEEN \(period.from) AND \(period.to)
            OR b.harvested_on BETWEEN \(period.lastFrom) AND \(period.lastTo)
                AND m.kind IN ('harvest', 'correction'))
        GROUP BY 1, 2, 3
        """
    }

    /// What the batches' counters say is left, put back to the period's last day.
    private static func stock(_ period: LivelihoodPeriod, _ scope: Scope) -> SQL {
        """
        SELECT p.name AS product, b.harvested_on >= \(period.from) AS is_this, count(*) AS batches,
            sum(b.in_g - b.out_g - coalesce(later.grams, 0))::bigint AS grams
        FROM batch b
        JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
        LEFT JOIN (
            SELECT batch_number, sum(grams) AS grams FROM stock_movement
            WHERE village_id = \(scope.village) AND day > \(period.to) GROUP BY batch_number
        ) later ON later.batch_number = b.number
        WHERE b.village_id = \(scope.village) AND b.kind = 'harvest' AND (
            b.harvested_on BETWEEN \(period.from) AND \(period.to)
            OR b.harvested_on BETWEEN \(period.lastFrom) AND \(period.lastTo))
        GROUP BY 1, 2
        """
    }

    private static func sales(_ period: LivelihoodPeriod, _ scope: Scope) -> SQL {
        """
        SELECT p.name AS product, r.is_this, sum(r.grams)::bigint AS grams, sum(r.fen)::bigint AS fen
        FROM (
            SELECT product_id, day >= \(period.from) AS is_this, sum(grams) AS grams, sum(amount_fen) AS fen
            FROM income_row WHERE village_id = \(scope.village) AND source = 'sales' AND (
                day BETWEEN \(period.from) AND \(period.to) OR day BETWEEN \(period.lastFrom) AND \(period.lastTo))
            GROUP BY 1, 2) r
        JOIN product p ON p.village_id = \(scope.village) AND p.id = r.product_id
        GROUP BY 1, 2
        """
    }

    private static func products(
        movements: Rows, stock: Rows, sales: Rows
    ) throws -> (products: [Product], batches: Compared) {
        var moved: [String: [String: Int64]] = [:]
        var left: [String: Int64] = [:]
        var sold: [String: (grams: Compared, fen: Compared)] = [:]
        var batches = Compared.zero
        for row in movements {
            let kind = try row.decode("kind", as: String.self) + (try row.decode("is_this") ? "" : " last")
            moved[try row.decode("product"), default: [:]][kind] = try row.decode("grams")
        }
        for row in stock {
            let isThis: Bool = try row.decode("is_this")
            batches = batches + (try row.ofYear(isThis, "batches"))
            if isThis { left[try row.decode("product")] = try row.decode("grams") }
        }
        for row in sales {
            let product: String = try row.decode("product")
            let (grams, fen) = sold[product] ?? (.zero, .zero)
            let isThis: Bool = try row.decode("is_this")
            sold[product] = (grams + (try row.ofYear(isThis, "grams")), fen + (try row.ofYear(isThis, "fen")))
        }
        let products = Set(moved.keys).union(left.keys).union(sold.keys).map { name in
            let moves = moved[name] ?? [:]
            return Product(
                name: name,
                harvestedGrams: Compared(last: moves["harvest last"] ?? 0, this: moves["harvest"] ?? 0),
                soldGrams: sold[name]?.grams ?? .zero, salesFen: sold[name]?.fen ?? .zero,
                balance: Balance(
                    harvestedGrams: moves["harvest"] ?? 0, soldGrams: -(moves["sale"] ?? 0),
                    lossGrams: -(moves["loss"] ?? 0), ownUseGrams: -(moves["own_use"] ?? 0),
                    giftGrams: -(moves["gift"] ?? 0), correctionGrams: -(moves["correction"] ?? 0),
                    stockGrams: left[name] ?? 0))
        }
        return (products.sorted { ($1.salesFen.this, $0.name) < ($0.salesFen.this, $1.name) }, batches)
    }

    private static func visits(_ period: LivelihoodPeriod, _ scope: Scope) -> SQL {
        """
        SELECT extract(month FROM day)::int AS month, unit_kind, sum(groups)::bigint AS groups, sum(people)::bigint AS people
        FROM tour_visit WHERE village_id = \(scope.village) AND day BETWEEN \(period.from) AND \(period.to)
        GROUP BY 1, 2
        """
    }

    private static func lastVisits(_ period: LivelihoodPeriod, _ scope: Scope) -> SQL {
        """
        SELECT coalesce(sum(groups), 0)::bigint AS groups, coalesce(sum(people), 0)::bigint AS people FROM tour_visit
        WHERE village_id = \(scope.village) AND day BETWEEN \(period.lastFrom) AND \(period.lastTo)
        """
    }

    private static func tourIncome(_ period: LivelihoodPeriod, _ scope: Scope) -> SQL {
        """
        SELECT extract(month FROM day)::int AS month, unit_kind, sum(amount_fen)::bigint AS fen
        FROM tour_income WHERE village_id = \(scope.village) AND day BETWEEN \(period.from) AND \(period.to)
        GROUP BY 1, 2
        """
    }

    private struct Occasion: Hashable, Comparable {
        let month: Int
        let kind: String

        static func < (left: Occasion, right: Occasion) -> Bool {
            (left.month, left.kind) < (right.month, right.kind)
        }
    }

    private static func visits(people: Rows, income: Rows) throws -> [Visits] {
        var came: [Occasion: (groups: Int64, people: Int64)] = [:]
        var fen: [Occasion: Int64] = [:]
        for row in people {
            came[try occasion(row)] = (try row.decode("groups"), try row.decode("people"))
        }
        for row in income { fen[try occasion(row)] = try row.decode("fen") }
        return Set(came.keys).union(fen.keys).sorted().map { occasion in
            let (groups, people) = came[occasion] ?? (0, 0)
            return Visits(
                month: occasion.month, kind: occasion.kind, groups: groups, people: people,
                incomeFen: fen[occasion] ?? 0)
        }
    }

    private static func occasion(_ row: Row) throws -> Occasion {
        Occasion(month: try row.decode("month"), kind: try row.decode("unit_kind"))
    }

    /// Households as they were on the period's last day, with the sales of their own harvests, whoever works the plots
    /// since: a row a support class, and one without a class for sales that are no household's.
    private static func households(_ period: LivelihoodPeriod, _ scope: Scope) -> SQL {
        """
        WITH sold AS (
            SELECT b.household_id, sum(l.amount_fen)::bigint AS fen
            FROM (
                SELECT l.batch_number, l.amount_fen FROM sale s
                JOIN sale_line l ON l.village_id = s.village_id AND l.sale_id = s.id
                WHERE s.village_id = \(scope.village) AND s.sold_on BETWEEN \(period.from) AND \(period.to)
                UNION ALL
                SELECT k.batch_number, -k.refund_fen FROM sale_correction k
                WHERE k.village_id = \(scope.village) AND k.day BETWEEN \(period.from) AND \(period.to)
            ) l
            JOIN batch b ON b.village_id = \(scope.village) AND b.number = l.batch_number
            GROUP BY 1
        ), here AS (
            SELECT household_id, support_class, people FROM household_span
            WHERE village_id = \(scope.village) AND from_day <= \(period.to) AND \(period.to) < until_day
        )
        SELECT h.support_class, count(h.household_id) AS households, coalesce(sum(h.people), 0)::bigint AS people,
            coalesce(sum(sold.fen), 0)::bigint AS fen
        FROM here h FULL JOIN sold ON sold.household_id = h.household_id
        GROUP BY 1
        """
    }

    private static func households(_ rows: Rows) throws -> (classes: [HouseholdGroup], unattributed: Int64) {
        var classes: [HouseholdGroup] = []
        var unattributed: Int64 = 0
        for row in rows {
            let fen: Int64 = try row.decode("fen")
            guard let name: String = try row.decode("support_class", as: String?.self) else {
                unattributed += fen
                continue
            }
            classes.append(
                HouseholdGroup(
                    classes: [name], households: try row.decode("households"), people: try row.decode("people"),
                    salesFen: fen))
        }
        return (classes, unattributed)
    }
}

extension LivelihoodFigures.HouseholdGroup {
    fileprivate var withoutClasses: Self {
        Self(classes: [], households: households, people: people, salesFen: salesFen)
    }
}

extension Row {
    fileprivate func compared(_ last: String, _ this: String) throws -> LivelihoodFigures.Compared {
        .init(last: try decode(last), this: try decode(this))
    }

    /// One column that belongs to this year or to the last.
    fileprivate func ofYear(_ isThis: Bool, _ column: String) throws -> LivelihoodFigures.Compared {
        let value: Int64 = try decode(column)
        return isThis ? .init(last: 0, this: value) : .init(last: value, this: 0)
    }
}
