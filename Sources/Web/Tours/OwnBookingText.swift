import Foundation
import Kernel
import Tours

/// What the page of one's own booking says, and those on which it is looked up.
extension BookingText {
    /// The booking as it stands, for whoever made it.
    /// - Parameters:
    ///   - typed: what the form held that was refused, or that asks once more.
    ///   - refusal: why it was refused.
    ///   - others: the sessions that it could go to instead.
    func booking(
        _ booking: Booking, _ typed: [String: String], _ refusal: Refusal?, others: [BookingOffer], now: Date
    ) -> [String: Any] {
        var facts: [(String, String)] = [
            (say("单位", "Unit"), booking.unit), (say("人数", "People"), "\(booking.headcount)"),
            (say("带队人", "Leader"), booking.leader),
        ]
        for extra in booking.extras { facts.append((extra.name, "\(extra.quantity) \(extra.kind.unit[language])")) }
        let cameToNothing = booking.state == .cancelled || booking.state == .noShow
        facts.append(
            (
                cameToNothing ? say("原定费用", "Fee as booked") : say("费用", "Fee"),
                booking.agreed.fen == 0 ? say("免费", "free") : yuan(booking.agreed)
            ))
        if cameToNothing {
            let kept = booking.kept.fen == 0 ? say("不收费用", "nothing") : yuan(booking.kept)
            facts.append((say("收取费用", "Kept"), kept))
        }
        if booking.paid.fen > 0 { facts.append((say("已付", "Paid"), yuan(booking.paid))) }
        if booking.open.fen > 0, booking.netPaid.fen > 0 || cameToNothing {
            facts.append((say("还要付", "Still to pay"), yuan(booking.open)))
        }
        if booking.refunded.fen > 0 { facts.append((say("已退", "Refunded"), yuan(booking.refunded))) }
        if booking.refundOpen.fen > 0 { facts.append((say("应退", "To be refunded"), yuan(booking.refundOpen))) }
        var values: [String: Any] = [
            "title": say("我的预约", "My booking"), "tone": Self.tone(booking.state),
            "visits": booking.lines.map { line in
                let value: [String: Any] = [
                    "programme": line.programme,
                    "parts": [name(of: line.day), TimeOfDay.hours(line.startsAt, line.endsAt), line.site],
                ]
                return value
            },
            "state": booking.state.label[language].prefix(1).uppercased() + booking.state.label[language].dropFirst(),
            "explanation": explanation(booking), "reference": "\(booking.reference)",
            "advice": booking.state.isOpen
                ? say(
                    "请记下这个预约号：查询、更改和取消都要用它和电话。",
                    "Keep this reference: with it and your phone you look up, change or cancel the booking.")
                : say("凭这个预约号和电话可以再来查看。", "With this reference and your phone you can look at it again."),
            "facts": facts.map { ["name": $0.0, "value": $0.1] }, "backLabel": backLabel,
            "own": ["reference": "\(booking.reference)", "phone": booking.phone],
        ]
        let isOpen = booking.state.isOpen
        let field = refusal.flatMap { BookingForm.changeField(of: $0) }
        let mayChange = BookingRules.mayChange(booking, now: now)
        // The field of the session is there only when there are others to choose from.
        let wrong = mayChange && (field != "session" || !others.isEmpty) ? field : nil
        if mayChange { values["change"] = change(booking, typed, wrong, refusal, others) }
        if let refusal, wrong == nil { values["trouble"] = words(of: refusal) }
        if [.confirmed, .arrived].contains(booking.state) {
            values["ticket"] = [
                "heading": say("入场凭证", "Ticket"),
                "explanation": say("到达时在入口出示，可以打印，也可以存在手机里。", "Show it at the gate, on paper or on your phone."),
                "reference": "\(booking.reference)", "phone": booking.phone, "label": say("打开凭证", "Open the ticket"),
            ]
        }
        if isOpen && booking.startsAt > now {
            let kept = BookingRules.keptIfCancelled(booking, now: now)
            let isAsked = typed["act"] == BookingForm.askToCancel
            values["cancel"] = [
                "heading": isAsked ? say("确定要取消吗？", "Cancel it for good?") : say("不来了？", "Not coming?"),
                "explanation":
                    (kept.fen == 0
                    ? say("现在取消不收费用。", "Cancelling now costs nothing.")
                    : say("现在取消要收 \(yuan(kept))。", "Cancelling now costs \(yuan(kept))."))
                    + back(Money(fen: max(0, booking.netPaid.fen - kept.fen)), of: booking),
                "reference": "\(booking.reference)", "phone": booking.phone, "version": "\(booking.version)",
                "act": isAsked ? BookingForm.cancel : BookingForm.askToCancel, "anchor": isAsked ? "" : "#cancel",
                "label": isAsked ? say("确定取消", "Yes, cancel it") : say("取消这个预约", "Cancel this booking"),
            ]
        }
        return values
    }

