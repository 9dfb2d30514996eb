import Documents
import Kernel
import Messages
import Tours

extension Site {
    var messageEndpoints: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/messages", "The outbox, newest first", access: .whoMay(.sendMessages),
                query: PageRequest.parameters + [
                    .init("state", Look<Message.State>.word.schema, "Only those in this state"),
                    .init("booking", .integer(1...4_294_967_295), "Only those of this booking"),
                ],
                outcomes: [.init(200, "A page of messages", .page(of: Shapes.message))]
            ) { call in
                let page = try call.page()
                let messages = try await MessageStore(backend.database).list(
                    call.scope, before: Self.number(page.after),
                    state: call.query["state"].orNil.flatMap { Message.State(rawValue: try $0.string) },
                    about: call.query["booking"].orNil.map { Message.about(booking: try $0.int64) }, limit: page.limit)
                return .page(messages, Shapes.message, page, place: \.id)
            },
            Endpoint(
                .post, "/api/v1/messages/{id}/retry", "Try again a message that was given up",
                access: .whoMay(.sendMessages),
                pathParameters: [.init("id", .integer(1...Int64.max), "The message's number")],
                body: .json(.object([])), outcomes: [.init(201, "It waits again, due at once", Shapes.message)]
            ) { call in
                try await carryOut(
                    call, MessageStore.retry(try call.path["id"].int64, now: backend.clock.now()), Shapes.message)
            },
        ]
    }
}
