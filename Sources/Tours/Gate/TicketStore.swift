import Codes
import Database
import Kernel
import Postgres
import Signing

/// Tickets. They are signed when they are asked for, and registered nowhere: the booking itself is the register.
public struct TicketStore: Sendable {
    let database: Database
    let keys: KeyRing

    public init(_ database: Database, keys: KeyRing) {
        self.database = database
        self.keys = keys
    }

    /// - Throws: a `Refusal` of kind `notFound`; of kind `conflict` when the booking is not confirmed; of kind
    ///   `unavailable` when there is no key to sign with.
    public func show(booking number: Int64, today: CivilDay, _ scope: Scope) async throws -> Ticket {
        let rows = try await database.transaction(scope) { try await $0.query(GateRows.booking(number, scope)) }
        guard let booking = try GateRows.decode(rows).first else { throw Self.unknown(number) }
        return try ticket(booking, today: today)
    }

    /// For the group itself, which knows its reference and the phone it gave.
    /// - Throws: besides, `BookingReference.unknown`, whichever of the two is wrong.
    public func show(
        reference: BookingReference, phone: String, today: CivilDay, _ scope: Scope
    ) async throws -> Ticket {
        let rows = try await database.transaction(scope) { try await $0.query(GateRows.booking(reference, scope)) }
        guard let booking = try GateRows.decode(rows).first, TicketRules.knows(phone, phone: booking.phone) else {
            throw BookingReference.unknown
        }
        return try ticket(booking, today: today)
    }

    private func ticket(_ booking: GateBooking, today: CivilDay) throws -> Ticket {
        try TicketRules.check(booking.state)
        guard let number = UInt32(exactly: booking.number), let day = booking.visits.map(\.day).min() else {
            throw Self.unknown(booking.number)
        }
        let signer = try keys.signer()
        return Ticket(
            booking: booking, signed: try signer.sign(booking: number, issued: today, day: day),
            origin: signer.origin)
    }

    static func unknown(_ number: Int64) -> Refusal {
        Refusal(
            .notFound, "unknown-booking", field: "booking", zh: "没有预约 \(number)",
            en: "there is no booking \(number)")
    }
}