    private func change(
        _ booking: Booking, _ typed: [String: String], _ wrong: String?, _ refusal: Refusal?, _ others: [BookingOffer]
    ) -> [String: Any] {
        let sessions = booking.lines.map { "\($0.session)" }
        let isTwin = refusal?.code == BookingRules.bookedAlreadyCode
        let form = FormFields(
            typed: ["headcount": "\(booking.headcount)", "session": sessions.first ?? ""]
                .merging(wrong == nil && !isTwin ? [:] : typed) { $1 },
            wrong: wrong, message: refusal?.message.sentence(in: language))
        var fields = [form.input("headcount", say("人数", "Number of people"), max: 6, isNumber: true)]
        if !others.isEmpty, let line = booking.lines.first {
            let here = "\(name(of: line.day)) \(TimeOfDay(of: line.startsAt))"
            fields.append(
                form.select(
                    "session", say("场次", "Session"),
                    [("\(line.session)", here)]
                        + others.map { offer in
                            let time = "\(name(of: offer.day)) \(TimeOfDay(of: offer.startsAt))"
                            return ("\(offer.session)", say("\(time)（\(seats(offer))）", "\(time) (\(seats(offer)))"))
                        }))
        }
        let end = BookingRules.changeEnd(booking)
        let until = "\(name(of: CivilDay(of: end))) \(TimeOfDay(of: end))"
        var values: [String: Any] = [
            "heading": others.isEmpty
                ? say("人数有变？", "More people, or fewer?") : say("人数有变，或要改期？", "A change of plans?"),
            "explanation": say("\(until) 以前可以自己更改，费用随人数变。", "You can change it until \(until); the fee follows."),
            "reference": "\(booking.reference)", "phone": booking.phone, "version": "\(booking.version)",
            "fields": fields, "label": say("更改预约", "Change the booking"),
        ]
        if isTwin { values["againLabel"] = say("仍要改到这一场", "Change to this session all the same") }
        return values
    }

    func lookup(_ typed: [String: String], _ refusal: Refusal?) -> [String: Any] {
        lookup(
            typed, refusal, action: "/tours/booking", heading: say("我的预约", "My booking"),
            explanation: say(
                "凭预约号和电话查询、更改或取消。", "Look it up, change it or cancel it with its reference and your phone."),
            label: say("查询", "Look up"))
    }

    func ticketLookup(_ typed: [String: String], _ refusal: Refusal?) -> [String: Any] {
        lookup(
            typed, refusal, action: "/tours/ticket", heading: say("研学凭证", "Tour ticket"),
            explanation: say(
                "预约确认后，凭预约号和预约时留的电话打开凭证。",
                "Once your booking is confirmed, open its ticket with the reference and your phone."),
            label: say("打开凭证", "Open the ticket"))
    }

    private func lookup(
        _ typed: [String: String], _ refusal: Refusal?, action: String, heading: String, explanation: String,
        label: String
    ) -> [String: Any] {
        let isUnknown = refusal?.kind == .notFound
        let form = FormFields(
            typed: typed, wrong: isUnknown ? "reference" : nil, message: refusal?.message.sentence(in: language))
        var values: [String: Any] = [
            "action": action, "heading": heading, "explanation": explanation, "label": label,
            "fields": [
                form.input(
                    "reference", say("预约号", "Reference"), max: 40,
                    hint: say("如 ABCD-EFGH-IJKL", "Such as ABCD-EFGH-IJKL")),
                form.input(
                    "phone", say("联系电话", "Phone"), type: "tel", max: 40, autocomplete: "tel",
                    hint: say("预约时留的电话", "The one that you gave when you booked")),
            ],
        ]
        if let refusal, !isUnknown { values["general"] = refusal.message.sentence(in: language) }
        return ["title": heading, "backLabel": backLabel, "lookup": values]
    }

    private static func tone(_ state: BookingState) -> String {
        switch state {
        case .confirmed, .arrived, .completed: "good"
        case .requested, .held, .waitlisted: "calm"
        case .expired, .cancelled, .noShow: "warn"
        }
    }

    /// What a refusal says beside the form, where nothing else is at hand but the form.
    private func words(of refusal: Refusal) -> String {
        guard refusal.code == BookingRules.bookedAlreadyCode else { return refusal.message.sentence(in: language) }
        return say(
            "这个电话已经预约了这一场。确实要改到这一场，请勾选下面的选项。",
            "This phone has a booking of that session already. If you want to change to it, tick the box below.")
    }

    private func explanation(_ booking: Booking) -> String {
        standing(booking)
            + (booking.isUpset && booking.state.isOpen
                ? say(
                    "我们改动了您预约的场次，请核对时间；如不合适，可以取消，不收费用。",
                    " We had to change the sessions that you booked: please look at the times. If they do not suit you, "
                        + "cancelling costs nothing.") : "")
    }

    private func standing(_ booking: Booking) -> String {
        let until =
            booking.lapsesAt.map { end in
                let moment = "\(name(of: CivilDay(of: end))) \(TimeOfDay(of: end))"
                return say("到 \(moment)", " until \(moment)")
            } ?? ""
        return switch booking.state {
        case .requested:
            say("名额为您保留\(until)，请等接待处确认。", "Your seats are kept\(until); the tour desk will confirm.")
        case .held: say("名额为您保留\(until)，请与接待处确认。", "Your seats are kept\(until); please confirm with us.")
        case .confirmed: say("预约已确认，期待您来。", "Your booking is confirmed; we look forward to seeing you.")
        case .waitlisted: say("目前没有名额，一有空出就为您保留。", "There are no seats yet; we keep some for you when they come free.")
        case .arrived, .completed: say("感谢您的到访。", "Thank you for your visit.")
        case .expired where booking.waitedInVain:
            say("没有空出名额，候补已结束。", "No seats became free; the waiting is over.")
        case .expired: say("保留时间已过，名额已让出。", "The time for which seats were kept has passed.")
        case .cancelled:
            say("这个预约已取消。", "This booking is cancelled.") + back(booking.refundOpen, of: booking)
        case .noShow: say("当天没有到场。", "Nobody came on the day.") + back(booking.refundOpen, of: booking)
        }
    }

    /// How much comes back; nothing where nothing was paid.
    private func back(_ amount: Money, of booking: Booking) -> String {
        if amount.fen > 0 {
            return say("已付的款将退还 \(yuan(amount))。", " \(yuan(amount)) of what you paid come back.")
        }
        return booking.netPaid.fen > 0 && booking.refunded.fen == 0
            ? say("已付的款不退。", " Nothing of what you paid comes back.") : ""
    }
}
