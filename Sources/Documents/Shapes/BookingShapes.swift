import Foundation
import Kernel
import Tours

/// How bookings look outside.
extension Shapes {
    /// As the desk sees it.
    public static let booking = Shape<Booking>(
        "Booking",
        [.init("booking", "预约", "booking", .booking, \.id.value), .init("actor", .actor, \.actor)]
            + ownMembers + readings,
        list: [
            "booking", "reference", "day", "unit", "headcount", "state", "money", "charge", "received", "goingBack",
            "phone",
        ], blank: "—",
        facts: [
            "booking", "reference", "standing", "holdUntil", "group", "headcount", "arrived", "contact", "email",
            "note", "visits", "wanted", "fee", "adjustment", "moneyPaid", "feeKept", "moneyBack", "version",
        ])

    /// As whoever booked sees it.
    public static let ownBooking = Shape<Booking>("OwnBooking", ownMembers)

    private static let ownMembers: [Shape<Booking>.Member] =
        [
            .init(
                "reference", "预约号", "reference", .reference,
                note: "With the phone it opens the booking: ABCD-EFGH-IJKL", \.reference),
            .init("unit", "单位", "unit", .text(), \.unit), .init("unitKind", .word, \.unitKind),
            .init("headcount", "人数", "people", .people, \.headcount),
            .init("leader", "带队人", "leader", .text(), \.leader), .init("phone", "电话", "phone", .text(), \.phone),
            .init("email", "邮箱", "e-mail", optional: .text(), \.email), .init("language", .text(2...2), \.language),
            .init("note", "备注", "note", optional: .text(1...1000, .lines), \.note),
            .init("state", "状态", "state", .word, \.state),
            .init("version", "版本", "version", .count(1...Int64(Int32.max)), note: "Counts its changes", \.version),
            .init(
                "holdUntil", "保留到", "kept until", optional: .instant,
                note: "Until when its seats are kept, unless they were paid for", \.lapsesAt),
            .init("waitingSince", optional: .instant, \.waitingSince),
            .init("arrived", "实到", "arrived", optional: .count(0...10_000), \.arrived),
        ] + moneyMembers + [
            .init("requestedAt", .instant, \.requestedAt), .init("sessions", .list(of: .object(line)), \.lines),
            .init("extras", .list(of: .object(extra)), \.extras),
        ]

    private static let moneyMembers: [Shape<Booking>.Member] = [
        .init("fee", "费用", "fee", .money(), note: "Heads and extras as booked", \.fee),
        .init("adjusted", .adjustment, note: "What the fee was changed by since", \.adjusted),
        .init("kept", .money(), \.kept),
        .init("charge", "应收（元）", "charge", .money(), note: "What it comes to as it stands", \.charge),
        .init("paid", .money(), \.paid),
        .init("open", "待收（元）", "to be paid", .money(), note: "Still to be paid", \.open),
        .init("tooMuch", .money(), note: "Paid beyond what it comes to", \.tooMuch),
        .init("refundDue", .money(), note: "What was decided to go back in all", \.refundDue),
        .init("refunded", .money(), \.refunded),
        .init("money", "款项", "money", .word, \.money), .init("payment", .word, \.payment),
        .init("refund", .word, \.refund),
    ]

    private static let readings: [Shape<Booking>.Member] = [
        .reading("day", "日期", "day") { booking, _ in booking.lines.first?.day.description },
        .reading("received", "已收（元）", "received", alignsRight: true) { booking, _ in booking.netPaid.yuan },
        .reading("goingBack", "待退（元）", "to go back", alignsRight: true) { booking, _ in booking.refundOpen.yuan },
        .reading("standing", "状态", "state") { booking, language in
            booking.state.label[language] + (booking.isVoid ? Bilingual(zh: "（作废）", en: " (void)")[language] : "")
        },
        .reading("group", "单位", "unit") { "\($0.unit) (\($0.unitKind.label[$1]))" },
        .reading("contact", "带队人", "leader") { booking, _ in "\(booking.leader) \(booking.phone)" },
        .each("visits", of: \.lines) { line, language in
            (
                Bilingual(zh: "场次", en: "session")[language] + " \(line.session)",
                "\(line.startsAt.minute) \(line.programme) · \(line.site)"
            )
        },
        .each("wanted", of: \.extras) { ($0.name, $0.quantity(in: $1)) },
        .reading("adjustment", "调整", "adjusted") { booking, language in
            booking.adjusted == .zero
                ? nil
                : Bilingual(
                    zh: "\(booking.adjusted.yuan)，共 \(booking.agreed.yuan)",
                    en: "\(booking.adjusted.yuan), to \(booking.agreed.yuan)")[language]
        },
        .reading("moneyPaid", "付款", "payment") { $0.told(paidIn: $1) },
        .reading("feeKept", "收取", "kept") { booking, _ in booking.kept == .zero ? nil : booking.kept.yuan },
        .reading("moneyBack", "退款", "refund") { $0.told(backIn: $1) },
    ]

    private static let line = Shape<Booking.Line>(
        "BookedSession",
        [
            .init("session", .number(), \.session), .init("day", .day, \.day),
            .init("startsAt", .instant, \.startsAt), .init("endsAt", .instant, \.endsAt),
            .init("site", .text(), \.site), .init("programme", .text(), \.programme),
            .init("headcount", .people, \.headcount), .init("price", .money(), note: "A head", \.price),
            .init("amount", .money(), \.amount),
            .init("kept", .money(), note: "Of the fee, because nobody came", \.kept),
            .init("arrived", optional: .count(0...10_000), \.arrived),
            .init(
                "terms", .object(terms),
                note: "Under which it was booked, whatever its programme asks by now", \.terms),
        ])

