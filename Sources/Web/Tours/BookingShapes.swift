import Documents
import Kernel
import Tours

extension Shapes {
    static let bookingNumber = Endpoint.Parameter("id", .integer(1...4_294_967_295), "The booking's number")

    static let anyMoney = Schema.money(-1_000_000_000_000...1_000_000_000_000)

    private static let lines = Field(
        "sessions",
        .array(
            of: .named(
                "BookedSession",
                .object([
                    Field("session", .integer(1...Int64.max)), Field("day", .day), Field("startsAt", .instant),
                    Field("endsAt", .instant), Field("site", .string()), Field("programme", .string()),
                    Field("headcount", .integer(1...10_000)), Field("price", .money(), "A head"),
                    Field("amount", .money()), Field("kept", .money(), "Of the fee, because nobody came"),
                    .optional("arrived", .integer(0...10_000)),
                    Field(
                        "terms",
                        .named(
                            "BookedTerms",
                            .object([
                                Field("minutes", .integer(1...1440)), Field("holdMinutes", .integer(5...43_200)),
                                Field("changeHours", .integer(0...8760)), Field("freeCancelHours", .integer(0...8760)),
                                Field("lateFeePercent", .integer(0...100)),
                                Field("noShowFeePercent", .integer(0...100)),
                            ])), "Under which it was booked, whatever its programme asks by now"),
                ]))))

    private static let extras = Field(
        "extras",
        .array(
            of: .named(
                "BookedExtra",
                .object([
                    Field("session", .integer(1...Int64.max)), Field("extra", .integer(1...Int64(Int32.max))),
                    Field("kind", .enumeration(TourExtra.Kind.allCases.map(\.rawValue))), Field("name", .string()),
                    Field("quantity", .integer(1...100_000), "Heads, pieces, or 斤"), Field("price", .money()),
                    Field("amount", .money(), "Its part of the fee; nothing for picking"),
                    .optional("sale", .integer(1...Int64.max), "The first sale of what was picked"),
                    Field(
                        "sales", .array(of: .integer(1...Int64.max)),
                        "The sales of what was picked, one for each cooperative"),
                ]))))

    private static let common = [
        Field("reference", .string(14...14), "With the phone it opens the booking: ABCD-EFGH-IJKL"),
        Field("unit", .string()), Field("unitKind", .enumeration(UnitKind.allCases.map(\.rawValue))),
        Field("headcount", .integer(1...10_000)), Field("leader", .string()), Field("phone", .string()),
        .optional("email", .string()), Field("language", .string(2...2)), .optional("note", .string(1...1000, .lines)),
        Field("state", .enumeration(BookingState.allCases.map(\.rawValue))),
        Field("version", .integer(1...Int64(Int32.max)), "Counts its changes"),
        .optional("holdUntil", .instant, "Until when its seats are kept, unless they were paid for"),
        .optional("waitingSince", .instant),
        .optional("arrived", .integer(0...10_000)), Field("fee", .money(), "Heads and extras as booked"),
        Field("adjusted", anyMoney, "What the fee was changed by since"), Field("kept", .money()),
        Field("charge", .money(), "What it comes to as it stands"), Field("paid", .money()),
        Field("open", .money(), "Still to be paid"), Field("tooMuch", .money(), "Paid beyond what it comes to"),
        Field("refundDue", .money(), "What was decided to go back in all"), Field("refunded", .money()),
        Field("money", .enumeration(MoneyState.allCases.map(\.rawValue))),
        Field("payment", .enumeration(PaymentState.allCases.map(\.rawValue))),
        Field("refund", .enumeration(RefundState.allCases.map(\.rawValue))), Field("requestedAt", .instant), lines,
        extras,
    ]

    /// As whoever booked sees it.
    static let ownBooking = Schema.named("OwnBooking", .object(common))

    static func ownBooking(_ booking: Booking) -> JSON { .object(commonMembers(booking)) }

    /// As the desk sees it.
    static let booking = Schema.named(
        "Booking", .object([Field("booking", .integer(1...4_294_967_295)), Field("actor", .string())] + common))

    static func booking(_ booking: Booking) -> JSON {
        .object(
            [.init("booking", JSON(booking.id)), .init("actor", .string(booking.actor))] + commonMembers(booking))
    }

