import Database
import Foundation
import Kernel
import Postgres

/// Money for bookings: an axis of its own, which moves no booking, as no step of a booking moves money. What was paid
/// is no income before the group came.
public enum PaymentStore {
    /// Records money that came in.
    /// - Parameter paidHow: such as 微信.
    public static func pay(
        _ key: BookingKey, _ amount: Money, how paidHow: String, day: CivilDay? = nil, seen: Int? = nil, now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let old = try await BookingStore.read(key, seen: seen, from: nil, transaction, scope)
            let today = BookingRules.today(now)
            let paidHow = try check(paidHow, day ?? today, today)
            let open = old.fee.fen - old.paid.fen + old.refunded.fen
            guard amount.fen > 0 else { throw notPositive }
            guard amount.fen <= open else { throw moreThanFee(Money(fen: open)) }
            var booking = old
            booking.paid = old.paid + amount
            return written(
                booking, old, what: "paid", [.fen(amount), .text("how", paidHow)],
                [insert("payment", amount, paidHow, day ?? today, of: old, now, scope)], scope)
        }
    }

    /// Decides how much goes back to the group in all; nothing is paid out by that.
    public static func decideRefund(
        _ key: BookingKey, _ amount: Money, seen: Int? = nil, now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let old = try await BookingStore.read(key, seen: seen, from: nil, transaction, scope)
            // What is kept is income: giving it back as well is what waiving it is for.
            let most = Money(fen: max(0, old.paid.fen - old.kept.fen))
            guard amount <= most else {
                throw Refusal(
                    .conflict, "refund-above-payment", field: "amount",
                    zh: "收到 \(old.paid) 元，其中留下 \(old.kept) 元，最多退 \(most) 元",
                    en: "\(old.paid) yuan were paid and \(old.kept) of them kept: at most \(most) can go back")
            }
            guard amount >= old.refunded else {
                throw Refusal(
                    .conflict, "refunded-already", field: "amount", zh: "已经退了 \(old.refunded) 元",
                    en: "\(old.refunded) yuan have gone back already")
            }
            var booking = old
            booking.refundDue = amount
            return written(booking, old, what: "refund_decided", [.fen(amount)], [], scope)
        }
    }

    /// Records money that went back, of what was decided.
    /// - Parameter amount: nil is all that is still due.
    public static func refund(
        _ key: BookingKey, _ amount: Money? = nil, how paidHow: String, day: CivilDay? = nil, seen: Int? = nil,
        now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let old = try await BookingStore.read(key, seen: seen, from: nil, transaction, scope)
            let today = BookingRules.today(now)
            let paidHow = try check(paidHow, day ?? today, today)
            let due = Money(fen: old.refundDue.fen - old.refunded.fen)
            guard due.fen > 0 else {
                throw Refusal(
                    .conflict, "no-refund-due", field: "amount", zh: "没有待退的款，请先决定退款金额",
                    en: "no refund is due: decide on one first")
            }
            let amount = amount ?? due
            guard amount.fen > 0 else { throw notPositive }
            guard amount <= due else {
                throw Refusal(
                    .conflict, "more-than-due", field: "amount", zh: "待退的只有 \(due) 元", en: "only \(due) yuan are due")
            }
            var booking = old
            booking.refunded = old.refunded + amount
            return written(
                booking, old, what: "refunded", [.fen(amount), .text("how", paidHow)],
                [insert("refund", amount, paidHow, day ?? today, of: old, now, scope)], scope)
        }
    }

    private static let notPositive = Refusal(
        .invalid, "amount-not-positive", field: "amount", zh: "金额必须大于零", en: "the amount must be above zero")

    private static func moreThanFee(_ open: Money) -> Refusal {
        open.fen > 0
            ? Refusal(
                .conflict, "more-than-fee", field: "amount", zh: "费用只差 \(open) 元",
                en: "only \(open) yuan of the fee are open")
            : Refusal(
                .conflict, "more-than-fee", field: "amount", zh: "费用已付清，没有要收的了",
                en: "the fee is fully paid: there is nothing more to collect")
    }

    private static func check(_ paidHow: String, _ day: CivilDay, _ today: CivilDay) throws -> String {
        guard day <= today else {
            throw Refusal(
                .invalid, "payment-in-future", field: "day", zh: "日期 \(day) 在今天之后",
                en: "the day \(day) is in the future")
        }
        return try BookingRules.text(paidHow, field: "paidHow", max: 40)
    }

    private static func insert(
        _ kind: String, _ amount: Money, _ paidHow: String, _ day: CivilDay, of booking: Booking, _ now: Date,
        _ scope: Scope
    ) -> SQL {
        """
        INSERT INTO tour_payment (village_id, booking_id, kind, amount_fen, paid_how, day, actor, at)
        VALUES (\(scope.village), \(booking.id.value), \(kind), \(amount), \(paidHow), \(day), \(scope.actor), \(now))
        """
    }

    private static func written(
        _ new: Booking, _ old: Booking, what: String, _ figures: [Event.Figure], _ rows: [SQL], _ scope: Scope
    ) -> Change<Booking> {
        var booking = new
        booking.version = old.version + 1
        return Change(
            booking,
            writes: [BookingRows.update(booking, seen: old.version, step: false, scope)] + rows,
            refusals: BookingSeats.refusals, event: .ofBooking(what, booking, figures))
    }
}
