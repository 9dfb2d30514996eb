import Foundation
import Kernel
import Tours

/// What the pages of bookings say, in the reader's language, as their templates name it.
struct BookingText {
    let language: Language

    init(_ language: Language) {
        self.language = language
    }

    func say(_ zh: String, _ en: String) -> String { language == .chinese ? zh : en }

    var tours: String { say("研学预约", "Study tours") }

    private var backLabel: String { say("查看全部场次", "All sessions") }

    func list(_ offers: [BookingOffer]) -> [String: Any] {
        var days: [[String: Any]] = []
        for offer in offers {
            let session: [String: Any] = [
                "session": "\(offer.session)", "programme": offer.programme, "site": offer.site,
                "time": Self.time(offer.startsAt) + "–" + Self.time(offer.endsAt), "price": price(offer.price),
                "seats": seats(offer), "isFull": offer.free < max(1, offer.minGroup),
                "bookLabel": offer.free < max(1, offer.minGroup)
                    ? say("登记候补", "Join the waiting list") : say("预约", "Book"),
            ]
            if days.last?["day"] as? String == "\(offer.day)", let sessions = days.last?["sessions"] as? [[String: Any]]
            {
                days[days.count - 1]["sessions"] = sessions + [session]
            } else {
                days.append(["day": "\(offer.day)", "name": name(of: offer.day), "sessions": [session]])
            }
        }
        var values: [String: Any] = [
            "heading": tours,
            "explanation": say(
                "这里是今后 60 天的场次。选好场次，填写单位和人数即可，不需要账号。",
                "These are the sessions of the next 60 days. Choose one and tell us who comes; no account is needed."),
            "ownLabel": say("查询或取消我的预约", "Look up or cancel my booking"), "days": days,
        ]
        if days.isEmpty { values["nothing"] = say("目前没有可以预约的场次。", "There are no sessions to be booked at present.") }
        return values
    }

    /// - Parameter typed: what the form held when it was sent.
    func request(_ offer: BookingOffer, _ typed: [String: String], _ refusal: Refusal?) -> [String: Any] {
        let wrong = refusal.flatMap { BookingForm.field(of: $0, typed, offer) }
        let form = FormFields(typed: typed, wrong: wrong, message: refusal?.message[language])
        var fields = [
            form.input("unit", say("单位名称", "Unit"), max: 200, autocomplete: "organization"),
            form.select(
                "unitKind", say("单位类别", "Kind of unit"),
                UnitKind.allCases.map { ($0.rawValue, $0.label[language]) }),
            form.input(
                "headcount", say("人数", "Number of people"), type: "text", max: 6, isNumber: true,
                hint: say(
                    "每团 \(offer.minGroup) 到 \(offer.maxGroup) 人，还有 \(offer.free) 个名额",
                    "\(offer.minGroup) to \(offer.maxGroup) people; \(offer.free) seats are free")),
            form.input("leader", say("带队人", "Leader"), max: 60, autocomplete: "name"),
            form.input(
                "phone", say("联系电话", "Phone"), type: "tel", max: 40, autocomplete: "tel",
                hint: say("手机号，或带区号的座机", "A Chinese mobile number, or a landline with its area code")),
            form.input(
                "email", say("电子邮箱（可不填）", "E-mail (optional)"), type: "email", max: 200, isRequired: false,
                autocomplete: "email"),
        ]
        if offer.languages.count > 1 {
            fields.append(
                form.select("language", say("讲解语言", "Language"), offer.languages.map { ($0, languageName($0)) }))
        }
        for extra in offer.extras {
            fields.append(
                form.input(
                    BookingForm.extraName(extra.id), label(of: extra), max: 6, isRequired: false, isNumber: true))
        }
        fields.append(form.area("note", say("备注（可不填）", "Remarks (optional)"), max: 1000))
        var values: [String: Any] = [
            "title": offer.programme, "heading": offer.programme,
            "explanation":
                "\(name(of: offer.day)) \(Self.time(offer.startsAt))–\(Self.time(offer.endsAt)) · \(offer.site) · "
                + price(offer.price), "session": "\(offer.session)", "fields": fields,
            "sendLabel": say("提交预约", "Send the request"), "backLabel": backLabel, "terms": terms(offer),
            "waits": typed["waitlist"] != nil,
        ]
        if offer.free < offer.maxGroup || refusal?.code == BookingRules.soldOutCode {
            values["waitLabel"] = say("名额不够时登记候补", "Put us on the waiting list if there are too few seats")
        }
        if let refusal, wrong == nil || !fields.contains(where: { $0["name"] as? String == wrong }) {
            values["trouble"] =
                refusal.code == "idempotency-key-reused"
                ? say("这张表已经提交过。如要再约一次，请再提交一次。", "This form was sent before. Send it again to book once more.")
                : refusal.message[language]
        }
        return values
    }

