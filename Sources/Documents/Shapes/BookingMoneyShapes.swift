import Foundation
import Kernel
import Tours

/// How the money of bookings looks outside.
extension Shapes {
    public static let payment = Shape<BookingPayment>(
        nil,
        [
            .init("payment", "编号", "payment", .number(), note: "Its number", \.id),
            .init("kind", .word, \.kind), .init("amount", .money(), \.amount),
            .init("paidHow", "方式", "by", .text(), \.paidHow), .init("day", "日期", "day", .day, \.day),
            .init(
                "reverses", optional: .number(), note: "The payment or refund that it takes back",
                \.reverses),
            .init("reason", optional: .text(), \.reason),
            .init("actor", "经手", "actor", .actor, \.actor), .init("at", .instant, \.at),
            .reading("what", "类别", "kind") { $0.what[$1] },
            .reading("signed", "金额（元）", "yuan", alignsRight: true) { payment, _ in payment.signed.yuan },
        ])

    static let adjustment = Shape<BookingAdjustment>(
        nil,
        [
            .init("adjustment", .number(), \.id), .init("amount", .adjustment, \.amount),
            .init("touches", .oneOf("fee", "kept")) { $0.isOfKept ? "kept" : "fee" },
            .init("reason", .text(), \.reason), .init("day", .day, \.day),
            .init("actor", .actor, \.actor), .init("at", .instant, \.at),
        ])

    /// A booking's payments, refunds and adjustments, as people list them.
    public static let bookedMoney = Shape<BookedMoney>(
        nil,
        [
            .init("day", "日期", "day", .day, \.day), .reading("kind", "类别", "kind") { $0.kind[$1] },
            .init("number", "编号", "number", .number(), \.number),
            .init("amount", "金额（元）", "yuan", .adjustment, \.amount),
            .reading("detail", "说明", "detail") { $0.detail.joined(separator: Bilingual(zh: "，", en: ", ")[$1]) },
            .init("actor", "经手", "by", .actor, \.actor),
        ], list: ["day", "kind", "number", "amount", "detail", "actor"])

    public struct BookedMoney: Sendable {
        let day: CivilDay
        let kind: Bilingual
        let number: Int64
        let amount: Money
        let detail: [String]
        let actor: String
        fileprivate let at: Date
    }

    /// A line of the till's book.
    public static let tillEntry = Shape<TillBook.Entry>(
        nil,
        [
            .init("booking", "预约", "booking", .booking, \.booking), .init("unit", "单位", "unit", .text(), \.unit),
        ] + payment.members(of: \.payment),
        list: ["day", "payment", "booking", "unit", "what", "signed", "paidHow", "actor"])

    public static let tillSum = Shape<TillBook.Sum>(
        nil,
        [
            .init("day", "日期", "day", .day, \.day), .init("paidHow", "方式", "by", .text(), \.paidHow),
            .init("received", "收款（元）", "received", .sum, \.received),
            .init("refunded", "退款（元）", "refunded", .sum, \.refunded), .init("net", "合计（元）", "together", .sum, \.net),
        ], list: ["day", "paidHow", "received", "refunded", "net"])

    public static let tillSums = Shape<TillBook>(
        "TillSums",
        [
            .init("from", .day, \.from), .init("to", .day, \.to),
            .init("sums", .list(of: .object(tillSum), 0...1_000_000), \.sums), .init("total", .sum, \.total),
        ])
}

extension BookingPayment {
    /// What it is, such as `payment` or `reversal of 31`.
    fileprivate var what: Bilingual {
        reverses.map { Bilingual(zh: "撤销 \($0)", en: "reversal of \($0)") } ?? kind.label
    }
}

extension BookingHistory {
    /// Its payments, refunds and adjustments, in the order of their entry.
    public var money: [Shapes.BookedMoney] {
        let paid = payments.map { payment in
            Shapes.BookedMoney(
                day: payment.day, kind: payment.what, number: payment.id, amount: payment.signed,
                detail: [payment.paidHow, payment.reason].compactMap(\.self), actor: payment.actor, at: payment.at)
        }
        let adjusted = adjustments.map { adjustment in
            Shapes.BookedMoney(
                day: adjustment.day, kind: Bilingual(zh: "调整", en: "adjustment"), number: adjustment.id,
                amount: adjustment.amount, detail: [adjustment.reason], actor: adjustment.actor, at: adjustment.at)
        }
        return (paid + adjusted).sorted { $0.at < $1.at }
    }
}
