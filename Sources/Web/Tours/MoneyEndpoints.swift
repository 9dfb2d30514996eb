import Database
import Documents
import Kernel
import Tours

/// What the desk has to see to, and the money of bookings.
extension Site {
    var bookingMoney: [Endpoint] { tourBooks + payments }

    private var payments: [Endpoint] {
        let paid = [Field("paidHow", .string(1...40)), Field.optional("day", .day, "Today unless told")]
        return [
            step("payments", "Record money that came in", [Field("amount", .money(1...1_000_000_000_000))] + paid) {
                key, seen, call in
                PaymentStore.pay(
                    key, try call.body["amount"].money, how: try call.body["paidHow"].string,
                    day: try call.body["day"].orNil?.day, seen: seen, now: backend.clock.now())
            },
            step(
                "payment-reversals", "Take back a payment or a refund that was entered by mistake, once",
                [
                    Field("payment", .integer(1...Int64.max), "Its number"), Field("reason", .string(1...200)),
                    .optional("day", .day, "Today unless told"),
                ]
            ) { key, seen, call in
                PaymentStore.reverse(
                    key, payment: try call.body["payment"].int64, reason: try call.body["reason"].string,
                    day: try call.body["day"].orNil?.day, seen: seen, now: backend.clock.now())
            },
            step(
                "refund-decisions", "Decide how much goes back in all",
                [
                    Field("amount", .money(0...1_000_000_000_000)),
                    .optional("reason", .string(1...200), "Needed where less goes back than what isn't kept"),
                ]
            ) { key, seen, call in
                PaymentStore.decideRefund(
                    key, try call.body["amount"].money, reason: try call.body["reason"].orNil?.string, seen: seen,
                    now: backend.clock.now())
            },
            step(
                "refunds", "Record money that went back",
                [.optional("amount", .money(1...1_000_000_000_000), "All that is due unless told")] + paid
            ) { key, seen, call in
                PaymentStore.refund(
                    key, try call.body["amount"].orNil?.money, how: try call.body["paidHow"].string,
                    day: try call.body["day"].orNil?.day, seen: seen, now: backend.clock.now())
            },
            step(
                "adjustments", "Change what a booking comes to: fewer or more came, a discount",
                [
                    Field("amount", Shapes.anyMoney, "Below zero lowers it"), Field("reason", .string(1...200)),
                    .optional("day", .day, "Today unless told"),
                ]
            ) { key, seen, call in
                AdjustmentStore.adjust(
                    key, try call.body["amount"].money, reason: try call.body["reason"].string,
                    day: try call.body["day"].orNil?.day, seen: seen, now: backend.clock.now())
            },
        ]
    }