    /// The booking as it stands, for whoever made it.
    func booking(_ booking: Booking, _ trouble: Refusal? = nil, now: Date) -> [String: Any] {
        var facts: [(String, String)] = [(say("单位", "Unit"), booking.unit)]
        for line in booking.lines {
            facts.append((say("课程", "Programme"), line.programme))
            facts.append((say("地点", "Place"), line.site))
            facts.append(
                (say("时间", "Time"), "\(name(of: line.day)) \(Self.time(line.startsAt))–\(Self.time(line.endsAt))"))
        }
        facts.append((say("人数", "People"), "\(booking.headcount)"))
        facts.append((say("带队人", "Leader"), booking.leader))
        for extra in booking.extras { facts.append((extra.name, "\(extra.quantity) \(extra.kind.unit[language])")) }
        facts.append((say("费用", "Fee"), yuan(booking.fee)))
        if booking.paid.fen > 0 { facts.append((say("已付", "Paid"), yuan(booking.paid))) }
        if booking.kept.fen > 0 { facts.append((say("收取费用", "Kept"), yuan(booking.kept))) }
        if booking.refundDue.fen > 0 { facts.append((say("退款", "Refund"), yuan(booking.refundDue))) }
        let isGood = [.requested, .held, .confirmed, .arrived, .completed].contains(booking.state)
        var values: [String: Any] = [
            "title": say("我的预约", "My booking"), "tone": isGood ? "good" : "warn",
            "state": booking.state.label[language].prefix(1).uppercased() + booking.state.label[language].dropFirst(),
            "explanation": explanation(booking), "reference": "\(booking.reference)",
            "advice": say(
                "请记下这个预约号：查询、更改和取消都要用它和电话。",
                "Keep this reference: with it and your phone you look up, change or cancel the booking."),
            "facts": facts.map { ["name": $0.0, "value": $0.1] }, "backLabel": backLabel,
        ]
        if let trouble { values["trouble"] = trouble.message[language] }
        let canCancel = [.requested, .held, .waitlisted, .confirmed].contains(booking.state) && booking.startsAt > now
        if canCancel {
            let kept = BookingRules.keptIfCancelled(booking, now: now)
            values["cancel"] = [
                "heading": say("不来了？", "Not coming?"),
                "explanation": kept.fen == 0
                    ? say("现在取消不收费用。", "Cancelling now costs nothing.")
                    : say("现在取消要收 \(yuan(kept))。", "Cancelling now costs \(yuan(kept))."),
                "reference": "\(booking.reference)", "phone": booking.phone, "version": "\(booking.version)",
                "label": say("取消这个预约", "Cancel this booking"),
            ]
        }
        return values
    }

