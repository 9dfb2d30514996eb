import ArgumentParser
import Backend
import Documents
import Kernel
import Tours

extension BookingCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出预约，最新的在前。", "Lists bookings, newest first."),
            discussion: """
                taoyuan booking list --day 2025-09-14 --state confirmed
                taoyuan booking list --money due
                taoyuan booking list --phone 13812345678 --unconfirmed
                """)

        @OptionGroup var options: SharedOptions
        @Option(
            help: .words("只列这一天有场次的预约。", "Only those with a session on that day."),
            transform: reading(CivilDay.init(_:)))
        var day: CivilDay?
        @Option(
            help: .words("只列处于此状态的预约。", "Only those that stand there."))
        var state: BookingState?
        @Option(help: .words("单位、带队人、电话或预约号的一部分。", "A part of the unit, the leader, the phone or the reference."))
        var text: String?
        @Option(
            help: .words("只列这一天及以后有场次的预约。", "Only those with a session on that day or later."),
            transform: reading(CivilDay.init(_:)))
        var from: CivilDay?
        @Option(
            help: .words("只列这一天及以前有场次的预约。", "Only those with a session on that day or before."),
            transform: reading(CivilDay.init(_:)))
        var to: CivilDay?
        @Option(
            help: .words("只列款项是这样的预约。", "Only those whose money stands so."))
        var money: MoneyState?
        @Option(help: .words("只列这个电话的预约。", "Only those of this phone.")) var phone: String?
        @Option(help: .words("只列这个电子邮箱的预约。", "Only those of this e-mail address.")) var email: String?
        @Flag(help: .words("只列未确认也未付款的预约。", "Only what is neither confirmed nor paid.")) var unconfirmed = false
        @OptionGroup var page: PageOptions

        func run() async throws {
            let search = BookingStore.Search(
                day: day, state: state, text: text, from: from, to: to, money: money,
                contact: phone == nil && email == nil ? nil : try BookingContact(phone: phone, email: email),
                isUnconfirmed: unconfirmed)
            let found = try await options.withBackend { backend in
                try await page.first {
                    try await BookingStore(backend.database).list(backend.local.scope, search, limit: $0)
                }
            }
            try options.show(
                found, json: \.json,
                [
                    .right("预约", "booking"), .left("预约号", "reference"), .left("日期", "day"), .left("单位", "unit"),
                    .right("人数", "people"), .left("状态", "state"), .left("款项", "money"), .right("应收（元）", "charge"),
                    .right("已收（元）", "received"), .right("待退（元）", "to go back"), .left("电话", "phone"),
                ]
            ) { booking in
                [
                    "\(booking.id)", "\(booking.reference)", booking.lines.first?.day.description, booking.unit,
                    "\(booking.headcount)", booking.state.label[.ofThisRun], booking.money.label[.ofThisRun],
                    booking.charge.yuan, booking.netPaid.yuan, booking.refundOpen.yuan, booking.phone,
                ]
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("显示预约及其经过。", "Shows a booking and what happened to it."),
            discussion: "taoyuan booking show 17")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("预约编号或预约号。", "The booking's number or reference.")) var booking: String

        func run() async throws {
            let key = try BookingKey(entered: booking)
            let history = try await options.withBackend { backend in
                try await BookingStore(backend.database).show(key, backend.local.scope)
            }
            let events = Table(
                [
                    .left("时间", "at"), .left("经手", "by"), .left("状态", "state"), .left("事项", "what"),
                    .left("详情", "figures"),
                ],
                rows: history.events.map { event in
                    [
                        event.at.minute, Recorded.ofThisRun.actor(event.actor), event.state.label[.ofThisRun],
                        Recorded.ofThisRun.event(event.what), Recorded.ofThisRun.figures(event.figures, day: event.day),
                    ]
                }
            ).text
            let money = history.moneyTable.map { $0.text + "\n" } ?? ""
            let gate = history.checkIns.isEmpty ? "" : "\n" + Self.checkIns(history.checkIns)
            try options.show(history.json, history.booking.text + "\n" + money + events + gate)
        }

        private static func checkIns(_ checkIns: [GateCheckIn]) -> String {
            Table(
                [
                    .right("签到", "check-in"), .left("时刻", "at"), .right("场次", "session"), .right("人数", "people"),
                    .left("经手", "by"), .left("备注", "remark"),
                ],
                rows: checkIns.map { one in
                    [
                        "\(one.id)", one.at.minute, "\(one.session)", "\(one.headcount)",
                        Recorded.ofThisRun.actor(one.actor),
                        one.undone.map { words("已撤销：", "taken back: ") + $0.reason }
                            ?? (one.counts ? "" : words("没有计入", "not counted")),
                    ]
                }
            ).text
        }
    }
}

extension Booking {
    var json: JSON {
        let head: [(String, JSON)] = [
            ("booking", JSON(id)), ("reference", .string("\(reference)")), ("unit", .string(unit)),
            ("unitKind", .string(unitKind.rawValue)), ("headcount", JSON(headcount)), ("leader", .string(leader)),
            ("phone", .string(phone)), ("email", JSON(email)), ("language", .string(language)), ("note", JSON(note)),
            ("state", .string(state.rawValue)), ("version", JSON(version)), ("holdUntil", JSON(lapsesAt)),
            ("waitingSince", JSON(waitingSince)), ("arrived", arrived.map { JSON($0) } ?? .null),
        ]
        let money: [(String, JSON)] = [
            ("fee", JSON(fee)), ("adjusted", JSON(adjusted)), ("kept", JSON(kept)), ("charge", JSON(charge)),
            ("paid", JSON(paid)), ("open", JSON(open)), ("tooMuch", JSON(tooMuch)), ("refundDue", JSON(refundDue)),
            ("refunded", JSON(refunded)), ("money", .string(money.rawValue)), ("payment", .string(payment.rawValue)),
            ("refund", .string(refund.rawValue)),
            ("requestedAt", JSON(requestedAt)), ("actor", .string(actor)),
            ("sessions", .array(lines.map(\.json))), ("extras", .array(extras.map(\.json))),
        ]
        return .object((head + money).map { JSON.Member($0.0, $0.1) })
    }

