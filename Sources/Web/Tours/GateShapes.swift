import Documents
import Kernel
import Tours

/// What the gate saw, as the desk sees it.
extension Shapes {
    static let gateCheckIn = Schema.named(
        "GateCheckIn",
        .object([
            Field("checkIn", .integer(1...Int64.max)), Field("session", .integer(1...Int64.max)),
            Field("headcount", .integer(1...10_000)), Field("at", .instant, "By the gate's clock"),
            Field("offline", .boolean), Field("unlisted", .boolean, "Let in by the ticket's signature alone"),
            Field("actor", .string()), Field("counts", .boolean),
            .optional(
                "undone",
                .object([Field("reason", .string()), Field("actor", .string()), Field("at", .instant)])),
        ]))

    static func gateCheckIn(_ checkIn: GateCheckIn) -> JSON {
        [
            "checkIn": .integer(checkIn.id), "session": .integer(checkIn.session),
            "headcount": JSON(checkIn.headcount), "at": instant(checkIn.at), "offline": .bool(checkIn.offline),
            "unlisted": .bool(checkIn.unlisted), "actor": .string(checkIn.actor), "counts": .bool(checkIn.counts),
            "undone": checkIn.undone.map { undone in
                ["reason": .string(undone.reason), "actor": .string(undone.actor), "at": instant(undone.at)]
            } ?? .null,
        ]
    }

    static let gateConflict = Schema.named(
        "GateConflict",
        .object([
            Field("conflict", .integer(1...Int64.max)), Field("booking", .integer(1...4_294_967_295)),
            Field("reference", .string(14...14)), Field("unit", .string()),
            Field("state", .enumeration(BookingState.allCases.map(\.rawValue)), "Where the booking stands now"),
            .optional("session", .integer(1...Int64.max), "Where the gate let them in"), Field("day", .day),
            Field("headcount", .integer(1...10_000)),
            Field("why", .enumeration(GateConflict.Why.allCases.map(\.rawValue))), Field("offline", .boolean),
            Field("at", .instant, "By the gate's clock"), Field("receivedAt", .instant), Field("actor", .string()),
            .optional(
                "settlement",
                .object([
                    Field("accepted", .boolean), Field("reason", .string()), Field("actor", .string()),
                    Field("at", .instant),
                ])),
        ]))

    static func gateConflict(_ conflict: GateConflict) -> JSON {
        [
            "conflict": .integer(conflict.id), "booking": .integer(conflict.booking),
            "reference": .string("\(conflict.reference)"), "unit": .string(conflict.unit),
            "state": .string(conflict.state.rawValue), "session": conflict.session.map(JSON.integer) ?? .null,
            "day": JSON(conflict.day), "headcount": JSON(conflict.headcount), "why": .string(conflict.why.rawValue),
            "offline": .bool(conflict.offline), "at": instant(conflict.at),
            "receivedAt": instant(conflict.receivedAt), "actor": .string(conflict.actor),
            "settlement": conflict.settlement.map { settlement in
                [
                    "accepted": .bool(settlement.accepted), "reason": .string(settlement.reason),
                    "actor": .string(settlement.actor), "at": instant(settlement.at),
                ]
            } ?? .null,
        ]
    }

    /// An event's figures; what can't be read is none.
    static func figures(_ text: String) -> JSON { (try? JSON(parsing: Array(text.utf8))) ?? [:] }

    /// One entry of an upload of check-ins.
    static let checkInEntry = Schema.object([
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

    static let checkInResults = Schema.object([
        Field(
            "items",
            .array(
                of: .object([
                    .optional("nonce", .string(1...1000)), Field("result", .enumeration(CheckInResult.words)),
                    .optional("checkIn", checkIn), .optional("reason", reason, "Why, of one that was refused"),
                ])))
    ])

    private static let checkIn = Schema.named(
        "CheckIn",
        .object([
            .optional("checkIn", .integer(1...Int64.max), "Its number, of one that counts"),
            .optional("conflict", .integer(1...Int64.max), "Its number, of one that is kept for the desk"),
            .optional("why", .enumeration(GateConflict.Why.allCases.map(\.rawValue)), "Why it is kept for the desk"),
            Field("booking", .integer(1...4_294_967_295)), .optional("reference", .string(14...14)),
            .optional("unit", .string()), .optional("session", .integer(1...Int64.max)), Field("day", .day),
            .optional("site", .string()), .optional("programme", .string()),
            .optional("expected", .integer(1...10_000), "Heads booked"), Field("headcount", .integer(1...10_000)),
            .optional("arrived", .integer(0...1_000_000), "How many of the group are in"), Field("at", .instant),
            .optional(
                "earlier",
                .object([
                    Field("at", .instant), Field("headcount", .integer(1...10_000)), Field("actor", .string()),
                    Field("offline", .boolean),
                ]), "Who came in before"),
            Field(
                "warnings", .array(of: .object([Field("code", .string()), Field("message", .string(1...1000))]))),
        ]))

    private static let reason = Schema.object([
        Field("code", .string()), .optional("field", .string()), Field("message", .string(1...1000)),
    ])

    static func checkInResult(_ result: CheckInResult, nonce: String?, _ language: Language) -> JSON {
        switch result {
        case .answered(let answer):
            return [
                "nonce": text(nonce), "result": .string(result.word), "checkIn": checkIn(answer, language),
                "reason": .null,
            ]
        case .refused(let refusal):
            let reason: JSON = [
                "code": .string(refusal.code), "field": text(refusal.field),
                "message": .string(refusal.message[language]),
            ]
            return ["nonce": text(nonce), "result": .string(result.word), "checkIn": .null, "reason": reason]
        }
    }

    private static func checkIn(_ answer: CheckInAnswer, _ language: Language) -> JSON {
        let earlier = answer.earlier.map { earlier -> JSON in
            [
                "at": instant(earlier.at), "headcount": JSON(earlier.headcount), "actor": .string(earlier.actor),
                "offline": .bool(earlier.offline),
            ]
        }
        let number = answer.number.map(JSON.integer) ?? .null
        return [
            "checkIn": answer.outcome == .counted ? number : .null,
            "conflict": answer.outcome == .counted ? .null : number, "why": text(answer.why?.rawValue),
            "booking": .integer(answer.booking), "reference": text(answer.reference?.description),
            "unit": text(answer.unit), "session": answer.session.map(JSON.integer) ?? .null,
            "day": JSON(answer.day), "site": text(answer.site), "programme": text(answer.programme),
            "expected": answer.expected.map { JSON($0) } ?? .null, "headcount": JSON(answer.headcount),
            "arrived": answer.arrived.map { JSON($0) } ?? .null, "at": instant(answer.at),
            "earlier": earlier ?? .null,
            "warnings": .array(
                answer.warnings.map { ["code": .string($0.code), "message": .string($0.message[language])] }),
        ]
    }
}
