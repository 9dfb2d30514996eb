import Database
import Documents
import Kernel
import Tours

/// What the tour desk does with bookings. The committee and the auditor look on.
extension Site {
    var bookingDeskEndpoints: [Endpoint] {
        bookingLists + [unconfirmedCancellations] + bookingSteps + bookingMoney
    }

    private var bookingLists: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/tours/bookings", "The bookings, newest first", access: .whoMay(.readTours),
                query: PageRequest.parameters + [
                    .init("day", .day, "Only those with a session on that day"),
                    .init("state", Look<BookingState>.word.schema, "Only those that stand there"),
                    .init("text", .string(1...100), "A part of the unit, the leader, the phone or the reference"),
                    .init("from", .day, "Only those with a session on that day or later"),
                    .init("to", .day, "Only those with a session on that day or before"),
                    .init(
                        "money", Look<MoneyState>.word.schema, "Only those whose money stands so"),
                    .init("phone", .string(1...40), "Only those of this phone"),
                    .init("email", .string(3...200), "Only those of this e-mail address"),
                    .init("unconfirmed", .boolean, "Only what is neither confirmed nor paid"),
                ],
                outcomes: [.init(200, "A page of bookings", .page(of: Shapes.booking))]
            ) { call in
                let page = try call.page()
                let search = BookingStore.Search(
                    day: try call.query["day"].orNil?.day,
                    state: try call.query["state"].orNil.flatMap { BookingState(rawValue: try $0.string) },
                    text: try call.query["text"].orNil?.string, from: try call.query["from"].orNil?.day,
                    to: try call.query["to"].orNil?.day,
                    money: try call.query["money"].orNil.flatMap { MoneyState(rawValue: try $0.string) },
                    contact: try Self.contact(call.query),
                    isUnconfirmed: try call.query["unconfirmed"].orNil?.bool ?? false)
                let found = try await BookingStore(backend.database).list(
                    call.scope, search, before: Self.number(page.after), limit: page.limit)
                return .page(found, Shapes.booking, page) { $0.id }
            },
            Endpoint(
                .get, "/api/v1/tours/bookings/{id}", "A booking and what happened to it",
                access: .whoMay(.readTours), pathParameters: [Shapes.bookingNumber],
                outcomes: [.init(200, "The booking", Shapes.bookingHistory)]
            ) { call in
                let history = try await BookingStore(backend.database).show(
                    .number(try call.path["id"].int64), call.scope)
                return .json(Shapes.bookingHistory.json(history)).tagged(
                    EntityTag(version: Int64(history.booking.version)), for: call)
            },
            Endpoint(
                .post, "/api/v1/tours/desk/bookings", "Book for a group that calls or writes",
                access: .whoMay(.bookDesk),
                body: .json(
                    .object(
                        Shapes.newBooking + [
                            .optional(
                                "state", .enumeration(["requested", "held", "confirmed"]), "confirmed unless told")
                        ])),
                outcomes: [.init(201, "Booked", Shapes.booking)]
            ) { call in
                let new = try Shapes.newBooking(call.body)
                let state = try call.body["state"].orNil.flatMap { BookingState(rawValue: try $0.string) }
                let answer = try await intake.book(
                    new, as: state ?? .confirmed, byStranger: false, now: backend.clock.now(), call.scope,
                    once: call.retry(), render: { Shapes.booking.json($0).text })
                return .bytes(answer.utf8, "application/json", status: .created)
            },
        ]
    }

    /// nil when there is none.
    private static func contact(_ values: JSON) throws -> BookingContact? {
        let (phone, email) = (try values["phone"].orNil?.string, try values["email"].orNil?.string)
        return phone == nil && email == nil ? nil : try BookingContact(phone: phone, email: email)
    }

    /// Sent again it finds nothing more to cancel.
    private var unconfirmedCancellations: Endpoint {
        Endpoint(
            .post, "/api/v1/tours/unconfirmed-cancellations",
            "Cancel all that one phone or e-mail address has asked for, and that is neither confirmed nor paid",
            access: .whoMay(.bookDesk),
            body: .json(
                .object([
                    .optional("phone", .string(1...40)), .optional("email", .string(3...200)),
                    Field("reason", .string(1...200)),
                ])),
            outcomes: [
                .init(
                    200, "Those that were cancelled",
                    .object([Field("bookings", .array(of: Shapes.booking.schema, 0...100_000))]))
            ], takesIdempotencyKey: false
        ) { call in
            let contact = try BookingContact(
                phone: try call.body["phone"].orNil?.string, email: try call.body["email"].orNil?.string)
            let cancelled = try await BookingStore(backend.database).cancelUnconfirmed(
                of: contact, reason: call.body["reason"].string, now: backend.clock.now(), call.scope)
            return .json(["bookings": .array(cancelled.map(Shapes.booking.json))])
        }
    }

    private var bookingSteps: [Endpoint] {
        let waive = Field.optional("waive", .boolean, "Keep nothing of the fee")
        return [
            step("confirmations", "Confirm a booking") { key, seen, call in
                BookingStore.confirm(key, seen: seen, now: backend.clock.now())
            },
            step(
                "holds", "Keep a booking's seats anew, or find some for one that waits",
                [.optional("minutes", .integer(1...525_600), "From now on; the programme's time unless told")]
            ) { key, seen, call in
                BookingStore.hold(
                    key, minutes: try call.body["minutes"].orNil?.int, seen: seen, now: backend.clock.now())
            },
            step("changes", "Change a booking or move it to other sessions", Shapes.bookingChange(phone: "phone")) {
                key, seen, call in
                BookingStore.change(
                    key, try Shapes.bookingChange(call.body, phone: "phone"), seen: seen, now: backend.clock.now())
            },
            step(
                "cancellations", "Cancel a booking by its terms; what was paid and isn't kept is to go back",
                [
                    waive, .optional("byVillage", .boolean, "The village can't receive the group, and keeps nothing"),
                    .optional("reason", .string(1...200)),
                ]
            ) { key, seen, call in
                BookingStore.cancel(
                    key, waive: try call.body["waive"].orNil?.bool ?? false,
                    byVillage: try call.body["byVillage"].orNil?.bool ?? false,
                    reason: try call.body["reason"].orNil?.string, seen: seen, now: backend.clock.now())
            },
            step("no-shows", "Note that a group did not come", [waive]) { key, seen, call in
                BookingStore.noShow(
                    key, waive: try call.body["waive"].orNil?.bool ?? false, seen: seen, now: backend.clock.now())
            },
            step(
                "undos", "Take back the last step (arrived, completed, no-show, cancelled), or one check-in",
                [
                    Field("reason", .string(1...200)),
                    .optional("checkIn", .integer(1...Int64.max), "The last step unless told"),
                ]
            ) { key, seen, call in
                let (reason, now) = (try call.body["reason"].string, backend.clock.now())
                guard let checkIn = try call.body["checkIn"].orNil?.int64 else {
                    return BookingStore.undo(key, reason: reason, seen: seen, now: now)
                }
                return BookingStore.undoCheckIn(checkIn, of: key, reason: reason, seen: seen, now: now)
            },
            step(
                "completions", "Note that a visit is over",
                [.optional("arrived", .integer(1...10_000), "Needed where nobody was checked in")]
            ) { key, seen, call in
                BookingStore.complete(
                    key, arrived: try call.body["arrived"].orNil?.int, seen: seen, now: backend.clock.now())
            },
            step(
                "pickings", "Record a sale of what a group picked, out of one cooperative's batches",
                [
                    Field(
                        "lines",
                        .array(
                            of: .object([
                                Field("batch", .integer(1...4_294_967_295)), Field("weight", .weight()),
                                .optional("price", Shapes.price.schema, "The extra's own unless told"),
                            ]), 1...100)),
                    .optional("extra", .integer(1...Int64(Int32.max)), "Where there are several to pick"),
                    .optional("paidHow", .string(1...40)), .optional("day", .day, "Today unless told"),
                ] + Self.goodsQuestions
            ) { key, seen, call in
                let lines = try call.body["lines"].array.map { line in
                    BookingStore.Picking.Line(
                        batch: try line["batch"].int64, weight: try line["weight"].weight,
                        price: try line["price"].orNil.map(Price.init(_:)))
                }
                return BookingStore.pick(
                    key,
                    .init(
                        lines: lines, extra: try call.body["extra"].orNil?.int,
                        paidHow: try call.body["paidHow"].orNil?.string, day: try call.body["day"].orNil?.day,
                        confirmed: try Self.confirmed(call.body)),
                    seen: seen, now: backend.clock.now())
            },
        ]
    }

    func step(
        _ name: String, _ summary: String, _ fields: [Field] = [],
        _ plan: @escaping @Sendable (BookingKey, Int?, Call) throws -> Plan<Booking>
    ) -> Endpoint {
        let version = Field.optional(
            "version", .integer(1...Int64(Int32.max)), "Refused when it is no longer this one; If-Match says the same")
        return Endpoint(
            .post, "/api/v1/tours/bookings/{id}/\(name)", summary, access: .whoMay(.bookDesk),
            pathParameters: [Shapes.bookingNumber], body: .json(.object([version] + fields)),
            outcomes: [.init(201, "Done", Shapes.booking)]
        ) { call in
            let key = BookingKey.number(try call.path["id"].int64)
            return try await carryOut(call, try plan(key, try call.seenVersion, call), Shapes.booking)
        }
    }
}
