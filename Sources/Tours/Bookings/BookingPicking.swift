import Database
import Foundation
import Kernel
import Orchard
import Postgres
import Sales

extension BookingStore {
    /// What a group picked: a sale of each cooperative out of whose batches it was, and with it income of sales and no part
    /// of the fee.
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

    /// Records what a group picked as a sale of each cooperative, and ties them to the booking's extra, in one transaction;
    /// once, and again when a sale of it was reversed.
    /// A refusal of one of the lines names it as `lines[0].weight`.
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
            let sold = try await sales(of: old, picking, extra, today: today, transaction, scope)
            var booking = old
            booking.version = old.version + 1
            var settled = extra
            let numbers = sold.map(\.sale.id.value)
            // Of a settlement that was reversed in part the rest stands.
            settled.sales += numbers
            settled.wasSettled = true
            settled.isOpen = false
            booking.extras.removeAll { $0.extra == extra.extra && $0.session == extra.session }
            booking.extras.append(settled)
            let total = sold.map(\.sale.total).reduce(.zero, +)
            let added = isPlanned ? [] : [SQL.insert([BookingRows.row(settled, of: booking, day: line.day, scope)])]
            let ties = numbers.map { BookingRows.row(ofSale: $0, settled, of: booking, scope) }
            return Change(
                booking,
                writes: [BookingRows.update(booking, seen: old.version, step: false, scope)]
                    + sold.flatMap(\.change.writes) + added,
                rows: sold.flatMap(\.change.rows) + ties, lastWrites: sold.flatMap(\.change.lastWrites),
                refusals: sold.reduce(BookingSeats.refusals) { $0.merging($1.change.refusals) { first, _ in first } },
                events: sold.flatMap(\.change.events) + [
                    .ofBooking(
                        "picked", booking, day: sold.first?.sale.day,
                        [
                            numbers.count == 1
                                ? .number("sale", numbers.first)
                                : .text("sales", numbers.map(String.init).joined(separator: "+")),
                            .number("grams", picking.grams), .fen(total),
                        ])
                ])
        }
    }

    /// The sales as they are to be recorded, one for each cooperative in the order in which its batches come.
    private static func sales(
        of booking: Booking, _ picking: Picking, _ extra: Booking.Extra, today: CivilDay, _ transaction: Transaction,
        _ scope: Scope
    ) async throws -> [(sale: Sale, change: Change<Sale>)] {
        let usual = try Price(fen: extra.price.fen, basis: .jin)
        let rows = try await transaction.query(
            """
            SELECT number, cooperative_id FROM batch
            WHERE village_id = \(scope.village) AND number = ANY(\(picking.lines.map(\.batch))::bigint[])
            """)
        var owners: [Int64: Int] = [:]
        for row in rows { owners[try row.decode("number")] = try row.decode("cooperative_id", as: Int.self) }
        // A batch that there is not is the first sale's to refuse.
        var parts: [(owner: Int?, places: [Int])] = []
        for (place, line) in picking.lines.enumerated() {
            let owner = owners[line.batch] ?? parts.first?.owner
            if let part = parts.firstIndex(where: { $0.owner == owner }) {
                parts[part].places.append(place)
            } else {
                parts.append((owner, [place]))
            }
        }
        if parts.isEmpty { parts = [(nil, [])] }
        var sold: [(sale: Sale, change: Change<Sale>)] = []
        for part in parts {
            let sale = NewSale(
                number: nil, day: picking.day ?? today, channel: pickingChannel, buyer: booking.unit,
                paidHow: picking.paidHow,
                lines: part.places.map { place in
                    let line = picking.lines[place]
                    return .init(batch: line.batch, weight: line.weight, price: line.price ?? usual)
                }, confirmed: picking.confirmed.union([.newChannel]))
            do {
                let change = try await SaleStore.record(sale, today: today)(transaction, scope)
                guard let recorded = change.known else { throw MissingRow() }
                sold.append((recorded, change))
            } catch let refusal as Refusal {
                throw refusal.renamed(field: refusal.field.map { Self.field($0, part.places) })
            }
        }
        return sold
    }

    /// The field of a sale's line as the picking has it: `lines[0].weight` of the second sale is another line of ours.
    private static func field(_ field: String, _ places: [Int]) -> String {
        guard field.hasPrefix("lines["), let end = field.firstIndex(of: "]"),
            let line = Int(field[field.index(field.startIndex, offsetBy: 6)..<end]), places.indices.contains(line)
        else { return field }
        return "lines[\(places[line])" + field[end...]
    }

    /// The extra that is settled: one that the group planned, or else its programmes' own.
    private static func extra(
        of booking: Booking, _ picking: Picking, _ transaction: Transaction, _ scope: Scope
    ) async throws -> (extra: Booking.Extra, isPlanned: Bool) {
        let planned = booking.extras.filter {
            $0.kind == .picking && $0.isOpen && picking.extra ?? $0.extra == $0.extra
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
                    quantity: Int(min(100_000, max(1, jin))), price: offer.price, amount: .zero, sales: [])
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
