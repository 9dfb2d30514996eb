import Documents
import Kernel
import Operations
import Sales

extension Site {
    var saleEndpoints: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/sales", "Record a sale out of one cooperative's batches", access: .whoMay(.recordSales),
                body: .json(
                    .object(
                        [
                            .optional("number", .string(1...60)), Field("soldOn", .day),
                            Field("channel", .string(1...40)),
                            Field("buyer", .string(1...200)), .optional("paidHow", .string(1...40)),
                            Field(
                                "lines",
                                .array(
                                    of: .object([
                                        Field("batch", .integer(1...4_294_967_295)), Field("weight", .weight()),
                                        Field("price", Shapes.price.schema),
                                    ]), 1...100)),
                            .optional(
                                "replaces", .integer(1...Int64.max),
                                "The reversed sale that is recorded anew, under its number"),
                            .optional("newChannel", .boolean, "The channel is a new one indeed"),
                        ] + Self.goodsQuestions)),
                outcomes: [.init(201, "Recorded", Shapes.sale)]
            ) { call in
                let lines = try call.body["lines"].array.map { line in
                    NewSale.Line(
                        batch: try line["batch"].int64, weight: try line["weight"].weight,
                        price: try Price(line["price"]))
                }
                var confirmed = try Self.confirmed(call.body)
                if try call.body["newChannel"].orNil?.bool ?? false { confirmed.insert(.newChannel) }
                let sale = NewSale(
                    number: try call.body["number"].orNil?.string, day: try call.body["soldOn"].day,
                    channel: try call.body["channel"].string, buyer: try call.body["buyer"].string,
                    paidHow: try call.body["paidHow"].orNil?.string, lines: lines,
                    replaces: try call.body["replaces"].orNil?.int64, confirmed: confirmed)
                return try await carryOut(
                    call, SaleStore.record(sale, today: backend.clock.today), Shapes.sale)
            },
            Endpoint(
                .get, "/api/v1/sales", "The sales, newest first", access: .whoMay(.readGoods),
                query: PageRequest.parameters + [
                    .init("from", .day, "From this day on"), .init("to", .day, "Through this day"),
                    .init("buyer", .string(1...200), "The buyer, or part of the name"),
                    .init("number", .string(1...60), "The number in the cooperative's own register"),
                    .init("batch", .integer(1...4_294_967_295), "Only sales out of this batch"),
                ],
                outcomes: [.init(200, "A page of sales", .page(of: Shapes.sale))]
            ) { call in
                let page = try call.page()
                let filter = SaleFilter(
                    from: try call.query["from"].orNil?.day, to: try call.query["to"].orNil?.day,
                    buyer: try call.query["buyer"].orNil?.string, number: try call.query["number"].orNil?.string,
                    batch: try call.query["batch"].orNil?.int64)
                let sales = try await SaleStore(backend.database).list(
                    call.scope, before: Self.number(page.after), filter, limit: page.limit)
                return .page(sales, Shapes.sale, page) { $0.id }
            },
        ] + saleCorrectionEndpoints
    }

    private var saleCorrectionEndpoints: [Endpoint] {
        let number = Endpoint.Parameter("sale", .integer(1...Int64.max), "The sale's number")
        return [
            Endpoint(
                .get, "/api/v1/sales/{sale}", "A sale, with what was put right of it", access: .whoMay(.readGoods),
                pathParameters: [number], outcomes: [.init(200, "The sale", Shapes.saleHistory)]
            ) { call in
                let (sale, corrections) = try await SaleStore(backend.database).show(
                    call.path["sale"].int64, call.scope)
                return .json(Shapes.saleHistory.json(.init(sale, corrections)))
            },
            endpoint(ReverseSale.self), endpoint(ReturnGoods.self),
        ]
    }

    /// What goods that are sold are asked about.
    static let goodsQuestions = [
        Field.optional("pastBestBefore", .boolean, "Sell it although it is past its best-before day"),
        Field.optional("unusualPrice", .boolean, "The price is meant, although far from the usual one"),
    ]

    static func confirmed(_ body: JSON) throws -> Set<NewSale.Question> {
        var confirmed: Set<NewSale.Question> = []
        if try body["pastBestBefore"].orNil?.bool ?? false { confirmed.insert(.pastBestBefore) }
        if try body["unusualPrice"].orNil?.bool ?? false { confirmed.insert(.unusualPrice) }
        return confirmed
    }
}

extension Price {
    init(_ json: JSON) throws {
        guard let basis = Basis(rawValue: try json["per"].string) else { throw Self.unknownBasis }
        try self.init(fen: try json["fen"].int64, basis: basis, boxGrams: json["boxWeight"].orNil?.weight.grams)
    }

    private static let unknownBasis = Refusal(
        .invalid, "not-a-price", field: "per", zh: "计价单位须为 jin、kg 或 box", en: "a price is per jin, kg or box")
}