    private static func commonMembers(_ booking: Booking) -> [JSON.Member] {
        let words: [(String, JSON)] = [
            ("reference", .string("\(booking.reference)")), ("unit", .string(booking.unit)),
            ("unitKind", .string(booking.unitKind.rawValue)), ("headcount", JSON(booking.headcount)),
            ("leader", .string(booking.leader)), ("phone", .string(booking.phone)), ("email", text(booking.email)),
            ("language", .string(booking.language)), ("note", text(booking.note)),
            ("state", .string(booking.state.rawValue)), ("version", JSON(booking.version)),
            ("holdUntil", booking.lapsesAt.map(instant) ?? .null),
            ("waitingSince", booking.waitingSince.map(instant) ?? .null),
            ("arrived", booking.arrived.map { JSON($0) } ?? .null),
        ]
        let money: [(String, JSON)] = [
            ("fee", JSON(booking.fee)), ("adjusted", JSON(booking.adjusted)), ("kept", JSON(booking.kept)),
            ("charge", JSON(booking.charge)), ("paid", JSON(booking.paid)), ("open", JSON(booking.open)),
            ("tooMuch", JSON(booking.tooMuch)), ("refundDue", JSON(booking.refundDue)),
            ("refunded", JSON(booking.refunded)), ("money", .string(booking.money.rawValue)),
            ("payment", .string(booking.payment.rawValue)), ("refund", .string(booking.refund.rawValue)),
            ("requestedAt", instant(booking.requestedAt)),
            ("sessions", .array(booking.lines.map(line))), ("extras", .array(booking.extras.map(extra))),
        ]
        return (words + money).map { JSON.Member($0.0, $0.1) }
    }

    private static func line(_ line: Booking.Line) -> JSON {
        [
            "session": .integer(line.session), "day": JSON(line.day), "startsAt": instant(line.startsAt),
            "endsAt": instant(line.endsAt), "site": .string(line.site), "programme": .string(line.programme),
            "headcount": JSON(line.headcount), "price": JSON(line.price), "amount": JSON(line.amount),
            "kept": JSON(line.kept), "arrived": line.arrived.map { JSON($0) } ?? .null,
            "terms": [
                "minutes": JSON(line.terms.minutes), "holdMinutes": JSON(line.terms.holdMinutes),
                "changeHours": JSON(line.terms.changeHours), "freeCancelHours": JSON(line.terms.freeCancelHours),
                "lateFeePercent": JSON(line.terms.lateFeePercent),
                "noShowFeePercent": JSON(line.terms.noShowFeePercent),
            ],
        ]
    }

    private static func extra(_ extra: Booking.Extra) -> JSON {
        [
            "session": .integer(extra.session), "extra": JSON(extra.extra), "kind": .string(extra.kind.rawValue),
            "name": .string(extra.name), "quantity": JSON(extra.quantity), "price": JSON(extra.price),
            "amount": JSON(extra.amount), "sale": extra.sales.first.map(JSON.integer) ?? .null,
            "sales": .array(extra.sales.map(JSON.integer)),
        ]
    }

    static let bookingHistory = Schema.object([
        Field("booking", booking),
        Field(
            "events",
            .array(
                of: .object([
                    Field("at", .instant), Field("actor", .string()),
                    Field("state", .enumeration(BookingState.allCases.map(\.rawValue))), Field("what", .string()),
                    .optional("day", .day, "For which it was entered, where it has one"),
                    Field("figures", .figures, "Such as people, fen, reason"),
                ]))),
        Field("payments", .array(of: payment)),
        Field(
            "adjustments",
            .array(
                of: .object([
                    Field("adjustment", .integer(1...Int64.max)), Field("amount", anyMoney),
                    Field("touches", .enumeration(["fee", "kept"])), Field("reason", .string()), Field("day", .day),
                    Field("actor", .string()), Field("at", .instant),
                ]))),
        Field("checkIns", .array(of: gateCheckIn)), Field("conflicts", .array(of: gateConflict)),
    ])

