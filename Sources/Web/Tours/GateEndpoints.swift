import Documents
import Foundation
import Kernel
import Tours

extension Site {
    /// The gate and the desk: the day's list to take along, check-ins, and the day's sheet.
    var gateEndpoints: [Endpoint] {
        let day = Endpoint.Parameter("day", .day, "In Asia/Shanghai", required: true)
        return [
            Endpoint(
                .get, "/api/v1/tours/gate-list", "A day's bookings with the keys of their tickets, for a gate offline",
                access: .whoMay(.gate), query: [day], outcomes: [.init(200, "The list", Self.gateList)]
            ) { call in
                let list = try await GateListStore(backend.database, keys: backend.keys).list(
                    day: try call.query["day"].day, now: backend.clock.now(), call.scope)
                return .bytes(try list.json, "application/json")
            },
            Endpoint(
                .post, "/api/v1/tours/check-ins",
                "Let groups in, now or out of an offline gate's journal; each entry acts once by its nonce",
                access: .whoMay(.gate), body: .json(.items(of: Self.checkInEntry, 1...1000)),
                outcomes: [.init(200, "An answer for each entry, in their order", Self.answers)],
                takesIdempotencyKey: false, handle: checkIns),
            Endpoint(
                .get, "/api/v1/tours/gate-conflicts", "What gates saw and the books contradict, newest first",
                access: .whoMay(.readTours),
                query: PageRequest.parameters + [
                    .init("day", .day, "Only what was seen for that day"),
                    .init("all", .boolean, "What is settled, too"),
                ],
                outcomes: [.init(200, "A page of conflicts", .page(of: Shapes.gateConflict))]
            ) { call in
                let page = try call.page()
                let found = try await GateConflictStore(backend.database).list(
                    call.scope, day: try call.query["day"].orNil?.day, all: try call.query["all"].orNil?.bool ?? false,
                    before: Self.number(page.after), limit: page.limit)
                return .page(found, Shapes.gateConflict, page) { $0.id }
            },
            Endpoint(
                .post, "/api/v1/tours/gate-conflicts/{conflict}/settlements",
                "Settle a conflict: accepted, its people count; dismissed, they don't", access: .whoMay(.gate),
                pathParameters: [.init("conflict", .integer(1...Int64.max), "The conflict's number")],
                body: .json(
                    .object([
                        Field("accept", .boolean), Field("reason", .string(1...200)),
                        .optional(
                            "session", .integer(1...Int64.max),
                            "Of the booking's, where they came; the gate's unless told"),
                    ])),
                outcomes: [.init(201, "Settled", Shapes.gateConflict)]
            ) { call in
                let plan = GateConflictStore.settle(
                    try call.path["conflict"].int64, accept: try call.body["accept"].bool,
                    session: try call.body["session"].orNil?.int64, reason: try call.body["reason"].string,
                    now: backend.clock.now())
                return try await carryOut(call, plan, Shapes.gateConflict)
            },
            Endpoint(
                .get, "/api/v1/tours/day-sheet", "A day's sessions and who comes to them, to print or as a table",
                access: .whoMay(.gate),
                query: [day, .init("format", .enumeration(["html", "csv"]), "html unless told otherwise")],
                outcomes: [
                    .init(200, "To print", contentType: "text/html; charset=utf-8"),
                    .init(200, "As a table", contentType: "text/csv; charset=utf-8"),
                ]
            ) { call in
                let sheet = try await DaySheetStore(backend.database).sheet(
                    day: try call.query["day"].day, call.scope)
                guard try call.query["format"].orNil?.string == "csv" else {
                    return .printed(
                        try PrintedPages.daySheet(sheet, village: backend.village, language: call.language))
                }
                return .bytes(
                    sheet.csv(call.language), "text/csv; charset=utf-8",
                    headers: [.contentDisposition: "attachment; filename=\"tours-\(sheet.day).csv\""])
            },
        ]
    }

