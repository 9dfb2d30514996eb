import Database
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

    var backLabel: String { say("查看全部场次", "All sessions") }

    func list(_ offers: [BookingOffer]) -> [String: Any] {
        var days: [[String: Any]] = []
        for offer in offers {
            let session: [String: Any] = [
                "session": "\(offer.session)", "programme": offer.programme,
                "parts": [TimeOfDay.hours(offer.startsAt, offer.endsAt), offer.site], "price": price(offer.price),
                "seats": seats(offer), "isFull": offer.free < max(1, offer.minGroup),
                "bookLabel": offer.free < max(1, offer.minGroup)
                    ? say("登记候补", "Waiting list") : say("预约", "Book"),
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
            "ownLabel": say("查询、更改或取消我的预约", "Look up, change or cancel my booking"),
            "codeLabel": say("查验溯源码", "Verify a code"), "days": days,
        ]
        if days.isEmpty { values["nothing"] = say("目前没有可以预约的场次。", "There are no sessions to be booked at present.") }
        return values
    }

    /// - Parameter typed: what the form held when it was sent.
    func request(_ offer: BookingOffer, _ typed: [String: String], _ refusal: Refusal?) -> [String: Any] {
        let wrong = refusal.flatMap { BookingForm.field(of: $0, typed, offer) }
        let message = refusal.map { words(of: $0, offer) }
        let form = FormFields(typed: typed, wrong: wrong, message: message)
        var fields = [
            form.input("unit", say("单位名称", "Unit"), max: 200, autocomplete: "organization"),
            form.select(
                "unitKind", say("单位类别", "Kind of unit"),
                UnitKind.allCases.map { ($0.rawValue, $0.label[language]) }, choose: say("请选择", "Please choose")),
            form.input(
                "headcount", say("人数", "Number of people"), type: "text", max: 6, isNumber: true,
                hint: say(
                    "每团 \(offer.minGroup) 到 \(offer.maxGroup) 人，\(seats(offer))",
                    "Groups of \(offer.minGroup) to \(offer.maxGroup); \(seats(offer))")),
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
        fields.append(form.area("note", say("备注（可不填）", "Remarks (optional)"), max: 1000))
        for extra in offer.extras {
            var field = form.input(
                BookingForm.extraName(extra.id), extra.name, max: 6, isRequired: false, isNumber: true,
                hint: hint(on: extra))
            if extra.id == offer.extras.first?.id { field["section"] = say("另外预订（可不填）", "Extras (optional)") }
            fields.append(field)
        }
        var values: [String: Any] = [
            "title": offer.programme, "heading": offer.programme,
            "facts": [
                (say("日期", "Day"), name(of: offer.day)),
                (say("时间", "Time"), TimeOfDay.hours(offer.startsAt, offer.endsAt)), (say("地点", "Place"), offer.site),
                (say("费用", "Price"), price(offer.price)),
            ].map { ["name": $0.0, "value": $0.1] },
            "session": "\(offer.session)", "fields": fields,
            "sendLabel": say("提交预约", "Send the request"), "backLabel": backLabel, "terms": terms(offer),
            "waits": typed["waitlist"] != nil,
        ]
        if offer.free < offer.maxGroup || refusal?.code == BookingRules.soldOutCode {
            values["waitLabel"] = say("名额不够时登记候补", "Put us on the waiting list if there are too few seats")
        }
        if refusal?.code == BookingRules.bookedAlreadyCode || typed["again"] != nil {
            values["againLabel"] = say("仍要再约一个", "Book another one all the same")
            values["isAgain"] = typed["again"] != nil
        }
        if let refusal, wrong == nil || !fields.contains(where: { $0["name"] as? String == wrong }) {
            values["trouble"] =
                refusal.code == Retry.keyReused
                ? say("这张表已经提交过。如要再约一次，请再提交一次。", "This form was sent before. Send it again to book once more.")
                : message
        }
        return values
    }
}

extension BookingText {
    func seats(_ offer: BookingOffer) -> String {
        offer.free > 0
            ? say("余 \(offer.free) 个名额", "\(offer.free) \(offer.free == 1 ? "seat" : "seats") left")
            : say("已满", "sold out")
    }

    private func price(_ price: Money) -> String {
        price.fen == 0 ? say("免费", "free") : say("每人 \(yuan(price))", "\(yuan(price)) a head")
    }

    /// Kept on one line; whole yuan without decimals.
    func yuan(_ money: Money) -> String {
        let number = money.fen % 100 == 0 ? "\(money.fen / 100)" : "\(money)"
        return say("\(number)\u{A0}元", "\(number)\u{A0}yuan")
    }

    private func hint(on extra: BookingOffer.Extra) -> String {
        let price = yuan(extra.price)
        return switch extra.kind {
        case .meal: say("\(price)一份，要几份", "\(price) each; how many people eat")
        case .gift: say("\(price)一件，要几件", "\(price) each; how many")
        case .picking:
            say(
                "\(price)一斤，想摘几斤；当天按实际重量付款",
                "\(price) for each 斤 (500 g); how many you mean to pick. You pay on the day, by weight")
        }
    }

    /// What a refusal says beside the form, where nothing else is at hand but the form.
    private func words(of refusal: Refusal, _ offer: BookingOffer) -> String {
        if refusal.code == BookingRules.bookedAlreadyCode {
            return say(
                "这个电话已经预约了这一场。要查看它，请用预约号；确实要再约一个，请勾选下面的选项。",
                "This phone has a booking of this session already. Look it up by its reference; if you want another one, "
                    + "tick the box below.")
        }
        guard refusal.code == BookingRules.soldOutCode else { return refusal.message.sentence(in: language) }
        return offer.free > 0
            ? say(
                "只剩 \(offer.free) 个名额，请减少人数，或勾选下面的候补。",
                "Only \(offer.free) seats are left: come with fewer people, or tick the waiting list below.")
            : say("名额已满，请勾选下面的候补，或另选场次。", "Sold out: tick the waiting list below, or choose another session.")
    }

    private func languageName(_ code: String) -> String {
        let names = ["zh": say("中文", "Chinese"), "en": say("英文", "English")]
        return names[code] ?? code
    }

    private func terms(_ offer: BookingOffer) -> String {
        let late = offer.lateFeePercent
        let scarce = duration(BookingRules.scarceHold(minutes: offer.holdMinutes))
        let next = say(
            "提交后名额先为您保留 \(duration(offer.holdMinutes))（剩余名额不足五分之一时 \(scarce)），最迟到场次开始；接待处确认后生效。",
            "Your seats are kept for \(duration(offer.holdMinutes)) (\(scarce) once less than a fifth of the seats is "
                + "left), but not beyond the start; the booking stands once the tour desk has confirmed it. ")
        let free = say(
            "开始前 \(offer.freeCancelHours) 小时以前取消免费",
            "Cancelling is free until \(offer.freeCancelHours) hours before the start")
        let fee = late > 0 ? say("，之后收费用的 \(late)%", ", and costs \(late)% of the fee later") : ""
        return next + free + fee + say("。", ".")
    }

    private func duration(_ minutes: Int) -> String {
        let (number, zh, en) = minutes % 60 == 0 ? (minutes / 60, "小时", "hour") : (minutes, "分钟", "minute")
        return say("\(number) \(zh)", "\(number) \(en)\(number == 1 ? "" : "s")")
    }

    func name(of day: CivilDay) -> String {
        say("\(day.written.zh) \(day.weekdayName.zh)", "\(day.weekdayName.en) \(day.written.en)")
    }
}
