import Kernel
import Signing

/// What a group shows at the gate: its booking with a signature that is good without asking anybody.
public struct Ticket: Sendable {
    public let booking: GateBooking
    public let signed: SignedTicket
    public let origin: Origin

    public var payload: String { signed.payload }
    public var url: String { origin.url(payload: signed.payload) }
    /// Of the first session.
    public var day: CivilDay { signed.body.day }
}

enum TicketRules {
    /// Whether the booking stands so firmly that it may have a ticket.
    /// - Throws: a `Refusal` of kind `conflict`.
    static func check(_ state: BookingState) throws {
        guard [.confirmed, .arrived, .completed].contains(state) else {
            throw Refusal(
                .conflict, "no-ticket", zh: "预约“\(state.label.zh)”，确认后才有凭证",
                en: "the booking is \(state.label.en); only a confirmed one has a ticket")
        }
    }

    /// The digits of a phone, by which two spellings of it are compared.
    static func digits(_ phone: String) -> String {
        phone.unicodeScalars.reduce(into: "") { digits, scalar in
            switch scalar.value {
            case 0x30...0x39: digits.unicodeScalars.append(scalar)
            case 0xFF10...0xFF19: digits += String(scalar.value - 0xFF10)
            default: break
            }
        }
    }

    /// Whether someone knows the booking's phone. A country's prefix before either is passed over.
    static func knows(_ given: String, phone: String) -> Bool {
        let (given, phone) = (digits(given), digits(phone))
        let (long, short) = given.count > phone.count ? (given, phone) : (phone, given)
        return short.count >= 5 && (long == short || short.count >= 11 && long.hasSuffix(short))
    }
}