    /// What one entry says is told of that one; the others count whatever is wrong with it. Those with a time of their own
    /// come out of one gate's journal.
    private func checkIns(_ call: Call) async throws -> Answer {
        let store = CheckInStore(backend.database, keys: backend.keys)
        let items = try call.body.array
        let now = backend.clock.now()
        let shape = Shapes.gateAnswer(call.language)
        var answers: [JSON] = []
        let read = items.map { item in Result(catching: { try Self.entry(item, now: now) }) }
        let journal = read.compactMap { try? $0.get() }.filter(\.isOffline).map(\.entry)
        var fromJournal = try await store.bringIn(journal, now: now, call.scope).makeIterator()
        for (item, read) in zip(items, read) {
            let nonce = try? item["nonce"].string
            let result: CheckInResult
            switch read {
            case .failure(let refusal as Refusal): result = .refused(refusal)
            case .failure(let error): throw error
            case .success(let told):
                if told.isOffline, let next = fromJournal.next() {
                    result = next
                } else {
                    result = try await store.result(of: told.entry, now: now, call.scope)
                }
            }
            answers.append(shape.json(.init(result, nonce: nonce)))
        }
        return .json(["items": .array(answers)])
    }

    private static func entry(_ json: JSON, now: Date) throws -> (entry: CheckInEntry, isOffline: Bool) {
        try checkInEntry.validate(json)
        let at = try json["at"].orNil.map { told in
            guard let instant = Date(instant: try told.string) else {
                throw Refusal(
                    .invalid, "not-an-instant", field: "at",
                    zh: "不是时刻，请写如 2025-08-03T01:30:00Z 或 2025-08-03T09:30:00+08:00",
                    en: "this is no instant; write it like 2025-08-03T01:30:00Z or 2025-08-03T09:30:00+08:00")
            }
            return instant
        }
        let entry = CheckInEntry(
            code: try json["code"].string, headcount: try json["headcount"].int, nonce: try json["nonce"].string,
            at: at ?? now, session: try json["session"].orNil?.int64, anyDay: try json["anyDay"].orNil?.bool ?? false,
            after: try json["after"].orNil?.int, more: try json["more"].orNil?.bool ?? false,
            unlisted: try json["unlisted"].orNil?.bool ?? false)
        return (entry, at != nil)
    }

    /// One entry of an upload of check-ins.
    private static let checkInEntry = Schema.object([
        Field("code", .string(1...400), "A ticket's payload or address, or the booking's reference or number"),
        Field("headcount", .integer(1...10_000), "Heads that came, of this part of the group"),
        Field("nonce", .string(8...64), "The same nonce is the same check-in"),
        .optional(
            "at", .string(1...40),
            "When it was, by the gate's clock: RFC 3339, with any fraction and offset; without it, now and online"),
        .optional("session", .integer(1...Int64.max), "Without it, the one that is on or the next"),
        .optional("anyDay", .boolean, "Let in on another day than the booking's"),
        .optional("more", .boolean, "More of the same group, beyond what was booked"),
        .optional("after", .integer(0...10_000), "How many of the group the gate knew to have come in before"),
        .optional("unlisted", .boolean, "Let in by the ticket's signature alone"),
    ])

    private static let answers = Schema.object([
        Field("items", .array(of: Shapes.gateAnswer(.english).schema))
    ])

    private static let gateList = Schema.named(
        "GateList",
        .object([
            Field("format", .string()), Field("day", .day), Field("madeAt", .instant), Field("origin", .string()),
            Field(
                "jwks",
                .object([
                    Field(
                        "keys",
                        .array(
                            of: .object([
                                Field("kty", .string()), Field("crv", .string()), Field("x", .string()),
                                .optional("y", .string()), Field("kid", .string()), Field("use", .string()),
                                .optional("origin", .string(), "What it signs for"),
                            ])))
                ])),
            Field(
                "bookings",
                .array(
                    of: .object([
                        Field("booking", .integer(1...4_294_967_295)), Field("reference", .string(12...12)),
                        Field("unit", .string()), Field("headcount", .integer(1...10_000)),
                        Field("state", Look<BookingState>.word.schema),
                        Field(
                            "sessions",
                            .array(
                                of: .object([
                                    Field("session", .integer(1...Int64.max)), Field("startsAt", .instant),
                                    Field("endsAt", .instant), Field("site", .string()), Field("programme", .string()),
                                    Field("capacity", .integer(1...10_000)), Field("headcount", .integer(1...10_000)),
                                    .optional("arrived", .integer(0...10_000)),
                                ]))),
                    ]), 0...100_000)),
        ]))
}