    /// What has come in, and what is open on either side.
    private var paymentText: String {
        var text = "\(payment.label[.ofThisRun]) \(netPaid.yuan)"
        // What is to go back is told as that.
        if tooMuch > refundOpen { text += words("，多收 \(tooMuch.yuan)", ", \(tooMuch.yuan) too much") }
        if open.fen > 0 { text += words("，还差 \(open.yuan)", ", \(open.yuan) to be paid") }
        return text
    }

    /// What of the money that is to go back has gone already.
    private var refundedText: String {
        guard refunded.fen > 0, refunded < refundDue else { return "" }
        return words("，其中已退 \(refunded.yuan)", ", of which \(refunded.yuan) went back")
    }

    var text: String {
        var facts: [(name: String, value: String?)] = [
            (words("预约", "booking"), "\(id)"), (words("预约号", "reference"), "\(reference)"),
            (words("状态", "state"), state.label[.ofThisRun] + (isVoid ? words("（作废）", " (void)") : "")),
            (words("保留到", "kept until"), lapsesAt?.minute),
            (words("单位", "unit"), "\(unit) (\(unitKind.label[.ofThisRun]))"), (words("人数", "people"), "\(headcount)"),
            (words("实到", "arrived"), arrived.map(String.init)), (words("带队人", "leader"), "\(leader) \(phone)"),
            (words("邮箱", "e-mail"), email), (words("备注", "note"), note),
        ]
        for line in lines {
            facts.append(
                (
                    words("场次", "session") + " \(line.session)",
                    "\(line.startsAt.minute) \(line.programme) · \(line.site)"
                ))
        }
        for extra in extras {
            let numbers = extra.sales.map(String.init).joined(separator: "、")
            let sale = extra.sales.isEmpty ? "" : words("，销售 \(numbers)", ", sale \(numbers)")
            facts.append((extra.name, "\(extra.quantity) \(extra.kind.unit[.ofThisRun])" + sale))
        }
        facts += [
            (words("费用", "fee"), fee.yuan),
            (
                words("调整", "adjusted"),
                adjusted.fen == 0
                    ? nil : words("\(adjusted.yuan)，共 \(agreed.yuan)", "\(adjusted.yuan), to \(agreed.yuan)")
            ), (words("付款", "payment"), paymentText),
            (words("收取", "kept"), kept.fen > 0 ? kept.yuan : nil),
            (
                words("退款", "refund"),
                refundDue.fen > 0 ? "\(refund.label[.ofThisRun]) \(refundDue.yuan)" + refundedText : nil
            ), (words("版本", "version"), "\(version)"),
        ]
        return Table(facts: facts).text
    }
}

extension Booking.Line {
    fileprivate var json: JSON {
        [
            "session": .integer(session), "day": JSON(day), "startsAt": JSON(startsAt), "endsAt": JSON(endsAt),
            "site": .string(site), "programme": .string(programme), "headcount": JSON(headcount), "price": JSON(price),
            "amount": JSON(amount), "kept": JSON(kept), "arrived": arrived.map { JSON($0) } ?? .null,
            "terms": [
                "minutes": JSON(terms.minutes), "holdMinutes": JSON(terms.holdMinutes),
                "changeHours": JSON(terms.changeHours), "freeCancelHours": JSON(terms.freeCancelHours),
                "lateFeePercent": JSON(terms.lateFeePercent), "noShowFeePercent": JSON(terms.noShowFeePercent),
            ],
        ]
    }
}

extension Booking.Extra {
    fileprivate var json: JSON {
        [
            "session": .integer(session), "extra": JSON(extra), "kind": .string(kind.rawValue), "name": .string(name),
            "quantity": JSON(quantity), "price": JSON(price), "amount": JSON(amount),
            "sale": sales.first.map { .integer($0) } ?? .null, "sales": .array(sales.map { .integer($0) }),
        ]
    }
}

extension BookingHistory {
    fileprivate var json: JSON {
        [
            "booking": booking.json,
            "events": .array(
                events.map { event in
                    [
                        "at": JSON(event.at), "actor": .string(event.actor), "state": .string(event.state.rawValue),
                        "what": .string(event.what), "day": JSON(event.day),
                        "figures": Recorded.object(event.figures),
                    ]
                }),
            "payments": .array(payments.map { .object($0.members) }),
            "adjustments": .array(
                adjustments.map { adjustment in
                    [
                        "adjustment": .integer(adjustment.id), "amount": JSON(adjustment.amount),
                        "touches": .string(adjustment.isOfKept ? "kept" : "fee"),
                        "reason": .string(adjustment.reason), "day": JSON(adjustment.day),
                        "actor": .string(adjustment.actor), "at": JSON(adjustment.at),
                    ]
                }),
            "checkIns": .array(checkIns.map(\.json)), "conflicts": .array(conflicts.map(\.json)),
        ]
    }
}
