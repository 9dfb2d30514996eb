import Access
import Documents
import Kernel

extension Site {
    var auditEndpoints: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/audit", "Who did what, newest first", access: .whoMay(.readAudit),
                query: PageRequest.parameters + [
                    .init("actor", .string(1...200), "Who, such as account:li, or the username alone"),
                    .init("kind", .string(1...60), "What, such as sale.record; `sale` is all that was done with sales"),
                    .init("subject", .string(1...200), "To what, by its number or name"),
                    .init("from", .day, "Entered on this day or later"),
                    .init("to", .day, "Entered on this day or earlier"),
                ],
                outcomes: [.init(200, "A page of entries", .page(of: Shapes.auditEntry))]
            ) { call in
                let page = try call.page()
                let filter = AuditFilter(
                    actor: try call.query["actor"].orNil?.string, kind: try call.query["kind"].orNil?.string,
                    subject: try call.query["subject"].orNil?.string, from: try call.query["from"].orNil?.day,
                    to: try call.query["to"].orNil?.day)
                let entries = try await AuditStore(backend.database).list(
                    call.scope, filter, before: Self.number(page.after), limit: page.limit)
                return .page(entries, Shapes.auditEntry, page, place: \.id)
            }
        ]
    }
}
