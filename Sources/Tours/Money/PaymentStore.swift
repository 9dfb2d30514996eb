import Database
import Foundation
import Kernel
import Postgres

/// Money for bookings: an axis of its own, which moves no booking. What was paid is no income before the group came.
public enum PaymentStore {
    /// Records money that came in.
    /// - Parameter paidHow: such as 微信.
    public static func pay(
        _ key: BookingKey, _ amount: Money, how paidHow: String, day: CivilDay? = nil, seen: Int? = nil, now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let old = try await BookingStore.read(key, seen: seen, from: nil, transaction, scope)
            let (paidHow, day) = try await check(paidHow, day, now, transaction, scope)
            guard amount.fen > 0 else { throw notPositive }
            guard amount <= old.open else { throw moreThanFee(old) }
            var booking = old
            booking.paid = old.paid + amount
            booking.grantNothingTooMuch()
            booking.accept()
            return written(
                booking, old, what: "paid", day: day,
                [.fen(amount), .text("how", paidHow)],
                [insert(.payment, amount, paidHow, day, of: old, now, scope)], now: now, scope)
        }
    }

    /// Decides how much goes back to the group in all; nothing is paid out by that. Of a booking that nobody came for the
    /// village then keeps the rest of what was paid; to keep less than by its terms is an adjustment.
    /// - Parameter reason: needed where less goes back than what isn't kept.
    public static func decideRefund(
        _ key: BookingKey, _ amount: Money, reason: String? = nil, seen: Int? = nil, now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let old = try await BookingStore.read(key, seen: seen, from: nil, transaction, scope)
            let reason = try reason.map { try BookingRules.text($0, field: "reason", max: 200) }
            guard amount.fen >= 0 else { throw notPositive }
            guard amount <= old.paid else {
                throw Refusal(
                    .conflict, "refund-above-payment", field: "amount", zh: "只收到 \(old.paid) 元，最多退这么多",
                    en: "\(old.paid) yuan were paid: no more can go back")
            }
            guard amount >= old.refunded else {
                throw Refusal(
                    .conflict, "refunded-already", field: "amount", zh: "已经退了 \(old.refunded) 元",
                    en: "\(old.refunded) yuan have gone back already")
            }
            var booking = old
            booking.refund(due: amount)
            if old.endedWithoutVisit { try keepTheRest(&booking, old, amount, reason) }
            return written(
                booking, old, what: "refund_decided", day: nil,
                [
                    .fen(amount), .reason(reason), booking.kept == old.kept ? nil : .fen(booking.kept, "kept_fen"),
                    booking.granted == old.granted ? nil : .fen(booking.granted, "granted_fen"),
                ].compactMap(\.self), [], now: now, scope)
        }
    }

    private static func keepTheRest(
        _ booking: inout Booking, _ old: Booking, _ amount: Money, _ reason: String?
    ) throws {
        var usual = old
        usual.refundWhatIsNotKept()
        guard amount != usual.refundDue else { return }
        guard amount < usual.refundDue else {
            throw Refusal(
                .conflict, "refund-above-payment", field: "amount",
                zh: "收到 \(old.paid) 元，其中收取 \(old.kept) 元，最多退 \(usual.refundDue) 元；要少收请先调整（booking adjust）",
                en:
                    "\(old.paid) yuan were paid and \(old.kept) of them kept: at most \(usual.refundDue) can go back; to "
                    + "keep less, adjust the booking first (booking adjust)")
        }
        guard reason != nil else {
            throw Refusal(
                .invalid, "reason-missing", field: "reason", zh: "按规定应退 \(usual.refundDue) 元；少退请写明原因",
                en: "\(usual.refundDue) yuan are to go back: say why it is less")
        }
        let rest = Money(fen: old.paid.fen - amount.fen)
        guard rest <= old.agreed else {
            let least = Money(fen: old.paid.fen - old.agreed.fen)
            throw Refusal(
                .conflict, "kept-above-fee", field: "amount", zh: "费用只有 \(old.agreed) 元，至少要退 \(least) 元",
                en: "the fee is \(old.agreed) yuan: at least \(least) have to go back")
        }
        booking.keep(total: rest)
    }

    /// Records money that went back, of what was decided.
    /// - Parameter amount: nil is all that is still due.
    public static func refund(
        _ key: BookingKey, _ amount: Money? = nil, how paidHow: String, day: CivilDay? = nil, seen: Int? = nil,
        now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let old = try await BookingStore.read(key, seen: seen, from: nil, transaction, scope)
            let (paidHow, day) = try await check(paidHow, day, now, transaction, scope)
            let due = old.refundOpen
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
                booking, old, what: "refunded", day: day,
                [.fen(amount), .text("how", paidHow)],
                [insert(.refund, amount, paidHow, day, of: old, now, scope)], now: now, scope)
        }
    }

    private static let notPositive = Refusal(
        .invalid, "amount-not-positive", field: "amount", zh: "金额必须大于零", en: "the amount must be above zero")

    private static func moreThanFee(_ booking: Booking) -> Refusal {
        guard booking.open.fen == 0 else {
            return Refusal(
                .conflict, "more-than-fee", field: "amount", zh: "费用只差 \(booking.open) 元",
                en: "only \(booking.open) yuan of the fee are open")
        }
        return booking.endedWithoutVisit || booking.state == .expired
            ? Refusal(
                .conflict, "more-than-fee", field: "amount", zh: "预约\(booking.state.label.zh)，没有要收的了",
                en: "the booking is \(booking.state.label.en): there is nothing to collect")
            : Refusal(
                .conflict, "more-than-fee", field: "amount", zh: "费用已付清，没有要收的了",
                en: "the fee is fully paid: there is nothing more to collect")
    }

    /// The way of payment as it is kept, and the day: not in the future, nor in a closed period.
    private static func check(
        _ paidHow: String, _ day: CivilDay?, _ now: Date, _ transaction: Transaction, _ scope: Scope
    ) async throws -> (String, CivilDay) {
        let paidHow = try BookingRules.text(paidHow, field: "paidHow", max: 40)
        return (paidHow, try await entryDay(day, now, transaction, scope))
    }

    /// The day of an entry, today unless told.
    /// - Throws: a `Refusal` for one in the future or in a closed period.
    static func entryDay(
        _ day: CivilDay?, _ now: Date, _ transaction: Transaction, _ scope: Scope
    ) async throws -> CivilDay {
        let today = BookingRules.today(now)
        guard let day else { return today }
        guard day <= today else {
            throw Refusal(
                .invalid, "payment-in-future", field: "day", zh: "日期 \(day) 在今天之后",
                en: "the day \(day) is in the future")
        }
        try ClosedBooks.check(day, through: try await ClosedBooks.through(transaction, scope))
        return day
    }

    private static func insert(
        _ kind: BookingPayment.Kind, _ amount: Money, _ paidHow: String, _ day: CivilDay, of booking: Booking,
        _ now: Date, _ scope: Scope
    ) -> SQL {
        """
        INSERT INTO tour_payment (village_id, booking_id, kind, amount_fen, paid_how, day, actor, at)
        VALUES (\(scope.village), \(booking.id.value), \(kind.rawValue), \(amount), \(paidHow), \(day),
            \(scope.actor), \(now))
        """
    }

    /// The change by which a booking's money becomes another.
    /// - Parameters:
    ///   - day: that of the entry, where it is one of money.
    ///   - rows: what tells of it.
    static func written(
        _ new: Booking, _ old: Booking, what: String, day: CivilDay?, _ figures: [Event.Figure],
        _ rows: [SQL], refusals: [String: Refusal] = [:], now: Date, _ scope: Scope
    ) -> Change<Booking> {
        var booking = new
        booking.version = old.version + 1
        var writes = [BookingRows.update(booking, seen: old.version, step: false, scope)] + rows
        for (before, after) in zip(old.lines, booking.lines)
        where before.kept != after.kept || before.isUpset != after.isUpset {
            writes.append(BookingRows.upsert(after, of: booking, scope))
        }
        if booking.earns { writes.append(TourEarnings.settle([booking], on: day ?? BookingRules.today(now), scope)) }
        return Change(
            booking, writes: writes, refusals: BookingSeats.refusals.merging(refusals) { $1 },
            event: .ofBooking(what, booking, day: day, figures))
    }
}
