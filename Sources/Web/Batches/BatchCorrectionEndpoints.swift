import Batches
import Database
import Documents
import Kernel
import Operations

extension Site {
    static let correctionFields = [
        Field("reason", .string(1...1000)),
        Field.optional("day", .day, "Today unless told; after the books that are closed"),
    ]

    /// How batches are put right, and how the books are closed.
    var batchCorrectionEndpoints: [Endpoint] {
        [
            endpoint(CorrectBatch.self), endpoint(VoidBatch.self),
            Endpoint(
                .post, "/api/v1/batches/{number}/withdrawals/{movement}/reversals", "Undo a withdrawal",
                access: .whoMay(.registerBatches),
                pathParameters: [
                    Self.batchNumber, .init("movement", .integer(1...Int64.max), "The withdrawal's number"),
                ],
                body: .json(.object(Self.correctionFields)), outcomes: [.init(201, "Undone", Shapes.moved)]
            ) { call in
                let number = try call.path["number"].int64
                let plan = BatchStore.undo(
                    withdrawal: try call.path["movement"].int64, of: number,
                    reason: try call.body["reason"].string, day: try call.body["day"].orNil?.day,
                    today: backend.clock.today)
                return try await carryOut(call, plan) { Shapes.moved.json((number, $0)) }
            },
        ]
    }

    var bookEndpoints: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/books/closings",
                "Close the books through a day: nothing is dated that day or before it "
                    + "any more", access: .whoMay(.closeBooks), body: .json(Shapes.closedThrough.schema),
                outcomes: [.init(201, "Closed", Shapes.closedThrough)]
            ) { call in
                let plan = ClosedBooks.close(through: try call.body["through"].day, today: backend.clock.today)
                return try await carryOut(call, plan, Shapes.closedThrough)
            },
            Endpoint(
                .get, "/api/v1/books/closings", "Through which day the books are closed, and who closed them",
                access: .whoMay(.readGoods), outcomes: [.init(200, "The closings, newest first", Shapes.closings)]
            ) { call in
                .json(Shapes.closings.json(try await ClosedBooks.closings(backend.database, call.scope)))
            },
        ]
    }
}
