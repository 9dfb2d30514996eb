import Access
import Documents
import Kernel

extension Site {
    var auditEndpoints: [Endpoint] {
        let entry = Schema.named(
            "AuditEntry",
            .object([
                Field("id", .integer(1...Int64.max)), Field("at", .instant), Field("actor", .string()),
                Field("kind", .string(), "Noun and verb, such as sale.record"),
                Field("subject", .string(), "To what, by its number or name"),
                .optional("day", .day, "For which it was entered, where it has one"),
                Field("figures", .figures, "Such as fen, grams, reason"),
            ]))
        return [
            Endpoint(
                .get, "/api/v1/audit", "Who did what, newest first", access: .whoMay(.readAudit),
                query: PageRequest.parameters + [
                    .init("actor", .string(1...200), "Who, such as account:li, or the username alone"),
                    .init("kind", .string(1...60), "What, such as sale.record; `sale` is all that was done with sales"),
                    .init("subject", .string(1...200), "To what, by its number or name"),
                    .init("from", .day, "Entered on this day or later"),
                    .init("to", .day, "Entered on this day or earlier"),
                ],
                outcomes: [.init(200, "A page of entries", .page(of: entry))]
            ) { call in
                let page = try call.page()
                let filter = AuditFilter(
                    actor: try call.query["actor"].orNil?.string, kind: try call.query["kind"].orNil?.string,
                    subject: try call.query["subject"].orNil?.string, from: try call.query["from"].orNil?.day,
                    to: try call.query["to"].orNil?.day)
                let entries = try await AuditStore(backend.database).list(
                    call.scope, filter, before: Self.number(page.after), limit: page.limit)
                let next = entries.count == page.limit ? entries.last?.id.description : nil
                return .page(entries.map(Self.render), next: next)
            }
        ]
    }

    private static func render(_ entry: AuditEntry) -> JSON {
        [
            "id": JSON(entry.id), "at": Shapes.instant(entry.at), "actor": .string(entry.actor),
            "kind": .string(entry.kind), "subject": .string(entry.subject),
            "day": entry.day.map { JSON($0) } ?? .null, "figures": Recorded.object(entry.figures),
        ]
    }
}
