import Database
import Kernel
import Postgres

/// Meals, gifts and picking.
enum BookingExtras {
    struct Offered: Sendable {
        let id: Int
        let programmeID: Int
        let kind: TourExtra.Kind
        let name: String
        let price: Money
    }

    static func select(_ ids: [Int], _ scope: Scope) -> SQL {
        """
        SELECT id, programme_id, kind, name, price_fen FROM tour_extra
        WHERE village_id = \(scope.village) AND id = ANY(\(ids)::int[])
        """
    }

    static func offered(_ rows: Rows) throws -> [Offered] {
        try rows.map { row in
            Offered(
                id: try row.decode("id"), programmeID: try row.decode("programme_id"),
                kind: try Named(row, "kind").value, name: try row.decode("name"), price: try row.decode("price_fen"))
        }
    }

    /// The extras that are wanted, each of a session whose programme has it.
    static func extras(
        _ wanted: [WantedExtra], offered: [Offered], sessions: [BookableSession]
    ) throws -> [Booking.Extra] {
        guard wanted.count <= 50 else {
            throw Refusal(
                .invalid, "too-many-extras", field: "extras", zh: "附加项最多 50 个", en: "there are at most 50 extras")
        }
        var extras: [Booking.Extra] = []
        for (index, want) in wanted.enumerated() {
            let place = "extras[\(index)]"
            guard (1...100_000).contains(want.quantity) else {
                throw Refusal(
                    .invalid, "bad-quantity", field: "\(place).quantity", zh: "数量须在 1 到 100000 之间",
                    en: "the quantity must lie between 1 and 100,000")
            }
            guard let extra = offered.first(where: { $0.id == want.extra }),
                let session = sessions.first(where: {
                    $0.terms.programmeID == extra.programmeID && want.session ?? $0.id == $0.id
                })
            else {
                throw Refusal(
                    .invalid, "extra-not-offered", field: "\(place).extra", zh: "这些场次的课程没有附加项 \(want.extra)",
                    en: "no programme of these sessions has an extra \(want.extra)")
            }
            guard !extras.contains(where: { $0.extra == extra.id && $0.session == session.id }) else {
                throw Refusal(
                    .invalid, "extra-twice", field: "\(place).extra", zh: "“\(extra.name)”只能出现一次",
                    en: "“\(extra.name)” may be given once")
            }
            let amount = extra.kind == .picking ? 0 : extra.price.fen * Int64(want.quantity)
            extras.append(
                Booking.Extra(
                    session: session.id, extra: extra.id, kind: extra.kind, name: extra.name, quantity: want.quantity,
                    price: extra.price, amount: Money(fen: amount), sales: []))
        }
        return extras
    }

    static func rows(_ booking: Booking, _ scope: Scope) -> [NewRow] {
        booking.extras.compactMap { extra in
            booking.lines.first { $0.session == extra.session }.map {
                BookingRows.row(extra, of: booking, day: $0.day, scope)
            }
        }
    }
}
