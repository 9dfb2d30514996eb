import Database
import Foundation
import Kernel
import Postgres

/// What changes a booking's fee after it was agreed.
public enum AdjustmentStore {
    /// Changes what a booking comes to: fewer came, more came, a discount. Of one that nobody came for it changes what is
    /// kept. No money moves by that: what was paid is then too much or not enough.
    /// - Parameters:
    ///   - amount: above or below zero.
    ///   - day: nil is today.
    public static func adjust(
        _ key: BookingKey, _ amount: Money, reason: String, day: CivilDay? = nil, seen: Int? = nil, now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let old = try await BookingStore.read(key, seen: seen, from: nil, transaction, scope)
            let reason = try BookingRules.text(reason, field: "reason", max: 200)
            let day = try await PaymentStore.entryDay(day, now, transaction, scope)
            guard amount.fen != 0, abs(amount.fen) <= BookingRules.feeLimit else {
                throw Refusal(
                    .invalid, "no-adjustment", field: "amount", zh: "调整的金额不能是零，也不能过大；减少请写负数，如 -136",
                    en: "an adjustment is not of zero nor of too much; below zero it lowers the fee, such as -136")
            }
            guard old.state != .expired else { throw BookingRules.notFrom(.expired) }
            var booking = old
            if old.endedWithoutVisit {
                let kept = old.kept + amount
                guard kept.fen >= 0, kept <= old.agreed else { throw outOfKept(old) }
                booking.keep(total: kept)
                booking.refundWhatIsNotKept()
            } else {
                booking.adjusted = old.adjusted + amount
                guard booking.agreed.fen >= 0 else { throw belowZero(old) }
                booking.grantNothingTooMuch()
                booking.keepWhatIsNotTooMuchAnyMore(since: old)
                guard booking.agreed.fen <= BookingRules.feeLimit else {
                    throw Refusal(
                        .invalid, "amount-too-large", field: "amount", zh: "费用过大", en: "the fee is too large")
                }
            }
            return PaymentStore.written(
                booking, old, what: "adjusted", day: day,
                [.fen(amount), .reason(reason)],
                [
                    """
                    INSERT INTO tour_adjustment (village_id, booking_id, touches, amount_fen, reason, day, actor, at)
                    VALUES (\(scope.village), \(old.id.value), \(old.endedWithoutVisit ? "kept" : "fee"), \(amount),
                        \(reason), \(day), \(scope.actor), \(now))
                    """
                ], now: now, scope)
        }
    }

    static func belowZero(_ booking: Booking) -> Refusal {
        Refusal(
            .conflict, "adjusted-below-zero", field: "amount",
            zh: "费用 \(booking.fee) 元，此前已调整 \(booking.adjusted) 元，不能调整到低于零",
            en: "the fee of \(booking.fee) yuan, adjusted by \(booking.adjusted) so far, can't be brought below zero")
    }

    private static func outOfKept(_ booking: Booking) -> Refusal {
        Refusal(
            .conflict, "adjusted-below-zero", field: "amount",
            zh: "现在收取 \(booking.kept) 元，只能调整到 0 与费用 \(booking.agreed) 元之间",
            en: "\(booking.kept) yuan are kept now: it can be anything from nothing to the fee of \(booking.agreed)")
    }

    static func select(of booking: Int64, _ scope: Scope) -> SQL {
        """
        SELECT id, touches, amount_fen, reason, day, actor, at FROM tour_adjustment
        WHERE village_id = \(scope.village) AND booking_id = \(booking) ORDER BY id LIMIT 1000
        """
    }
}

extension BookingAdjustment {
    init(_ row: Row) throws {
        self.init(
            id: try row.decode("id"), amount: try row.decode("amount_fen"),
            isOfKept: try row.decode("touches", as: String.self) == "kept", reason: try row.decode("reason"),
            day: try row.decode("day"), actor: try row.decode("actor"), at: try row.decode("at"))
    }
}
