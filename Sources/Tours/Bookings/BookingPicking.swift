import Database
import Foundation
import Kernel
import Orchard
import Postgres
import Sales

extension BookingStore {
    /// What a group picked: a sale out of one cooperative's batches, and with it income of sales and no part of the fee.
    public struct Picking: Sendable {
        public struct Line: Sendable {
            public let batch: Int64
            public let weight: Weight
            /// nil is the extra's own price a 斤.
            public let price: Price?

            public init(batch: Int64, weight: Weight, price: Price? = nil) {
                self.batch = batch
                self.weight = weight
                self.price = price
            }
        }

        /// 1 to 100; those of one batch are drawn from it together.
        public let lines: [Line]
        /// nil is the one extra of this kind that the group or its programme has.
        public let extra: Int?
        public let paidHow: String?
        /// nil is today.
        public let day: CivilDay?
        /// What a sale would be asked about, and is meant.
        public let confirmed: Set<NewSale.Question>

        public init(
            lines: [Line], extra: Int? = nil, paidHow: String? = nil, day: CivilDay? = nil,
            confirmed: Set<NewSale.Question> = []
        ) {
            self.confirmed = confirmed
            self.lines = lines
            self.extra = extra
            self.paidHow = paidHow
            self.day = day
        }
    }

    /// The channel of sales to groups that picked themselves.
    public static let pickingChannel = "采摘"

    /// Records a sale of what a group picked and ties it to the booking's extra, in one transaction. A refusal of one
    /// of the lines names it as `lines[0].weight`.
    public static func pick(
        _ key: BookingKey, _ picking: Picking, seen: Int? = nil, now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let old = try await read(key, seen: seen, from: [.confirmed, .arrived, .completed], transaction, scope)
            let today = BookingRules.today(now)
            let (extra, isPlanned) = try await extra(of: old, picking, transaction, scope)
            guard let line = old.lines.first(where: { $0.session == extra.session }), line.day <= today else {
                throw Refusal(
                    .conflict, "session-not-begun", field: "booking", zh: "场次还没有到", en: "the session is yet to come")
            }
            let usual = try Price(fen: extra.price.fen, basis: .jin)
            let sale = NewSale(
                number: nil, day: picking.day ?? today, channel: pickingChannel, buyer: old.unit,
                paidHow: picking.paidHow,
                lines: picking.lines.map { .init(batch: $0.batch, weight: $0.weight, price: $0.price ?? usual) },
                confirmed: picking.confirmed)
            let sold = try await SaleStore.record(sale, today: today)(transaction, scope)
            guard let recorded = sold.known else { throw MissingRow() }
            var booking = old
            booking.version = old.version + 1
            var settled = extra
            settled.sale = recorded.id.value
            booking.extras.removeAll { $0.extra == extra.extra && $0.session == extra.session }
            booking.extras.append(settled)
            let tie: SQL =
                isPlanned
                ? """
                UPDATE tour_booking_extra SET sale_id = \(settled.sale)
                WHERE village_id = \(scope.village) AND booking_id = \(old.id.value)
                    AND session_id = \(extra.session) AND extra_id = \(extra.extra)
                """ : SQL.insert([BookingRows.row(settled, of: booking, day: line.day, scope)])
            return Change(
                booking,
                writes: [BookingRows.update(booking, seen: old.version, step: false, scope)] + sold.writes
                    + [tie],
                refusals: BookingSeats.refusals.merging(sold.refusals) { $1 },
                event: .ofBooking(
                    "picked", booking, day: recorded.day,
                    [
                        .number("sale", recorded.id.value), .number("grams", picking.grams),
                        .fen(recorded.total),
                    ]))
        }
    }

    /// The extra that is settled: one that the group planned, or else its programmes' own.
    private static func extra(
        of booking: Booking, _ picking: Picking, _ transaction: Transaction, _ scope: Scope
    ) async throws -> (extra: Booking.Extra, isPlanned: Bool) {
        let planned = booking.extras.filter {
            $0.kind == .picking && $0.sale == nil && picking.extra ?? $0.extra == $0.extra
        }
        if let first = planned.first { return (first, true) }
        let programmes = booking.lines.map(\.terms.programmeID)
        let rows = try await transaction.query(
            """
            SELECT id, programme_id, kind, name, price_fen FROM tour_extra
            WHERE village_id = \(scope.village) AND programme_id = ANY(\(programmes)::int[]) AND kind = 'picking'
            ORDER BY id
            """)
        for offer in try BookingExtras.offered(rows) where picking.extra ?? offer.id == offer.id {
            for line in booking.lines where line.terms.programmeID == offer.programmeID {
                if booking.extras.contains(where: { $0.extra == offer.id && $0.session == line.session }) { continue }
                let jin = (picking.grams + 499) / 500
                let extra = Booking.Extra(
                    session: line.session, extra: offer.id, kind: .picking, name: offer.name,
                    quantity: Int(min(100_000, max(1, jin))), price: offer.price, amount: .zero, sale: nil)
                return (extra, false)
            }
        }
        throw Refusal(
            .conflict, "no-picking", field: "extra", zh: "这个预约没有可结算的采摘项：它的课程还没有采摘附加项，或都已结算",
            en: "the booking has no picking to settle: its programmes offer none, or all are settled")
    }
}

extension BookingStore.Picking {
    fileprivate var grams: Int64 { lines.reduce(0) { $0 + $1.weight.grams } }
}
