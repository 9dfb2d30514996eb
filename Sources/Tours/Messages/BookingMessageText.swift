import Foundation
import Kernel
import Messages
import Signing

/// A booking's message in words.
struct BookingMessageText {
    let kind: MessageKind
    let booking: BookingMessage
    let language: Language
    let brand: String
    let origin: Origin
    let today: CivilDay

    init(
        _ kind: MessageKind, _ booking: BookingMessage, language: Language, brand: String, origin: Origin,
        today: CivilDay
    ) {
        self.kind = kind
        self.booking = booking
        self.language = language
        self.brand = MessageText.plain(brand)
        self.origin = origin
        self.today = today
    }

    var text: MessageText {
        let (subject, sentence) = said
        var lines = [sentence[language], ""]
        lines += booking.sessions.map { session in
            "\(session.day) \(TimeOfDay.hours(session.startsAt, session.endsAt)) "
                + "\(MessageText.plain(session.site)) · \(MessageText.plain(session.programme))"
        }
        let unit = MessageText.plain(booking.unit)
        lines += [
            "",
            say(
                "预约号 \(booking.reference) · \(unit) · \(booking.headcount) 人",
                "Reference \(booking.reference) · \(unit) · \(booking.headcount) people"),
        ]
        var links = ["booking": address("booking")]
        if isOpen {
            lines.append(
                say("查询、更改或取消（需预约时的电话）：", "To see, change or cancel it, with the phone that you booked with:"))
        } else {
            lines.append(say("查询这个预约（需预约时的电话）：", "To see this booking, with the phone that you booked with:"))
        }
        lines.append(address("booking"))
        if isConfirmed {
            links["ticket"] = address("ticket")
            lines += [say("入场凭证：", "Your ticket:"), address("ticket")]
        }
        if kind == .expired || kind == .noSeats {
            let sessions = origin.url(payload: "tours")
            links["sessions"] = sessions
            lines += [say("其他场次：", "Other sessions:"), sessions]
        }
        return MessageText(
            subject: brand + say("研学：", " tours: ") + subject[language], body: lines.joined(separator: "\n") + "\n",
            links: links)
    }

    /// The page that asks for the phone and then shows the booking or its ticket. The reference alone opens neither.
    private func address(_ page: String) -> String {
        origin.url(payload: "tours/\(page)?reference=\(booking.reference)") + (language == .english ? "&lang=en" : "")
    }

    private var isOpen: Bool { [.requested, .waitlisted, .held, .confirmed, .changed, .reminder].contains(kind) }

    private var isConfirmed: Bool {
        kind == .confirmed || kind == .reminder || kind == .changed && booking.state == BookingState.confirmed.rawValue
    }

    /// To one of its sessions.
    private var hasCome: Bool { booking.state == BookingState.arrived.rawValue }

    private func say(_ zh: String, _ en: String) -> String { language == .chinese ? zh : en }

    private var said: (subject: Bilingual, sentence: Bilingual) {
        switch kind {
        case .requested:
            return (
                Bilingual(zh: "已收到预约", en: "request received"),
                Bilingual(
                    zh: "我们已收到您的预约，名额\(kept.zh)，确认后会再通知您。",
                    en: "We have your request; its seats are \(kept.en). You hear from us when it is "
                        + "confirmed.")
            )
        case .waitlisted:
            return (
                Bilingual(zh: "已列入候补", en: "on the waiting list"),
                Bilingual(
                    zh: "这一场暂时没有名额，您已列入候补，有名额时会通知您。",
                    en: "There are no seats at the moment. You are on the waiting list, and hear from us when there "
                        + "are.")
            )
        case .held:
            return (
                Bilingual(zh: "名额已为您保留", en: "seats are kept for you"),
                Bilingual(
                    zh: "名额已为您\(kept.zh)，请与我们确认。",
                    en: "Your seats are \(kept.en): please confirm with us.")
            )
        case .confirmed:
            return (
                Bilingual(zh: "预约已确认", en: "booking confirmed"),
                Bilingual(
                    zh: "您的预约已确认。到达时请出示凭证或预约号。",
                    en: "Your booking is confirmed. At the gate, show your ticket or the reference.")
            )
        case .changed:
            guard let upset else { return (Bilingual(zh: "预约已更改", en: "booking changed"), changed) }
            return (
                Bilingual(zh: "预约已更改", en: "booking changed"),
                Bilingual(zh: upset.zh + money.zh + changed.zh, en: upset.en + money.en + " " + changed.en)
            )
        case .cancelled:
            return (
                Bilingual(zh: "预约已取消", en: "booking cancelled"),
                upset.map { Bilingual(zh: $0.zh + money.zh, en: $0.en + money.en) }
                    ?? Bilingual(zh: "您的预约已取消。" + money.zh, en: "Your booking was cancelled." + money.en)
            )
        case .noShow:
            return (
                Bilingual(zh: "没有等到您", en: "we missed you"),
                Bilingual(
                    zh: "您预约的场次当天没有人到场，已登记为未到。" + money.zh,
                    en: "Nobody came to the sessions that you had booked; the booking is a no-show." + money.en)
            )
        case .expired:
            return (
                Bilingual(zh: "预约已过期", en: "booking expired"),
                Bilingual(
                    zh: "保留期已过，这次预约已失效。" + money.zh + "如仍要来，请重新预约。",
                    en: "The time for which its seats were kept has passed." + money.en
                        + " To come all the same, please book again.")
            )
        case .noSeats:
            return (
                Bilingual(zh: "没有空出名额", en: "no seats became free"),
                Bilingual(
                    zh: "您候补的场次没有空出名额，候补已结束，没有收取任何费用。如仍要来，请预约其他场次。",
                    en: "No seats became free in the session that you were waiting for; the waiting is over, and costs "
                        + "nothing. To come all the same, please book another session.")
            )
        case .reminder: return reminder
        }
    }