    func lookup(_ typed: [String: String], _ refusal: Refusal?) -> [String: Any] {
        let form = FormFields(
            typed: typed, wrong: refusal.map { _ in "reference" }, message: refusal?.message[language])
        return [
            "title": say("我的预约", "My booking"), "backLabel": backLabel,
            "lookup": [
                "heading": say("我的预约", "My booking"),
                "explanation": say("凭预约号和电话查询或取消。", "Look it up or cancel it with its reference and your phone."),
                "fields": [
                    form.input("reference", say("预约号", "Reference"), max: 20, hint: "ABCD-EFGH-IJKL"),
                    form.input("phone", say("联系电话", "Phone"), type: "tel", max: 40, autocomplete: "tel"),
                ], "label": say("查询", "Look up"),
            ] as [String: Any],
        ]
    }
}

extension BookingText {
    private func seats(_ offer: BookingOffer) -> String {
        offer.free > 0
            ? say("余 \(offer.free) 个名额", "\(offer.free) \(offer.free == 1 ? "seat" : "seats") left")
            : say("已满", "sold out")
    }

    private func price(_ price: Money) -> String { say("每人 \(price) 元", "\(price) yuan a head") }

    private func yuan(_ money: Money) -> String { say("\(money) 元", "\(money) yuan") }

    private func label(of extra: BookingOffer.Extra) -> String {
        switch extra.kind {
        case .meal: say("\(extra.name)（\(extra.price) 元/份，几份）", "\(extra.name) (\(extra.price) yuan each; how many)")
        case .gift: say("\(extra.name)（\(extra.price) 元/件，几件）", "\(extra.name) (\(extra.price) yuan each; how many)")
        case .picking:
            say(
                "\(extra.name)（\(extra.price) 元/斤，当天按实际重量付，想摘几斤）",
                "\(extra.name) (\(extra.price) yuan per 500 g, paid by weight on the day; how many)")
        }
    }

    private func languageName(_ code: String) -> String {
        let names = ["zh": say("中文", "Chinese"), "en": say("英文", "English")]
        return names[code] ?? code
    }

    private func terms(_ offer: BookingOffer) -> String {
        let late = offer.lateFeePercent
        let free = say(
            "开始前 \(offer.freeCancelHours) 小时以前取消免费", "Cancelling is free until \(offer.freeCancelHours) hours before")
        let fee = late > 0 ? say("，之后收费用的 \(late)%", ", and costs \(late)% of the fee later") : ""
        return free + fee + say("。", ".")
    }

    private func explanation(_ booking: Booking) -> String {
        let until = booking.holdUntil.map { end in "\(name(of: WallClock { end }.today)) \(Self.time(end))" } ?? ""
        return switch booking.state {
        case .requested:
            say("名额为您保留到 \(until)，请等接待处确认。", "Your seats are kept until \(until); the tour desk will confirm.")
        case .held: say("名额为您保留到 \(until)，请与接待处确认。", "Your seats are kept until \(until); please confirm with us.")
        case .confirmed: say("预约已确认，期待您来。", "Your booking is confirmed; we look forward to seeing you.")
        case .waitlisted: say("目前没有名额，一有空出就为您保留。", "There are no seats yet; we keep some for you when they come free.")
        case .arrived, .completed: say("感谢您的到访。", "Thank you for your visit.")
        case .expired: say("保留时间已过，名额已让出。", "The time for which seats were kept has passed.")
        case .cancelled: say("这个预约已取消。", "This booking is cancelled.")
        case .noShow: say("当天没有到场。", "Nobody came on the day.")
        }
    }

    private func name(of day: CivilDay) -> String {
        let (year, month, number) = day.components
        // 1970-01-01 was a Thursday.
        let weekday = ((day.daysSince1970 + 3) % 7 + 7) % 7
        let chinese = ["一", "二", "三", "四", "五", "六", "日"][weekday]
        let english = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][weekday]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return say("\(year)年\(month)月\(number)日 周\(chinese)", "\(english) \(number) \(months[month - 1]) \(year)")
    }

    /// The time of day in Asia/Shanghai, such as `09:00`.
    private static func time(_ instant: Date) -> String {
        let minutes = (Int(instant.timeIntervalSince1970.rounded(.down)) + 8 * 3600) / 60 % 1440
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(minutes / 60)):\(two(minutes % 60))"
    }
}
