import Batches
import Codes
import Documents
import Kernel

extension Site {
    var batchEndpoints: [Endpoint] {
        let number = Endpoint.Parameter("number", .integer(1...4_294_967_295), "The batch's number")
        let registered = Schema.object([Field("batch", .integer(1...4_294_967_295)), Field("code", Shapes.code)])
        return [
            Endpoint(
                .post, "/api/v1/batches", "Register a harvest as a batch with its signed code",
                access: .whoMay(.registerBatches),
                body: .json(
                    .object([
                        Field("plot", .string(1...60)), .optional("product", .string(1...60)),
                        Field("variety", .string(1...60)), Field("grade", .string(1...60)), Field("harvestedOn", .day),
                        Field("weight", .weight()), .optional("slip", .string(1...60), "The harvest slip's number"),
                        .optional("picker", .string(1...60)),
                    ])),
                outcomes: [.init(201, "Registered", registered)], handle: register),
            Endpoint(
                .get, "/api/v1/batches", "The batches, newest first", access: .whoMay(.readGoods),
                query: PageRequest.parameters + [
                    .init("inStock", .boolean, "Only batches of which something is left")
                ],
                outcomes: [.init(200, "A page of batches", .page(of: Shapes.batch))]
            ) { call in
                let page = try call.page()
                let batches = try await BatchStore(backend.database).list(
                    call.scope, before: Self.number(page.after), inStock: call.query["inStock"].orNil?.bool ?? false,
                    limit: page.limit)
                let next = batches.count == page.limit ? batches.last?.number.description : nil
                return .page(batches.map(Shapes.batch.json), next: next)
            },
            Endpoint(
                .get, "/api/v1/batches/{number}",
                "A batch, its code, its corrections and its stock movements, newest first",
                access: .whoMay(.readGoods), pathParameters: [number], query: PageRequest.parameters,
                outcomes: [
                    .init(
                        200, "The batch",
                        .object([
                            Field("batch", Shapes.batch.schema), Field("recall", Shapes.recall.schema, nullable: true),
                            Field("code", Shapes.code), Field("revoked", .boolean),
                            Field("corrections", .array(of: Shapes.batchCorrection.schema), "Oldest first"),
                            Field(
                                "movements", .array(of: Shapes.movement.schema), "Their sum, on all pages, is the stock"
                            ),
                            Field("olderMovements", .integer(0...Int64.max), "How many there are on later pages"),
                            Field("next", .string(1...500), "The `cursor` of older movements", nullable: true),
                        ]))
                ], handle: show),
            Endpoint(
                .post, "/api/v1/batches/{number}/withdrawals", "Take grams out for own use, loss or a gift",
                access: .whoMay(.registerBatches), pathParameters: [number],
                body: .json(
                    .object([
                        Field("kind", .enumeration(Withdrawal.allCases.map(\.rawValue))), Field("weight", .weight()),
                        Field("day", .day), .optional("reason", .string(1...1000)),
                    ])),
                outcomes: [.init(201, "Taken out", Shapes.moved)]
            ) { call in
                let kind = Withdrawal(rawValue: try call.body["kind"].string) ?? .loss
                let plan = BatchStore.withdraw(
                    kind, batch: try call.path["number"].int64, weight: try call.body["weight"].weight,
                    day: try call.body["day"].day, reason: try call.body["reason"].orNil?.string,
                    today: backend.clock.today)
                return try await carryOut(call, plan, Shapes.moved)
            },
        ]
    }

    private func show(_ call: Call) async throws -> Answer {
        let number = try call.path["number"].int64
        let page = try call.page()
        let history = try await BatchStore(backend.database).show(
            number, call.scope, before: Self.number(page.after), limit: page.limit)
        let code = try await CodeStore(backend.database, keys: backend.keys).show(batch: number, call.scope)
        let next = history.older > 0 ? history.movements.last.map { "\($0.number)" } : nil
        return .json([
            "batch": Shapes.batch.json(history.batch), "recall": history.recall.map(Shapes.recall.json) ?? .null,
            "code": Shapes.code(code), "revoked": .bool(code.revoked),
            "corrections": .array(history.corrections.map(Shapes.batchCorrection.json)),
            "movements": .array(history.movements.map(Shapes.movement.json)), "olderMovements": JSON(history.older),
            "next": next.map { .string(Cursor.encode($0)) } ?? .null,
        ])
    }

    private func register(_ call: Call) async throws -> Answer {
        let harvest = Harvest(
            plot: try call.body["plot"].string, product: try call.body["product"].orNil?.string,
            variety: try call.body["variety"].string, grade: try call.body["grade"].string,
            day: try call.body["harvestedOn"].day, weight: try call.body["weight"].weight,
            slip: try call.body["slip"].orNil?.string, picker: try call.body["picker"].orNil?.string)
        let plan = CodeStore(backend.database, keys: backend.keys).register(harvest, today: backend.clock.today)
        return try await carryOut(call, plan) { ["batch": .integer($0.batch), "code": Shapes.code($0)] }
    }

    /// The number that a cursor carries; the beginning of a list that goes downwards without one.
    static func number(_ cursor: String?) throws -> Int64 {
        try Cursor.place(cursor) { Int64($0) } ?? .max
    }
}