    private static let terms = Shape<BookingTerms>(
        "BookedTerms",
        [
            .init("minutes", .count(1...1440), \.minutes), .init("holdMinutes", .count(5...43_200), \.holdMinutes),
            .init("changeHours", .count(0...8760), \.changeHours),
            .init("freeCancelHours", .count(0...8760), \.freeCancelHours),
            .init("lateFeePercent", .count(0...100), \.lateFeePercent),
            .init("noShowFeePercent", .count(0...100), \.noShowFeePercent),
        ])

    private static let extra = Shape<Booking.Extra>(
        "BookedExtra",
        [
            .init("session", .number(), \.session), .init("extra", .count(1...Int64(Int32.max)), \.extra),
            .init("kind", .word, \.kind), .init("name", .text(), \.name),
            .init("quantity", .count(1...100_000), note: "Heads, pieces, or 斤", \.quantity),
            .init("price", .money(), \.price),
            .init("amount", .money(), note: "Its part of the fee; nothing for picking", \.amount),
            .init("sale", optional: .number(), note: "The first sale of what was picked", \.sales.first),
            .init(
                "sales", .list(of: .number()),
                note: "The sales of what was picked, one for each cooperative", \.sales),
        ])

    /// One thing that the desk has to see to.
    public static let bookingTask = Shape<BookingTask>(
        "BookingTask",
        // Of two members of one name a list takes the first: the booking's number.
        booking.members(of: \.booking, forReading: true) + [
            .init(
                "task", "事项", "task",
                Look(.enumeration(BookingTask.Kind.allCases.map(\.name)), json: { .string($0.name) }) { $0.label[$1] },
                \.kind),
            .init("booking", "预约", "booking", .object(booking), \.booking),
            .reading("dueBack", "应退（元）", "to go back", alignsRight: true) { task, _ in
                max(task.booking.refundOpen, task.booking.tooMuch).yuan
            },
        ], list: ["task", "booking", "day", "unit", "headcount", "state", "holdUntil", "open", "dueBack", "phone"],
        blank: "—")

    /// A session that was moved or cancelled with its bookings.
    public static let upsetSession = Shape<UpsetSession>(
        "UpsetSession",
        [
            .init("session", .object(tourSession), \.session),
            .init(
                "bookings", .list(of: .object(booking), 0...10_000), note: "Its bookings as they stand now", \.bookings),
        ])

    public static let upsetBooking = Shape<Booking>(
        nil,
        booking.members + [
            .reading("due", "应退（元）", "to go back", alignsRight: true) { booking, _ in booking.refundOpen.yuan }
        ], list: ["booking", "reference", "unit", "headcount", "state", "due", "leader", "phone"])

    public static let bookingEvent = Shape<BookingEvent>(
        nil,
        [
            .init("at", "时间", "at", .instant, \.at), .init("actor", "经手", "by", .actor, \.actor),
            .init("state", "状态", "state", .word, \.state),
            .init(
                "what", "事项", "what", Look(.string(), json: JSON.string) { Recorded($1).event($0) }, \.what),
            .init("day", optional: .day, note: "For which it was entered, where it has one", \.day),
            .init("figures", .figures, note: "Such as people, fen, reason", \.figures),
            .reading("told", "详情", "figures") { Recorded($1).figures($0.figures, day: $0.day) },
        ], list: ["at", "actor", "state", "what", "told"])

    /// A booking and what happened to it.
    public static let bookingHistory = Shape<BookingHistory>(
        nil,
        [
            .init("booking", .object(booking), \.booking), .init("events", .list(of: .object(bookingEvent)), \.events),
            .init("payments", .list(of: .object(payment)), \.payments),
            .init("adjustments", .list(of: .object(adjustment)), \.adjustments),
            .init("checkIns", .list(of: .object(gateCheckIn)), \.checkIns),
            .init("conflicts", .list(of: .object(gateConflict)), \.conflicts),
        ])
}

extension Look where Value == BookingReference {
    static var reference: Self { Look(.string(14...14), json: { .string("\($0)") }) { reference, _ in "\(reference)" } }
}

extension Look where Value == Int64 {
    /// A booking's number.
    public static var booking: Self { .number(1...4_294_967_295) }
}

extension Look where Value == Int {
    /// Of one group.
    static var people: Self { .count(1...10_000) }
}

extension Booking {
    /// What has come in, and what is open on either side.
    fileprivate func told(paidIn language: Language) -> String {
        var text = "\(payment.label[language]) \(netPaid.yuan)"
        // What is to go back is told as that.
        if tooMuch > refundOpen {
            text += Bilingual(zh: "，多收 \(tooMuch.yuan)", en: ", \(tooMuch.yuan) too much")[language]
        }
        if open != .zero { text += Bilingual(zh: "，还差 \(open.yuan)", en: ", \(open.yuan) to be paid")[language] }
        return text
    }

    /// What is to go back, and what of it has gone already; nil where nothing is.
    fileprivate func told(backIn language: Language) -> String? {
        guard refundDue != .zero else { return nil }
        let gone =
            refunded != .zero && refunded < refundDue
            ? Bilingual(zh: "，其中已退 \(refunded.yuan)", en: ", of which \(refunded.yuan) went back")[language] : ""
        return "\(refund.label[language]) \(refundDue.yuan)" + gone
    }
}

extension Booking.Extra {
    fileprivate func quantity(in language: Language) -> String {
        let numbers = sales.map(String.init).joined(separator: "、")
        return "\(quantity) \(kind.unit[language])"
            + (sales.isEmpty ? "" : Bilingual(zh: "，销售 \(numbers)", en: ", sale \(numbers)")[language])
    }
}