    static func bookingHistory(_ history: BookingHistory) -> JSON {
        [
            "booking": booking(history.booking),
            "events": .array(
                history.events.map { event in
                    [
                        "at": instant(event.at), "actor": .string(event.actor),
                        "state": .string(event.state.rawValue), "what": .string(event.what),
                        "day": event.day.map { JSON($0) } ?? .null, "figures": figures(event.figures),
                    ]
                }),
            "payments": .array(history.payments.map { .object(payment($0)) }),
            "adjustments": .array(
                history.adjustments.map { adjustment in
                    [
                        "adjustment": .integer(adjustment.id), "amount": JSON(adjustment.amount),
                        "touches": .string(adjustment.isOfKept ? "kept" : "fee"),
                        "reason": .string(adjustment.reason), "day": JSON(adjustment.day),
                        "actor": .string(adjustment.actor), "at": instant(adjustment.at),
                    ]
                }),
            "checkIns": .array(history.checkIns.map(gateCheckIn)),
            "conflicts": .array(history.conflicts.map(gateConflict)),
        ]
    }
}

/// What is sent to make or change a booking.
extension Shapes {
    private static let wantedExtras = Schema.array(
        of: .object([
            Field("extra", .integer(1...Int64(Int32.max))), Field("quantity", .integer(1...100_000)),
            .optional("session", .integer(1...Int64.max), "The first of the sessions that has it unless told"),
        ]), 0...50)
    private static let sessionNumbers = Schema.array(of: .integer(1...Int64.max), 1...10)
    private static let kinds = Schema.enumeration(UnitKind.allCases.map(\.rawValue))

    static let newBooking = [
        Field("unit", .string(1...200)), Field("unitKind", kinds), Field("headcount", .integer(1...10_000)),
        Field("leader", .string(1...60)),
        Field("phone", .string(1...40), "A Chinese mobile number, or a landline with its area code"),
        .optional("email", .string(3...200)), .optional("language", .string(2...2), "Such as zh"),
        .optional("note", .string(1...1000, .lines)), Field("sessions", sessionNumbers),
        .optional("extras", wantedExtras),
        .optional("waitlist", .boolean, "Whether to wait for seats when there are none"),
        again,
    ]
    private static let again = Field.optional(
        "again", .boolean, "Whether it is meant although the phone has booked one of the sessions already")

    static func newBooking(_ body: JSON) throws -> NewBooking {
        NewBooking(
            unit: try body["unit"].string, unitKind: try UnitKind(named: body["unitKind"].string),
            headcount: try body["headcount"].int, leader: try body["leader"].string, phone: try body["phone"].string,
            email: try body["email"].orNil?.string, language: try body["language"].orNil?.string,
            note: try body["note"].orNil?.string, sessions: try body["sessions"].array.map { try $0.int64 },
            extras: try body["extras"].orNil.map(wantedExtras) ?? [],
            waitlist: try body["waitlist"].orNil?.bool ?? false, again: try body["again"].orNil?.bool ?? false)
    }

    private static func wantedExtras(_ json: JSON) throws -> [WantedExtra] {
        try json.array.map { extra in
            WantedExtra(
                extra: try extra["extra"].int, quantity: try extra["quantity"].int,
                session: try extra["session"].orNil?.int64)
        }
    }

    /// - Parameter phone: the name under which another phone is given.
    static func bookingChange(phone: String) -> [Field] {
        [
            .optional("unit", .string(1...200)), .optional("unitKind", kinds),
            .optional("headcount", .integer(1...10_000)), .optional("leader", .string(1...60)),
            .optional(phone, .string(1...40)), .optional("email", .string(0...200), "An empty text takes it away"),
            .optional("language", .string(2...2)),
            .optional("note", .string(0...1000, .lines), "An empty text takes it away"),
            .optional("sessions", sessionNumbers, "All sessions from now on"),
            .optional("extras", wantedExtras, "All extras from now on"), again,
        ]
    }

    static func bookingChange(_ body: JSON, phone: String) throws -> BookingChange {
        var change = BookingChange()
        change.unit = try body["unit"].orNil?.string
        change.unitKind = try body["unitKind"].orNil.map { try UnitKind(named: $0.string) }
        change.headcount = try body["headcount"].orNil?.int
        change.leader = try body["leader"].orNil?.string
        change.phone = try body[phone].orNil?.string
        change.email = try body["email"].orNil?.string
        change.language = try body["language"].orNil?.string
        change.note = try body["note"].orNil?.string
        change.sessions = try body["sessions"].orNil?.array.map { try $0.int64 }
        change.extras = try body["extras"].orNil.map(wantedExtras)
        change.again = try body["again"].orNil?.bool ?? false
        return change
    }
}
