import Database
import Documents
import Kernel
import Signing
import Tours

extension Site {
    private static let ticket = Schema.named(
        "Ticket",
        .object([
            Field("booking", .integer(1...4_294_967_295)), Field("reference", .string(14...14)),
            Field("unit", .string()), Field("headcount", .integer(1...10_000)), Field("leader", .string()),
            Field("state", .enumeration(BookingState.allCases.map(\.rawValue))),
            Field("day", .day, "Of the first session, as the ticket has it"),
            Field("payload", .string(120...120), "What the QR carries, without the address"),
            Field("url", .string(1...400), "The address in the QR"),
            Field(
                "sessions",
                .array(
                    of: .object([
                        Field("session", .integer(1...Int64.max)), Field("day", .day), Field("startsAt", .instant),
                        Field("endsAt", .instant), Field("site", .string()), Field("programme", .string()),
                        Field("headcount", .integer(1...10_000)), .optional("arrived", .integer(0...10_000)),
                    ]))),
        ]))

    static func render(_ ticket: Ticket) -> JSON {
        let booking = ticket.booking
        return [
            "booking": .integer(booking.number), "reference": .string(booking.reference.description),
            "unit": .string(booking.unit), "headcount": JSON(booking.headcount), "leader": .string(booking.leader),
            "state": .string(booking.state.rawValue), "day": JSON(ticket.day), "payload": .string(ticket.payload),
            "url": .string(ticket.url),
            "sessions": .array(
                booking.visits.map { visit in
                    [
                        "session": .integer(visit.session), "day": JSON(visit.day),
                        "startsAt": Shapes.instant(visit.startsAt), "endsAt": Shapes.instant(visit.endsAt),
                        "site": .string(visit.site), "programme": .string(visit.programme),
                        "headcount": JSON(visit.headcount), "arrived": visit.arrived.map { JSON($0) } ?? .null,
                    ]
                }),
        ]
    }

    /// Tickets, for the desk by their booking's number and for the group by its reference and phone, which never
    /// stand in an address together: addresses are logged and passed on.
    var ticketEndpoints: [Endpoint] {
        let id = Endpoint.Parameter("id", .integer(1...4_294_967_295), "The booking's number")
        let form = Endpoint.Body.bytes(["application/x-www-form-urlencoded"], limit: 4096)
        return [
            Endpoint(
                .get, "/api/v1/tours/bookings/{id}/ticket", "A confirmed booking's ticket", access: .whoMay(.bookDesk),
                pathParameters: [id], outcomes: [.init(200, "The ticket", Self.ticket)]
            ) { call in .json(Self.render(try await ticket(call))) },
            Endpoint(
                .get, "/api/v1/tours/bookings/{id}/ticket.svg", "The ticket's QR code as SVG",
                access: .whoMay(.bookDesk),
                pathParameters: [id], outcomes: [.init(200, "The picture", contentType: "image/svg+xml")]
            ) { call in
                let ticket = try await ticket(call)
                return .bytes(try QRCode(url: ticket.url).svg(title: ticket.url).utf8, "image/svg+xml")
            },
            Endpoint(
                .get, "/api/v1/tours/bookings/{id}/ticket.png", "The ticket's QR code as PNG",
                access: .whoMay(.bookDesk),
                pathParameters: [id], outcomes: [.init(200, "The picture", contentType: "image/png")]
            ) { call in .bytes(try QRCode(url: try await ticket(call).url).png(), "image/png") },
            Endpoint(
                .get, "/api/v1/tours/bookings/{id}/ticket.html", "The ticket as a page to print",
                access: .whoMay(.bookDesk),
                pathParameters: [id], outcomes: [.init(200, "The page", contentType: "text/html; charset=utf-8")]
            ) { call in
                .printed(
                    try PrintedPages.ticket(
                        try await ticket(call), village: backend.village, language: call.language))
            },
            Endpoint(
                .post, "/api/v1/tours/tickets", "The group's own way to its ticket", access: .anyone,
                body: .json(.object([Field("reference", .string(1...40)), Field("phone", .string(1...40))])),
                outcomes: [.init(200, "The ticket", Self.ticket)], takesIdempotencyKey: false
            ) { call in
                .json(
                    Self.render(
                        try await ticket(
                            reference: call.body["reference"].string, phone: call.body["phone"].string, call)))
            },
            Endpoint(
                .get, "/tours/ticket", "Where a group asks for its ticket", access: .anyone, query: [Self.reference],
                isDocumented: false
            ) { call in
                try toursPage(
                    "tours-booking", BookingText(call.language).ticketLookup(try Self.linked(call), nil), call)
            },
            Endpoint(
                .post, "/tours/ticket", "The group's ticket as a page to print", access: .anyone, body: form,
                isDocumented: false, takesIdempotencyKey: false
            ) { call in
                let typed = try Self.fields(call)
                do {
                    let ticket = try await ticket(
                        reference: typed["reference"] ?? "", phone: typed["phone"] ?? "", call)
                    return .html(
                        try PrintedPages.ticket(ticket, village: backend.village, language: call.language))
                } catch let refusal as Refusal where refusal.kind == .notFound || refusal.kind == .conflict {
                    return try toursPage(
                        "tours-booking", BookingText(call.language).ticketLookup(typed, refusal), call,
                        status: Problem.status(of: refusal))
                }
            },
        ]
    }

    private func ticket(_ call: Call) async throws -> Ticket {
        try await TicketStore(backend.database, keys: backend.keys).show(
            booking: try call.path["id"].int64, today: backend.clock.today, call.scope)
    }

    private func ticket(reference: String, phone: String, _ call: Call) async throws -> Ticket {
        let scope = Scope(village: backend.village.id, cooperative: nil, actor: "group")
        return try await TicketStore(backend.database, keys: backend.keys).show(
            reference: wanted(reference, call), phone: phone, today: backend.clock.today, scope)
    }
}
