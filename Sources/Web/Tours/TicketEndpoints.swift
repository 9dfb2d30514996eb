import Database
import Documents
import Kernel
import Signing
import Tours

extension Site {
    /// Tickets, for the desk by their booking's number and for the group by its reference and phone, which never
    /// stand in an address together: addresses are logged and passed on.
    var ticketEndpoints: [Endpoint] {
        let id = Endpoint.Parameter("id", .integer(1...4_294_967_295), "The booking's number")
        let form = Endpoint.Body.bytes(["application/x-www-form-urlencoded"], limit: 4096)
        return [
            Endpoint(
                .get, "/api/v1/tours/bookings/{id}/ticket", "A confirmed booking's ticket", access: .whoMay(.bookDesk),
                pathParameters: [id], outcomes: [.init(200, "The ticket", Shapes.ticket)]
            ) { call in .json(Shapes.ticket.json(try await ticket(call))) },
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
                outcomes: [.init(200, "The ticket", Shapes.ownTicket)], takesIdempotencyKey: false
            ) { call in
                .json(
                    Shapes.ownTicket.json(
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
