import Documents
import Kernel

@testable import Web

extension ServedVillage {
    /// The accepted request of an endpoint that puts goods right or closes the books; nil for all others.
    func goodsExample(of endpoint: Endpoint) async throws -> Example? {
        let reason = JSON.string(fresh("r"))
        switch endpoint.name {
        case "POST /api/v1/batches/{number}/corrections":
            return Example(
                "/api/v1/batches/\(try await register().batch)/corrections", as: "clerk",
                ["weight": JSON(Weight(grams: 400_000)), "slip": .string(fresh("C")), "reason": reason])
        case "POST /api/v1/batches/{number}/void":
            return Example(
                "/api/v1/batches/\(try await register().batch)/void", as: "clerk", ["reason": reason])
        case "POST /api/v1/batches/{number}/withdrawals/{movement}/reversals":
            let taken = try await post(
                "/api/v1/batches/\(batch)/withdrawals", as: "clerk",
                ["kind": "loss", "weight": JSON(Weight(grams: 1)), "day": JSON(today)])
            return Example(
                "/api/v1/batches/\(batch)/withdrawals/\(try taken["movement"].int64)/reversals", as: "clerk",
                ["reason": reason])
        case "GET /api/v1/sales/{sale}":
            let sale = try await count("SELECT min(id) AS count FROM sale")
            return Example("/api/v1/sales/\(sale)", as: "clerk")
        case "POST /api/v1/sales/{sale}/reversals":
            return Example("/api/v1/sales/\(try await sold())/reversals", as: "clerk", ["reason": reason])
        case "POST /api/v1/sales/{sale}/returns":
            return Example(
                "/api/v1/sales/\(try await sold())/returns", as: "clerk",
                [
                    "line": 1, "weight": JSON(Weight(grams: 500)), "goods": "scrapped", "refund": JSON(Money(fen: 850)),
                    "reason": reason,
                ])
        case "POST /api/v1/books/closings":
            // Long before all that the other examples are of.
            let last = try await get("/api/v1/books/closings", as: "committee")["through"].orNil?.day
            let day = last?.adding(days: 1) ?? CivilDay(daysSince2020: -9000)
            return Example("/api/v1/books/closings", as: "committee", ["through": JSON(day)])
        default: return nil
        }
    }

    /// A sale of 1 kg out of `batch`.
    func sold() async throws -> Int64 {
        try await post("/api/v1/sales", as: "clerk", Self.sale(batch, grams: 1000, on: today))["sale"].int64
    }
}
