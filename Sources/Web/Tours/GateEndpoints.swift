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
                access: Roles.desk, query: [day], outcomes: [.init(200, "The list", Self.gateList)]
            ) { call in
                let list = try await GateListStore(backend.database, keys: backend.keys).list(
                    day: try call.query["day"].day, now: backend.clock.now(), call.scope)
                return .bytes(try list.json, "application/json")
            },
            Endpoint(
                .post, "/api/v1/tours/check-ins",
                "Let groups in, now or out of an offline gate's journal; each entry acts once by its nonce",
                access: Roles.desk,
                body: .json(
                    .array(
                        of: .object([
                            Field("code", .string(1...400), "A ticket's payload or address, or a reference"),
                            Field("headcount", .integer(1...10_000), "Heads that came"),
                            Field("nonce", .string(8...64), "The same nonce is the same check-in"),
                            .optional("at", .instant, "When it was, by the gate's clock; without it, now and online"),
                            .optional("session", .integer(1...Int64.max), "Without it, the one that is on or the next"),
                            .optional("anyDay", .boolean, "Let in on another day than the booking's"),
                        ]), 1...1000)),
                outcomes: [.init(200, "An answer for each entry, in their order", Self.checkInResults)],
                takesIdempotencyKey: false
            ) { call in
                let store = CheckInStore(backend.database, keys: backend.keys)
                var results: [JSON] = []
                for json in try call.body.array {
                    let now = backend.clock.now()
                    let told = try json["at"].orNil.map { try Self.instant($0.string) }
                    let entry = CheckInEntry(
                        code: try json["code"].string, headcount: try json["headcount"].int,
                        nonce: try json["nonce"].string, at: told ?? now, session: try json["session"].orNil?.int64,
                        anyDay: try json["anyDay"].orNil?.bool ?? false)
                    let result = try await store.result(
                        of: entry, offline: told != nil, now: now, call.scope)
                    results.append(Self.render(result, nonce: entry.nonce, call.language))
                }
                return .json(["items": .array(results)])
            },
            Endpoint(
                .get, "/api/v1/tours/day-sheet", "A day's sessions and who comes to them, to print or as a table",
                access: Roles.desk,
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

    private static func instant(_ text: String) throws -> Date {
        do {
            return try Date(text, strategy: .iso8601)
        } catch {
            throw Refusal(.invalid, "not-an-instant", field: "at", zh: "不是时刻", en: "this is no instant")
        }
    }

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
                            ])))
                ])),
            Field(
                "bookings",
                .array(
                    of: .object([
                        Field("booking", .integer(1...4_294_967_295)), Field("reference", .string(12...12)),
                        Field("unit", .string()), Field("headcount", .integer(1...10_000)),
                        Field("state", .enumeration(BookingState.allCases.map(\.rawValue))),
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

    private static let checkInResults = Schema.object([
        Field(
            "items",
            .array(
                of: .object([
                    Field("nonce", .string(8...64)), Field("result", .enumeration(CheckInResult.words)),
                    .optional("checkIn", checkIn), .optional("reason", reason, "Why, of one that was refused"),
                ])))
    ])

    private static let checkIn = Schema.named(
        "CheckIn",
        .object([
            Field("booking", .integer(1...4_294_967_295)), Field("reference", .string(14...14)),
            Field("unit", .string()),
            Field("session", .integer(1...Int64.max)), Field("day", .day), Field("site", .string()),
            Field("programme", .string()), Field("expected", .integer(1...10_000), "Heads booked"),
            Field("headcount", .integer(1...10_000)), Field("at", .instant),
            .optional(
                "earlier",
                .object([
                    Field("at", .instant), Field("headcount", .integer(1...10_000)), Field("actor", .string()),
                    Field("offline", .boolean),
                ]), "Who came in before, of one that came twice"),
        ]))

    private static let reason = Schema.object([
        Field("code", .string()), .optional("field", .string()), Field("message", .string(1...1000)),
    ])

    private static func render(_ result: CheckInResult, nonce: String, _ language: Language) -> JSON {
        switch result {
        case .answered(let answer):
            let earlier = answer.earlier.map { earlier -> JSON in
                [
                    "at": Shapes.instant(earlier.at), "headcount": JSON(earlier.headcount),
                    "actor": .string(earlier.actor), "offline": .bool(earlier.offline),
                ]
            }
            let checkIn: JSON = [
                "booking": .integer(answer.booking), "reference": .string(answer.reference.description),
                "unit": .string(answer.unit), "session": .integer(answer.session), "day": JSON(answer.day),
                "site": .string(answer.site), "programme": .string(answer.programme),
                "expected": JSON(answer.expected), "headcount": JSON(answer.headcount),
                "at": Shapes.instant(answer.at), "earlier": earlier ?? .null,
            ]
            return ["nonce": .string(nonce), "result": .string(result.word), "checkIn": checkIn, "reason": .null]
        case .refused(let refusal):
            let reason: JSON = [
                "code": .string(refusal.code), "field": Shapes.text(refusal.field),
                "message": .string(refusal.message[language]),
            ]
            return ["nonce": .string(nonce), "result": .string(result.word), "checkIn": .null, "reason": reason]
        }
    }
}
