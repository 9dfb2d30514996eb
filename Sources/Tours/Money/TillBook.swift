import Database
import Foundation
import Kernel
import Postgres
import Registers

/// The till's book: all money that came in for tours and went back, by its days.
public struct TillBook: Sendable {
    public struct Entry: Sendable {
        public let payment: BookingPayment
        public let booking: Int64
        public let unit: String

        public var place: Place { Place(day: payment.day, payment: payment.id) }
    }

    /// What came together on a day in one way.
    public struct Sum: Sendable {
        public let day: CivilDay
        public let paidHow: String
        /// Payments, less those that were reversed.
        public let received: Money
        /// Refunds, less those that were reversed.
        public let refunded: Money

        public var net: Money { Money(fen: received.fen - refunded.fen) }
    }

    /// Where an entry stands in the book.
    public struct Place: Sendable, CustomStringConvertible {
        let day: CivilDay
        let payment: Int64

        init(day: CivilDay, payment: Int64) {
            self.day = day
            self.payment = payment
        }

        /// Reads the description of one.
        public init?(_ text: String) {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, let day = CivilDay(iso: String(parts[0])), let payment = Int64(parts[1]) else {
                return nil
            }
            self.init(day: day, payment: payment)
        }

        public var description: String { "\(day).\(payment)" }
    }

    public let from: CivilDay
    public let to: CivilDay
    public let entries: [Entry]
    public let sums: [Sum]

    public var total: Money { sums.map(\.net).reduce(.zero, +) }

    /// One row an entry, its amount below zero where the money went out.
    public func csv(_ language: Language) -> [UInt8] {
        var writer = CSVWriter()
        writer.append(
            language == .chinese
                ? ["日期", "编号", "预约编号", "单位", "类别", "金额元", "方式", "撤销", "原因", "经手"]
                : ["day", "payment", "booking", "unit", "kind", "yuan", "paid by", "reverses", "reason", "actor"])
        for entry in entries {
            let payment = entry.payment
            writer.append([
                payment.day.description, "\(payment.id)", "\(entry.booking)", entry.unit, payment.kind.label[language],
                payment.signed.description, payment.paidHow, payment.reverses.map { "\($0)" } ?? "",
                payment.reason ?? "", payment.actor,
            ])
        }
        return writer.take()
    }
}

extension PaymentStore {
    /// The till's book from one day to another, both included: its entries in the order of their days, and what they
    /// come to by day and way of payment.
    /// - Parameters:
    ///   - how: only money that came or went in this way.
    ///   - after: the place of the entry before the first one wanted; the sums are of all.
    public static func book(
        _ database: Database, from: CivilDay, to: CivilDay, how: String? = nil, after: TillBook.Place? = nil,
        limit: Int = 50, _ scope: Scope
    ) async throws -> TillBook {
        try SessionStore.checkPeriod(from, to)
        let which: SQL = """
            p.village_id = \(scope.village) AND p.day BETWEEN \(from) AND \(to)
                AND (\(how)::text IS NULL OR p.paid_how = \(how))
            """
        return try await database.snapshot(scope) { transaction in
            let answers = try await transaction.query([
                """
                SELECT p.id, p.kind, p.amount_fen, p.paid_how, p.day, p.reverses, p.reason, p.actor, p.at,
                    p.booking_id, b.unit
                FROM tour_payment p JOIN tour_booking b ON b.village_id = p.village_id AND b.id = p.booking_id
                WHERE \(which) AND (\(after?.day) IS NULL OR (p.day, p.id) > (\(after?.day), \(after?.payment)::bigint))
                ORDER BY p.day, p.id LIMIT \(limit)
                """,
                """
                SELECT p.day, p.paid_how, coalesce(sum(CASE WHEN p.is_original THEN p.amount_fen ELSE -p.amount_fen END)
                        FILTER (WHERE p.kind = 'payment'), 0)::bigint AS received,
                    coalesce(sum(CASE WHEN p.is_original THEN p.amount_fen ELSE -p.amount_fen END)
                        FILTER (WHERE p.kind = 'refund'), 0)::bigint AS refunded
                FROM tour_payment p WHERE \(which) GROUP BY p.day, p.paid_how ORDER BY p.day, p.paid_how
                """,
            ])
            return TillBook(
                from: from, to: to,
                entries: try answers[0].map { row in
                    TillBook.Entry(
                        payment: try BookingPayment(row), booking: try row.decode("booking_id"),
                        unit: try row.decode("unit"))
                },
                sums: try answers[1].map { row in
                    TillBook.Sum(
                        day: try row.decode("day"), paidHow: try row.decode("paid_how"),
                        received: try row.decode("received"), refunded: try row.decode("refunded"))
                })
        }
    }
}
