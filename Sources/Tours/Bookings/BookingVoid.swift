import Database
import Foundation
import Kernel

/// A row of a register of past years that was wrong. Nothing came before it that it could go back to.
extension BookingStore {
    /// The change by which a register's booking is taken back whole: nobody came, nothing is kept, and what the register
    /// told as paid was not. Its income and people leave the books on its day, or today where that is closed.
    /// - Parameters:
    ///   - checkIns: those that count.
    ///   - closed: through which day the books are closed.
    static func void(
        _ old: Booking, _ checkIns: [GateCheckIn], through closed: CivilDay?, reason: String, now: Date, _ scope: Scope
    ) throws -> Change<Booking> {
        guard !old.isVoid else { throw BookingRules.void }
        guard BookingStep.void.from.contains(old.state) else { throw BookingRules.notFrom(old.state) }
        var booking = old
        booking.state = .cancelled
        booking.isVoid = true
        booking.count([])
        booking.keep(old.lines.map { _ in .zero })
        booking.paid = Money(fen: old.paid.fen - old.registerPaid.fen)
        booking.registerPaid = .zero
        guard booking.paid >= old.refunded else {
            throw Refusal(
                .conflict, "refunded-already", field: "booking",
                zh: "已退 \(old.refunded) 元，作废后只剩收款 \(booking.paid) 元；请先撤销退款（booking payment-reverse）",
                en:
                    "\(old.refunded) yuan have gone back, and only \(booking.paid) of payments would be left: reverse the "
                    + "refund first (booking payment-reverse)")
        }
        booking.refundWhatIsNotKept()
        let today = BookingRules.today(now)
        func entryDay(_ day: CivilDay) -> CivilDay { ClosedBooks.entryDay(day, through: closed, today: today) }
        let days = Dictionary(old.lines.map { ($0.session, $0.day) }) { first, _ in first }
        return step(
            from: old, to: booking, what: "voided", message: nil, day: old.lines.first.map { entryDay($0.day) },
            figures: [.text("undone", old.state.rawValue), .reason(reason)],
            more: checkIns.map {
                GateWrites.undo($0, day: entryDay(days[$0.session] ?? today), reason: reason, scope)
            }, now: now, scope)
    }
}
