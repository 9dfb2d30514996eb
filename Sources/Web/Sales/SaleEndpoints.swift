import Kernel
import Sales

extension Site {
    var saleEndpoints: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/sales", "Record a sale out of one cooperative's batches", access: Roles.recorders,
                body: .json(
                    .object([
                        .optional("number", .string(1...60)), Field("soldOn", .day), Field("channel", .string(1...40)),
                        Field("buyer", .string(1...200)), .optional("paidHow", .string(1...40)),
                        Field(
                            "lines",
                            .array(
                                of: .object([
                                    Field("batch", .integer(1...4_294_967_295)), Field("weight", .weight()),
                                    Field("price", Shapes.price),
                                ]), 1...100)),
                    ])),
                outcomes: [.init(201, "Recorded", Shapes.sale)]
            ) { call in
                let lines = try call.body["lines"].array.map { line in
                    NewSale.Line(
                        batch: try line["batch"].int64, weight: try line["weight"].weight,
                        price: try Shapes.price(line["price"]))
                }
                let sale = NewSale(
                    number: try call.body["number"].orNil?.string, day: try call.body["soldOn"].day,
                    channel: try call.body["channel"].string, buyer: try call.body["buyer"].string,
                    paidHow: try call.body["paidHow"].orNil?.string, lines: lines)
                return try await carryOut(
                    call, SaleStore.record(sale, today: backend.clock.today), Shapes.sale)
            },
            Endpoint(
                .get, "/api/v1/sales", "The sales, newest first", access: Roles.readers,
                query: PageRequest.parameters + [
                    .init("batch", .integer(1...4_294_967_295), "Only sales out of this batch")
                ],
                outcomes: [.init(200, "A page of sales", .page(of: Shapes.sale))]
            ) { call in
                let page = try call.page()
                let sales = try await SaleStore(backend.database).list(
                    call.scope, before: Self.number(page.after), batch: call.query["batch"].orNil?.int64,
                    limit: page.limit)
                let next = sales.count == page.limit ? sales.last?.id.description : nil
                return .page(sales.map(Shapes.sale), next: next)
            },
        ]
    }
}