    private var tourBooks: [Endpoint] {
        let period: [Endpoint.Parameter] = [
            .init("from", .day, "The first day", required: true), .init("to", .day, "The last day", required: true),
            .init("how", .string(1...40), "Only money that came or went in this way"),
        ]
        return [
            Endpoint(
                .get, "/api/v1/tours/todo", "What the desk has to see to, kind by kind", access: .whoMay(.readTours),
                query: PageRequest.parameters,
                outcomes: [
                    .init(
                        200, "A page of tasks",
                        .page(
                            of: .named(
                                "BookingTask",
                                .object([
                                    Field("task", .enumeration(BookingTask.Kind.allCases.map(\.name))),
                                    Field("booking", Shapes.booking),
                                ]))))
                ]
            ) { call in
                let page = try call.page()
                let tasks = try await BookingStore(backend.database).todo(
                    after: try Self.cursor(page.after, BookingTask.Place.init) ?? .beginning, limit: page.limit,
                    now: backend.clock.now(), call.scope)
                return .page(
                    tasks.map { ["task": .string($0.kind.name), "booking": Shapes.booking($0.booking)] },
                    next: tasks.count == page.limit ? tasks.last?.place.description : nil)
            },
            Endpoint(
                .get, "/api/v1/tours/payments", "The till's book: money that came in and went back, by its days",
                access: .whoMay(.readTours), query: period + PageRequest.parameters,
                outcomes: [
                    .init(
                        200, "A page of payments and refunds",
                        .page(
                            of: .object(
                                [Field("booking", .integer(1...4_294_967_295)), Field("unit", .string())]
                                    + Shapes.paymentFields)))
                ]
            ) { call in
                let page = try call.page()
                let book = try await book(call, after: try Self.cursor(page.after, TillBook.Place.init), page.limit)
                return .page(
                    book.entries.map { entry in
                        .object(
                            [.init("booking", .integer(entry.booking)), .init("unit", .string(entry.unit))]
                                + Shapes.payment(entry.payment))
                    },
                    next: book.entries.count == page.limit ? book.entries.last?.place.description : nil)
            },
            Endpoint(
                .get, "/api/v1/tours/payments/sums", "What the till's book comes to, by day and way of payment",
                access: .whoMay(.readTours), query: period, outcomes: [.init(200, "The sums", Self.sums)]
            ) { call in
                let book = try await book(call, after: nil, 1)
                return .json([
                    "from": JSON(book.from), "to": JSON(book.to),
                    "sums": .array(
                        book.sums.map { sum in
                            [
                                "day": JSON(sum.day), "paidHow": .string(sum.paidHow), "received": JSON(sum.received),
                                "refunded": JSON(sum.refunded), "net": JSON(sum.net),
                            ]
                        }), "total": JSON(book.total),
                ])
            },
        ]
    }

    private static let sums = Schema.named(
        "TillSums",
        .object([
            Field("from", .day), Field("to", .day),
            Field(
                "sums",
                .array(
                    of: .object([
                        Field("day", .day), Field("paidHow", .string()), Field("received", anySum),
                        Field("refunded", anySum), Field("net", anySum),
                    ]), 0...1_000_000)), Field("total", anySum),
        ]))

    private static let anySum = Schema.money(Int64.min...Int64.max)

    private func book(_ call: Call, after: TillBook.Place?, _ limit: Int) async throws -> TillBook {
        try await PaymentStore.book(
            backend.database, from: call.query["from"].day, to: call.query["to"].day,
            how: call.query["how"].orNil?.string, after: after, limit: limit, call.scope)
    }

    /// What the cursor of an answer before tells.
    private static func cursor<Place>(_ text: String?, _ read: (String) -> Place?) throws -> Place? {
        guard let text else { return nil }
        guard let place = read(text) else {
            throw Refusal(
                .invalid, "not-a-cursor", field: "cursor", zh: "cursor 不是先前答复中的 next",
                en: "the cursor is not `next` of an answer before")
        }
        return place
    }
}

extension Shapes {
    static let paymentFields = [
        Field("payment", .integer(1...Int64.max), "Its number"),
        Field("kind", .enumeration(BookingPayment.Kind.allCases.map(\.rawValue))), Field("amount", .money()),
        Field("paidHow", .string()), Field("day", .day),
        .optional("reverses", .integer(1...Int64.max), "The payment or refund that it takes back"),
        .optional("reason", .string(1...200)), Field("actor", .string()), Field("at", .instant),
    ]
    static let payment = Schema.object(paymentFields)

    static func payment(_ payment: BookingPayment) -> [JSON.Member] {
        let members: [(String, JSON)] = [
            ("payment", .integer(payment.id)), ("kind", .string(payment.kind.rawValue)),
            ("amount", JSON(payment.amount)), ("paidHow", .string(payment.paidHow)), ("day", JSON(payment.day)),
            ("reverses", payment.reverses.map(JSON.integer) ?? .null), ("reason", text(payment.reason)),
            ("actor", .string(payment.actor)), ("at", instant(payment.at)),
        ]
        return members.map { JSON.Member($0.0, $0.1) }
    }
}
