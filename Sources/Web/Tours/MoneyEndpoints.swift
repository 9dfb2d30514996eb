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
                    Field("amount", Look<Money>.adjustment.schema, "Below zero lowers it"),
                    Field("reason", .string(1...200)),
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
                outcomes: [.init(200, "A page of tasks", .page(of: Shapes.bookingTask))]
            ) { call in
                let page = try call.page()
                let tasks = try await BookingStore(backend.database).todo(
                    after: try Cursor.place(page.after, BookingTask.Place.init) ?? .beginning, limit: page.limit,
                    now: backend.clock.now(), call.scope)
                return .page(tasks, Shapes.bookingTask, page) { $0.place }
            },
            Endpoint(
                .get, "/api/v1/tours/payments", "The till's book: money that came in and went back, by its days",
                access: .whoMay(.readTours), query: period + PageRequest.parameters,
                outcomes: [.init(200, "A page of payments and refunds", .page(of: Shapes.tillEntry))]
            ) { call in
                let page = try call.page()
                let book = try await book(call, after: try Cursor.place(page.after, TillBook.Place.init), page.limit)
                return .page(book.entries, Shapes.tillEntry, page) { $0.place }
            },
            Endpoint(
                .get, "/api/v1/tours/payments/sums", "What the till's book comes to, by day and way of payment",
                access: .whoMay(.readTours), query: period, outcomes: [.init(200, "The sums", Shapes.tillSums)]
            ) { call in
                .json(Shapes.tillSums.json(try await book(call, after: nil, 1)))
            },
        ]
    }

    private func book(_ call: Call, after: TillBook.Place?, _ limit: Int) async throws -> TillBook {
        try await PaymentStore.book(
            backend.database, from: call.query["from"].day, to: call.query["to"].day,
            how: call.query["how"].orNil?.string, after: after, limit: limit, call.scope)
    }
}
