import Documents
import Kernel
import Tours

/// What is sent to make or change a booking.
extension Shapes {
    static let bookingNumber = Endpoint.Parameter("id", .integer(1...4_294_967_295), "The booking's number")

    private static let wantedExtras = Schema.array(
        of: .object([
            Field("extra", .integer(1...Int64(Int32.max))), Field("quantity", .integer(1...100_000)),
            .optional("session", .integer(1...Int64.max), "The first of the sessions that has it unless told"),
        ]), 0...50)
    private static let sessionNumbers = Schema.array(of: .integer(1...Int64.max), 1...10)
    private static let kinds = Look<UnitKind>.word.schema

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
