import Batches
import Documents
import Kernel

/// How a batch's history looks in JSON.
extension Shapes {
    static let movement = Schema.named(
        "StockMovement",
        .object([
            Field("movement", .integer(1...Int64.max), "Its number"), Field("kind", .string()),
            Field("grams", .integer(-Weight.limit...Weight.limit)), Field("day", .day),
            .optional("sale", .integer(1...Int64.max)),
            .optional("undoes", .integer(1...Int64.max), "The withdrawal that it undoes"),
            .optional("undoneBy", .integer(1...Int64.max), "The movement by which it was undone"),
            .optional("reason", .string(1...1000)), Field("actor", .string()), Field("at", .instant),
        ]))

    static func movement(_ movement: StockMovement) -> JSON {
        [
            "movement": .integer(movement.number), "kind": .string(movement.kind), "grams": .integer(movement.grams),
            "day": JSON(movement.day), "sale": number(movement.sale), "undoes": number(movement.undoes),
            "undoneBy": number(movement.undoneBy), "reason": text(movement.reason), "actor": .string(movement.actor),
            "at": instant(movement.at),
        ]
    }

    static let recall = Schema.named(
        "OpenRecall",
        .object([
            Field(
                "batch", .integer(1...4_294_967_295),
                "The batch that is recalled: this one or one that it was made from"),
            Field("reason", .string(1...1000)), Field("since", .day),
        ]))

    static func recall(_ recall: OpenRecall) -> JSON {
        ["batch": .integer(recall.batch), "reason": .string(recall.reason), "since": JSON(CivilDay(of: recall.at))]
    }

    private static let correctedState = Schema.object([
        Field("weight", .weight(0...Weight.limit)), Field("grade", .string()), .optional("slip", .string()),
        .optional("picker", .string()),
    ])

    static let batchCorrection = Schema.named(
        "BatchCorrection",
        .object([
            Field("correction", .integer(1...Int64.max)), Field("kind", .enumeration(["correct", "void"])),
            Field("day", .day), Field("reason", .string(1...1000)), Field("before", correctedState),
            Field("after", correctedState), Field("actor", .string()), Field("at", .instant),
        ]))

    static func batchCorrection(_ correction: BatchCorrection) -> JSON {
        func state(_ state: BatchCorrection.State) -> JSON {
            [
                "weight": JSON(state.weight), "grade": .string(state.grade), "slip": text(state.slip),
                "picker": text(state.picker),
            ]
        }
        return [
            "correction": .integer(correction.number), "kind": .string(correction.kind), "day": JSON(correction.day),
            "reason": .string(correction.reason), "before": state(correction.before),
            "after": state(correction.after), "actor": .string(correction.actor), "at": instant(correction.at),
        ]
    }

    static func number(_ number: Int64?) -> JSON { number.map { .integer($0) } ?? .null }
}
