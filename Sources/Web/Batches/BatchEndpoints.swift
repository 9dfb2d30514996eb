import Batches
import Codes
import Documents
import Kernel

extension Site {
    var batchEndpoints: [Endpoint] {
        [
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
                outcomes: [.init(201, "Registered", Shapes.batchCode)], handle: register),
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
                return .page(batches, Shapes.batch, page) { $0.number }
            },
            Endpoint(
                .get, "/api/v1/batches/{number}",
                "A batch, its code, its corrections and its stock movements, newest first",
                access: .whoMay(.readGoods), pathParameters: [Self.batchNumber], query: PageRequest.parameters,
                outcomes: [.init(200, "The batch", .object(Shapes.batchRecord.fields + [.next]))], handle: show),
            Endpoint(
                .post, "/api/v1/batches/{number}/withdrawals", "Take grams out for own use, loss or a gift",
                access: .whoMay(.registerBatches), pathParameters: [Self.batchNumber],
                body: .json(
                    .object([
                        Field("kind", .enumeration(Withdrawal.allCases.map(\.rawValue))), Field("weight", .weight()),
                        Field("day", .day), .optional("reason", .string(1...1000)),
                    ])),
                outcomes: [.init(201, "Taken out", Shapes.moved)]
            ) { call in
                let kind = Withdrawal(rawValue: try call.body["kind"].string) ?? .loss
                let number = try call.path["number"].int64
                let plan = BatchStore.withdraw(
                    kind, batch: number, weight: try call.body["weight"].weight,
                    day: try call.body["day"].day, reason: try call.body["reason"].orNil?.string,
                    today: backend.clock.today)
                return try await carryOut(call, plan) { Shapes.moved.json((number, $0)) }
            },
        ]
    }

    static let batchNumber = Endpoint.Parameter("number", Look<Int64>.batch.schema, "The batch's number")

    private func show(_ call: Call) async throws -> Answer {
        let number = try call.path["number"].int64
        let page = try call.page()
        let history = try await BatchStore(backend.database).show(
            number, call.scope, before: Self.number(page.after), limit: page.limit)
        let code = try await CodeStore(backend.database, keys: backend.keys).show(batch: number, call.scope)
        let next = history.older > 0 ? history.movements.last.map { "\($0.number)" } : nil
        return .json(Shapes.batchRecord.json((history, code)).adding("next", Cursor.told(next)))
    }

    private func register(_ call: Call) async throws -> Answer {
        let harvest = Harvest(
            plot: try call.body["plot"].string, product: try call.body["product"].orNil?.string,
            variety: try call.body["variety"].string, grade: try call.body["grade"].string,
            day: try call.body["harvestedOn"].day, weight: try call.body["weight"].weight,
            slip: try call.body["slip"].orNil?.string, picker: try call.body["picker"].orNil?.string)
        let plan = CodeStore(backend.database, keys: backend.keys).register(harvest, today: backend.clock.today)
        return try await carryOut(call, plan, Shapes.batchCode)
    }

    /// The number that a cursor carries; the beginning of a list that goes downwards without one.
    static func number(_ cursor: String?) throws -> Int64 {
        try Cursor.place(cursor) { Int64($0) } ?? .max
    }
}
