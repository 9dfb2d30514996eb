import Documents
import Kernel
import Messages
import Tours

extension Site {
    var messageEndpoints: [Endpoint] {
        let message = Schema.named(
            "Message",
            .object([
                Field("message", .integer(1...Int64.max)), Field("key", .string()),
                Field("kind", .enumeration(MessageKind.allCases.map(\.rawValue))),
                Field("about", .string(1...100)), .optional("booking", .integer(1...4_294_967_295)),
                Field("state", .enumeration(Message.State.allCases.map(\.rawValue))),
                Field("attempts", .integer(0...Int64(Int32.max))), Field("createdAt", .instant),
                Field("dueAt", .instant), .optional("sentAt", .instant), .optional("givenUpAt", .instant),
                .optional("lastError", .string()),
            ]))
        return [
            Endpoint(
                .get, "/api/v1/messages", "The outbox, newest first", access: .whoMay(.sendMessages),
                query: PageRequest.parameters + [
                    .init("state", .enumeration(Message.State.allCases.map(\.rawValue)), "Only those in this state"),
                    .init("booking", .integer(1...4_294_967_295), "Only those of this booking"),
                ],
                outcomes: [.init(200, "A page of messages", .page(of: message))]
            ) { call in
                let page = try call.page()
                let messages = try await MessageStore(backend.database).list(
                    call.scope, before: Self.number(page.after),
                    state: call.query["state"].orNil.flatMap { Message.State(rawValue: try $0.string) },
                    about: call.query["booking"].orNil.map { Message.about(booking: try $0.int64) }, limit: page.limit)
                let next = messages.count == page.limit ? messages.last.map { "\($0.id)" } : nil
                return .page(messages.map(Self.render), next: next)
            },
            Endpoint(
                .post, "/api/v1/messages/{id}/retry", "Try again a message that was given up",
                access: .whoMay(.sendMessages),
                pathParameters: [.init("id", .integer(1...Int64.max), "The message's number")],
                body: .json(.object([])), outcomes: [.init(201, "It waits again, due at once", message)]
            ) { call in
                try await carryOut(
                    call, MessageStore.retry(try call.path["id"].int64, now: backend.clock.now()), Self.render)
            },
        ]
    }

    private static func render(_ message: Message) -> JSON {
        [
            "message": .integer(message.id), "key": .string(message.key), "kind": .string(message.kind),
            "about": .string(message.about), "booking": message.booking.map(JSON.integer) ?? .null,
            "state": .string(message.state.rawValue),
            "attempts": JSON(message.attempts), "createdAt": Shapes.instant(message.createdAt),
            "dueAt": Shapes.instant(message.dueAt), "sentAt": message.sentAt.map(Shapes.instant) ?? .null,
            "givenUpAt": message.givenUpAt.map(Shapes.instant) ?? .null, "lastError": Shapes.text(message.lastError),
        ]
    }
}
