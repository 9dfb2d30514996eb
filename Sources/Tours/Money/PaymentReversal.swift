import Database
import Foundation
import Kernel
import Postgres

extension PaymentStore {
    /// Takes back a payment or a refund that was entered by mistake: a new row that points at the old one, once. What is
    /// to go back follows what is left of what was paid; a refund that is taken back is due again only while it is decided.
    /// - Parameters:
    ///   - number: the payment's, as the booking and the till's book show it.
    ///   - day: nil is today.
    public static func reverse(
        _ key: BookingKey, payment number: Int64, reason: String, day: CivilDay? = nil, seen: Int? = nil, now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let old = try await BookingStore.read(key, seen: seen, from: nil, transaction, scope)
            let reason = try BookingRules.text(reason, field: "reason", max: 200)
            let day = try await entryDay(day, now, transaction, scope)
            let entry = try await find(number, of: old, transaction, scope)
            var booking = old
            switch entry.kind {
            case .payment:
                booking.paid = Money(fen: old.paid.fen - entry.amount.fen)
                guard booking.paid >= old.refunded else {
                    throw Refusal(
                        .conflict, "refunded-already", field: "payment", zh: "已经退了 \(old.refunded) 元；请先撤销退款",
                        en: "\(old.refunded) yuan have gone back already: reverse the refund first")
                }
                if old.endedWithoutVisit {
                    booking.refundWhatIsNotKept()
                } else {
                    booking.refund(due: max(old.refunded, min(old.refundDue, booking.paid)))
                }
            case .refund:
                booking.refunded = Money(fen: old.refunded.fen - entry.amount.fen)
                if old.endedWithoutVisit {
                    booking.refundWhatIsNotKept()
                } else if try await !isRefundDecided(of: old, transaction, scope) {
                    booking.refund(due: booking.refunded)
                }
            }
            return written(
                booking, old, what: "payment_reversed", day: day,
                [.fen(entry.amount), .text("how", entry.paidHow), .number("payment", number), .reason(reason)],
                [
                    """
                    INSERT INTO tour_payment (village_id, booking_id, kind, amount_fen, paid_how, day, reverses,
                        reason, actor, at)
                    VALUES (\(scope.village), \(old.id.value), \(entry.kind.rawValue), \(entry.amount),
                        \(entry.paidHow), \(day), \(number), \(reason), \(scope.actor), \(now))
                    """
                ], refusals: ["tour_payment_reversed_once": reversedAlready(number)], now: now, scope)
        }
    }

    private static func isRefundDecided(
        of booking: Booking, _ transaction: Transaction, _ scope: Scope
    ) async throws -> Bool {
        try BookingStory.isRefundDecided(
            try await transaction.query(BookingStory.select("e.subject = \("\(booking.id)")", scope)))
    }

    /// The entry, while it can be reversed.
    private static func find(
        _ number: Int64, of booking: Booking, _ transaction: Transaction, _ scope: Scope
    ) async throws -> BookingPayment {
        let entries = try await transaction.query(BookingPayment.select(of: booking.id.value, scope)).map(
            BookingPayment.init)
        guard let entry = entries.first(where: { $0.id == number }) else {
            throw Refusal(
                .notFound, "unknown-payment", field: "payment", zh: "预约 \(booking.id) 没有编号为 \(number) 的收款或退款",
                en: "booking \(booking.id) has no payment or refund \(number)")
        }
        if let reversed = entry.reverses {
            throw Refusal(
                .conflict, "reverses-a-reversal", field: "payment", zh: "\(number) 本身就是对 \(reversed) 的撤销；请重新登记",
                en: "\(number) is itself the reversal of \(reversed): enter the money anew")
        }
        guard !entries.contains(where: { $0.reverses == number }) else { throw reversedAlready(number) }
        return entry
    }

    private static func reversedAlready(_ number: Int64) -> Refusal {
        Refusal(
            .conflict, "reversed-already", field: "payment", zh: "\(number) 已经撤销过了", en: "\(number) is reversed already"
        )
    }
}

extension BookingPayment {
    static func select(of booking: Int64, _ scope: Scope) -> SQL {
        """
        SELECT id, kind, amount_fen, paid_how, day, reverses, reason, actor, at
        FROM tour_payment
        WHERE village_id = \(scope.village) AND booking_id = \(booking) ORDER BY id LIMIT 1000
        """
    }

    init(_ row: Row) throws {
        self.init(
            id: try row.decode("id"), kind: try Named(row, "kind").value, amount: try row.decode("amount_fen"),
            paidHow: try row.decode("paid_how"), day: try row.decode("day"),
            reverses: try row.decode("reverses"),
            reason: try row.decode("reason"), actor: try row.decode("actor"), at: try row.decode("at"))
    }
}
