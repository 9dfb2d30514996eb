import Batches
import Codes
import Database
import Foundation
import Kernel
import Orchard
import Postgres
import Registers
import Sales

/// What tests grow things on: two cooperatives with a household and two plots each.
///
/// East has `E1` (蟠桃, 10 mu, so at most 25,000 kg a season) and `E2` (红薯), west has `W1` (蟠桃) and `W2` (红薯).
public struct TestOrchard: Sendable {
    public let east: Int
    public let west: Int
    public static let eastName = "东社"
    public static let westName = "西社"
    /// 10 mu × 5,000 斤.
    public static let peachCeiling = Weight(grams: 25_000_000)
}

extension TestVillage {
    public func plant() async throws -> TestOrchard {
        let east = try await addCooperative(TestOrchard.eastName)
        let west = try await addCooperative(TestOrchard.westName)
        for (number, cooperative) in [("E", east), ("W", west)] {
            try await addHousehold("H\(number)", of: cooperative)
            try await addPlot("\(number)1", household: "H\(number)", product: "蟠桃")
            try await addPlot("\(number)2", household: "H\(number)", product: "红薯")
        }
        return TestOrchard(east: east, west: west)
    }

    public func addCooperative(_ name: String) async throws -> Int {
        _ = try await database.change(committee, OrchardStore.addCooperative(name: name))
        return Int(try await number("SELECT id FROM cooperative WHERE village_id = \(village.id) AND name = \(name)"))
    }

    public func addHousehold(_ number: String, of cooperative: Int) async throws {
        try await audited([
            """
            WITH made AS (
                INSERT INTO household (village_id, cooperative_id, number, head, grid_cell, support_class, people, phone)
                VALUES (\(village.id), \(cooperative), \(number), '张三', '一网格', '一般户', 3, '13800000000')
                RETURNING *
            )
            INSERT INTO household_period (village_id, household_id, from_day, cooperative_id, number, head, grid_cell,
                support_class, people, actor)
            SELECT village_id, id, '1900-01-01', cooperative_id, number, head, grid_cell, support_class, people, 'test'
            FROM made
            """
        ])
    }

    /// - Parameter area: in hundredths of a mu.
    public func addPlot(_ number: String, household: String, product: String, area: Int = 1000) async throws {
        try await audited([
            """
            WITH made AS (
                INSERT INTO plot (village_id, cooperative_id, household_id, product_id, number, name, area_centimu)
                SELECT h.village_id, h.cooperative_id, h.id, p.id, \(number), \(number), \(area)
                FROM household h JOIN product p ON p.village_id = h.village_id AND p.name = \(product)
                WHERE h.village_id = \(village.id) AND h.number = \(household)
                RETURNING *
            )
            INSERT INTO plot_period (village_id, plot_id, from_day, cooperative_id, household_id, product_id, number,
                area_centimu, actor)
            SELECT village_id, id, '1900-01-01', cooperative_id, household_id, product_id, number, area_centimu, 'test'
            FROM made
            """
        ])
    }

    /// Statements of the superuser, with an audit row in their transaction.
    public func audited(_ statements: [SQL]) async throws {
        _ = try await owner.query(statements + [Event("test.prepare", "test").insert(by: committee)])
    }

    public func harvest(
        plot: String = "E1", product: String? = nil, variety: String = "瑞蟠21号", grade: String = "特级",
        day: CivilDay? = nil, grams: Int64 = 100_000, slip: String? = nil
    ) -> Harvest {
        Harvest(
            plot: plot, product: product, variety: variety, grade: grade, day: day ?? today,
            weight: Weight(grams: grams), slip: slip, picker: "张三")
    }

    /// Registers a harvest and its code.
    @discardableResult
    public func register(_ harvest: Harvest, as scope: Scope? = nil) async throws -> IssuedCode {
        try await database.change(
            scope ?? committee, CodeStore(database, keys: keys).register(harvest, today: today))
    }

    public func sale(
        _ lines: [NewSale.Line], number: String? = nil, day: CivilDay? = nil, channel: String = "批发",
        buyer: String = "红旗批发", replaces: Int64? = nil, confirmed: Set<NewSale.Question> = []
    ) -> NewSale {
        NewSale(
            number: number, day: day ?? today, channel: channel, buyer: buyer, paidHow: "现金", lines: lines,
            replaces: replaces, confirmed: confirmed)
    }

    @discardableResult
    public func sell(_ sale: NewSale, as scope: Scope? = nil) async throws -> Sale {
        try await database.change(scope ?? committee, SaleStore.record(sale, today: today))
    }

    /// Makes a batch of two others, with its code's row, as packing will; the superuser writes it.
    public func derive(from parents: [Int64], kind: Batch.Kind = .blended) async throws -> Int64 {
        let number = try await number("SELECT nextval('numbers.batch_1')")
        let signed = try keys.signer().sign(batch: UInt32(number), issued: today)
        try await audited(
            [
                """
                INSERT INTO batch (village_id, number, cooperative_id, kind, product_id, variety_id, grade_id,
                    harvested_on, in_g, recalls, frozen_g)
                SELECT village_id, \(number), cooperative_id, \(kind.rawValue), product_id, variety_id, grade_id,
                    harvested_on, 1000, r.recalls, CASE WHEN r.recalls > 0 THEN 0 END
                FROM (
                    WITH RECURSIVE line (number) AS (
                        SELECT unnest(\(parents)::bigint[])
                        UNION
                        SELECT i.parent FROM batch_input i JOIN line ON i.child = line.number
                    )
                    SELECT count(*)::int AS recalls FROM line WHERE 'open' = (
                        SELECT r.step FROM recall r WHERE r.batch_number = line.number ORDER BY r.id DESC LIMIT 1)
                ) r, batch WHERE village_id = \(village.id) AND number = \(parents[0])
                """,
                """
                INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, actor)
                SELECT village_id, number, cooperative_id, 'correction', in_g, harvested_on, 'test'
                FROM batch WHERE village_id = \(village.id) AND number = \(number)
                """,
                """
                INSERT INTO code (village_id, batch_number, cooperative_id, key_id, issued_on, signature)
                SELECT village_id, number, cooperative_id, \(Int(signed.body.keyID.value)), \(today),
                    \(signed.signature)
                FROM batch WHERE village_id = \(village.id) AND number = \(number)
                """,
            ]
                + parents.map { parent in
                    """
                    INSERT INTO batch_input (village_id, child, parent, cooperative_id, grams)
                    SELECT village_id, \(number), number, cooperative_id, 500
                    FROM batch WHERE village_id = \(village.id) AND number = \(parent)
                    """
                })
        return number
    }
}