    /// What the village has made of it.
    private var upset: Bilingual? {
        guard let what = booking.upset.flatMap(BookingUpset.What.init(rawValue:)) else { return nil }
        let reason = booking.reason.map(MessageText.plain)
        let because = Bilingual(zh: reason.map { "（\($0)）" } ?? "", en: reason.map { " (\($0))" } ?? "")
        return switch what {
        case .cancelled:
            Bilingual(
                zh: "很抱歉，您预约的场次不能举行\(because.zh)，预约已取消。",
                en: "We are sorry: the session that you had booked can't take place\(because.en), and your booking was "
                    + "cancelled.")
        case .moved where hasCome:
            Bilingual(
                zh: "很抱歉，我们改了您预约的一个场次的时间\(because.zh)；如不合适，请与我们联系。",
                en:
                    "We are sorry: we had to move one of the sessions that you had booked\(because.en). If the new time does "
                    + "not suit you, please tell us.")
        case .dropped where hasCome:
            Bilingual(
                zh: "很抱歉，您预约的一个场次不能举行\(because.zh)，已从预约中去掉，不收这一场的费用。",
                en:
                    "We are sorry: one of the sessions that you had booked can't take place\(because.en) and was taken out of "
                    + "your booking; it costs nothing.")
        case .moved:
            Bilingual(
                zh: "很抱歉，我们改了您预约的场次的时间\(because.zh)；如不合适，可以取消，不收费用。",
                en:
                    "We are sorry: we had to move the session that you had booked\(because.en). If the new time does not "
                    + "suit you, cancelling costs nothing.")
        case .dropped:
            Bilingual(
                zh: "很抱歉，您预约的一个场次不能举行\(because.zh)，已从预约中去掉，其余场次保留；如不合适，可以取消，不收费用。",
                en:
                    "We are sorry: one of the sessions that you had booked can't take place\(because.en) and was taken out "
                    + "of your booking; the others stay. If that does not suit you, cancelling costs nothing.")
        }
    }

    /// Where it stands is told as well: what told it before may not have been sent.
    private var changed: Bilingual {
        switch BookingState(rawValue: booking.state) {
        case .requested, .held:
            Bilingual(
                zh: "您的预约有更改，名额\(kept.zh)。现在是：",
                en: "Your booking was changed; its seats are \(kept.en). It is now:")
        case .waitlisted:
            Bilingual(
                zh: "您的预约有更改，仍在候补中。现在是：", en: "Your booking was changed, and is on the waiting list. It is now:")
        case .arrived: Bilingual(zh: "您的预约有更改。现在是：", en: "Your booking was changed. It is now:")
        default:
            Bilingual(zh: "您的预约有更改，已确认。现在是：", en: "Your booking was changed; it is confirmed. It is now:")
        }
    }

    private var reminder: (subject: Bilingual, sentence: Bilingual) {
        booking.sessions.contains { $0.day == today.description }
            ? (
                Bilingual(zh: "今天的行程", en: "your visit today"),
                Bilingual(
                    zh: "提醒：您今天来参加研学，请带好凭证或预约号。",
                    en: "A reminder: your visit is today. Bring your ticket or the reference.")
            )
            : (
                Bilingual(zh: "明天的行程", en: "your visit tomorrow"),
                Bilingual(
                    zh: "提醒：您明天来参加研学，请带好凭证或预约号。",
                    en: "A reminder: your visit is tomorrow. Bring your ticket or the reference.")
            )
    }

    /// What is kept of what was paid, and what comes back.
    private var money: Bilingual {
        var zh = ""
        var en = ""
        if booking.kept.fen > 0 {
            zh += "按规定收取 \(booking.kept.money) 元。"
            en += " The fee kept is \(booking.kept.money) yuan."
        }
        let received = Money(fen: booking.paid.fen - booking.refunded.fen)
        let due = Money(fen: booking.refundDue.fen - booking.refunded.fen)
        if due.fen > 0 {
            zh += "应退 \(due) 元。"
            en += " \(due) yuan will be refunded."
        } else if received.fen > 0, received.fen <= booking.kept.fen {
            zh += "已付的 \(received) 元抵作这笔费用，不再退款。"
            en += " The \(received) yuan that were paid go towards it; nothing is refunded."
        }
        return Bilingual(zh: zh, en: en)
    }

    /// Seats that were paid for are kept without an end.
    private var kept: Bilingual {
        guard let until = booking.holdUntil?.minute else { return Bilingual(zh: "一直保留", en: "kept") }
        return Bilingual(zh: "保留到 \(until)", en: "kept until \(until)")
    }
}
