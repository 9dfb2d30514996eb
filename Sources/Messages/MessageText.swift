import Foundation
import Kernel

/// A message in words: plain, short, in the language of the booking.
struct MessageText: Sendable {
    let subject: String
    let body: String

    /// - Parameters:
    ///   - brand: whose tours they are.
    ///   - today: a reminder says "tomorrow" of the day after.
    init(_ notice: Notice, brand: String, today: CivilDay) {
        let language = notice.language
        let said = Self.said(notice, today: today)
        let brand = Self.plain(brand)
        subject = brand + Bilingual(zh: "研学：", en: " tours: ")[language] + said.subject[language]
        var lines = [said.sentence[language], ""]
        lines += notice.sessions.map { session in
            "\(session.day) \(TimeOfDay.hours(session.startsAt, session.endsAt)) "
                + "\(Self.plain(session.site)) · \(Self.plain(session.programme))"
        }
        lines.append("")
        lines.append(
            Bilingual(
                zh: "预约号 \(notice.reference) · \(Self.plain(notice.unit)) · \(notice.headcount) 人",
                en: "Reference \(notice.reference) · \(Self.plain(notice.unit)) · \(notice.headcount) people")[language]
        )
        if notice.kind != .cancelled, notice.kind != .expired {
            lines.append(
                Bilingual(
                    zh: "查询、更改或取消请用预约号和电话。",
                    en: "To see, change or cancel it, use the reference and your phone number.")[language])
        }
        body = lines.joined(separator: "\n") + "\n"
    }

    private static func said(_ notice: Notice, today: CivilDay) -> (subject: Bilingual, sentence: Bilingual) {
        switch notice.kind {
        case .requested:
            return (
                Bilingual(zh: "已收到预约", en: "request received"),
                Bilingual(
                    zh: "我们已收到您的预约，名额保留到 \(until(notice))，确认后会再通知您。",
                    en: "We have your request; its seats are kept until \(until(notice)). You hear from us when it is "
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
                    zh: "名额已为您保留到 \(until(notice))，请在此之前与我们确认。",
                    en: "Seats are kept for you until \(until(notice)): please confirm with us before.")
            )
        case .confirmed:
            return (
                Bilingual(zh: "预约已确认", en: "booking confirmed"),
                Bilingual(
                    zh: "您的预约已确认。到达时请出示凭证或预约号。",
                    en: "Your booking is confirmed. At the gate, show your ticket or the reference.")
            )
        case .changed:
            return (
                Bilingual(zh: "预约已更改", en: "booking changed"),
                Bilingual(zh: "您的预约有更改，现在是：", en: "Your booking was changed. It is now:")
            )
        case .cancelled:
            return (
                Bilingual(zh: "预约已取消", en: "booking cancelled"),
                Bilingual(
                    zh: "您的预约已取消。" + money(notice).zh, en: "Your booking was cancelled." + money(notice).en)
            )
        case .expired:
            return (
                Bilingual(zh: "预约已过期", en: "booking expired"),
                Bilingual(
                    zh: "保留期已过，这次预约已失效。如仍要来，请重新预约。",
                    en: "The time for which its seats were kept has passed. To come all the same, please book again.")
            )
        case .reminder:
            let isToday = notice.sessions.contains { $0.day == today }
            return (
                isToday
                    ? Bilingual(zh: "今天的行程", en: "your visit today")
                    : Bilingual(zh: "明天的行程", en: "your visit tomorrow"),
                isToday
                    ? Bilingual(
                        zh: "提醒：您今天来参加研学，请带好凭证或预约号。",
                        en: "A reminder: your visit is today. Bring your ticket or the reference.")
                    : Bilingual(
                        zh: "提醒：您明天来参加研学，请带好凭证或预约号。",
                        en: "A reminder: your visit is tomorrow. Bring your ticket or the reference.")
            )
        }
    }

    private static func money(_ notice: Notice) -> Bilingual {
        var zh = ""
        var en = ""
        if notice.kept.fen > 0 {
            zh += "按规定收取 \(notice.kept) 元。"
            en += " The fee kept is \(notice.kept) yuan."
        }
        if notice.refundDue.fen > 0 {
            zh += "应退 \(notice.refundDue) 元。"
            en += " \(notice.refundDue) yuan will be refunded."
        }
        return Bilingual(zh: zh, en: en)
    }

    private static func until(_ notice: Notice) -> String {
        notice.holdUntil?.minute ?? "—"
    }

    /// In one line, whatever a name holds: a line of its own could pretend to be another one of ours.
    static func plain(_ text: String) -> String {
        let breaks: Set<Unicode.GeneralCategory> = [.control, .lineSeparator, .paragraphSeparator, .format]
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { breaks.contains($0.properties.generalCategory) ? " " : $0 }))
    }
}
