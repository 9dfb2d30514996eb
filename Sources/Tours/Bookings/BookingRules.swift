import Foundation
import Kernel

public enum BookingRules {
    /// No fee reaches this: 10 billion yuan.
    static let feeLimit: Int64 = 1_000_000_000_000

    /// A Chinese mobile number, or a landline's with its area code, as its digits alone: `13812345678`, `02286543210`.
    ///
    /// Spaces, hyphens, brackets, full-width digits and the country's code 86 are passed over.
    /// - Throws: a `Refusal` of the field `phone`.
    public static func phone(_ text: String) throws -> String {
        if let refusal = CleanText.scientific(CleanText.text(text)) { throw refusal.of(field: "phone") }
        guard let digits = normalPhone(text), isMobile(digits) || isLandline(digits) else {
            throw Refusal(
                .invalid, "not-a-phone", field: "phone",
                zh: "“\(text.shortened)”不是电话号码，请写手机号如 13812345678，或带区号的座机如 022-86543210",
                en: "“\(text.shortened)” is no telephone number: give a mobile such as 13812345678, or a landline with "
                    + "its area code such as 022-86543210")
        }
        return digits
    }

    /// The digits of a telephone number without the country's code; nil when there is anything else in it, such as the
    /// asterisks of old registers.
    static func normalPhone(_ text: String) -> String? {
        guard text.utf8.count <= 60 else { return nil }
        var digits = ""
        // Turned the other way round, a number looks like another one.
        guard !text.unicodeScalars.contains("\u{202E}"), let text = try? CleanText.key(text) else { return nil }
        for (index, scalar) in text.unicodeScalars.enumerated() {
            switch scalar.value {
            case 0x30...0x39: digits.unicodeScalars.append(scalar)
            case 0xFF10...0xFF19: digits.unicodeScalars.append(Unicode.Scalar(UInt8(scalar.value - 0xFF10 + 0x30)))
            case 0x2B, 0xFF0B: if index > 0 { return nil }
            case 0x20, 0x2D, 0x28, 0x29, 0x2010...0x2015, 0x3000, 0xFF08, 0xFF09, 0xFF0D: continue
            default: return nil
            }
        }
        for code in ["0086", "86"] where digits.hasPrefix(code) && digits.utf8.count > 11 {
            let rest = String(digits.dropFirst(code.count))
            return rest.hasPrefix("1") || rest.hasPrefix("0") ? rest : "0" + rest
        }
        return digits.isEmpty ? nil : digits
    }

    private static func isMobile(_ digits: String) -> Bool {
        let digits = Array(digits.utf8)
        return digits.count == 11 && digits[0] == 0x31 && (0x33...0x39).contains(digits[1])
    }

    /// 010 and 02x have eight digits after them, the area codes of four digits seven or eight.
    private static func isLandline(_ digits: String) -> Bool {
        let digits = Array(digits.utf8)
        guard digits.count >= 11, digits[0] == 0x30 else { return false }
        let code = digits[1] == 0x31 || digits[1] == 0x32 ? 3 : 4
        if digits[1] == 0x31, digits[2] != 0x30 { return false }
        guard digits[1] != 0x30, (0x32...0x38).contains(digits[code]) else { return false }
        return code == 3 ? digits.count == 11 : digits.count <= 12
    }

    /// - Throws: a `Refusal` of the field `email`.
    static func email(_ text: String) throws -> String {
        let text = CleanText.text(text).halfWidth
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isPlain = text.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value != 0x7F && !"<>()[]\\,;:\"".unicodeScalars.contains($0)
                && !$0.properties.isWhitespace && $0.properties.generalCategory != .control
        }
        guard (3...200).contains(text.unicodeScalars.count), isPlain, parts.count == 2, !parts[0].isEmpty,
            parts[1].contains("."), !parts[1].hasPrefix("."), !parts[1].hasSuffix(".")
        else {
            throw Refusal(
                .invalid, "not-an-email", field: "email", zh: "“\(text.shortened)”不是电子邮箱地址",
                en: "“\(text.shortened)” is no e-mail address")
        }
        return text
    }

    /// The text as it is stored: cleaned, 1 to `max` characters.
    static func text(_ text: String, field: String, max: Int, lines: Bool = false) throws -> String {
        try CleanText.name(text, field: field, max: max, lines: lines)
    }

    /// Whether the group fits the sessions' programmes, whoever is there already.
    /// - Parameter byStranger: the desk may take a group that is smaller than the programme's minimum.
    static func checkHeadcount(_ headcount: Int, _ sessions: [BookableSession], byStranger: Bool) throws {
        guard (1...10_000).contains(headcount) else { throw headcountOutOfRange }
        for session in sessions {
            guard headcount <= session.maxGroup else {
                throw Refusal(
                    .invalid, "group-too-large", field: "headcount",
                    zh: "“\(session.programme)”每团最多 \(session.maxGroup) 人",
                    en: "“\(session.programme)” takes groups of \(session.maxGroup) at most")
            }
            guard !byStranger || headcount >= session.minGroup else {
                throw Refusal(
                    .invalid, "group-too-small", field: "headcount",
                    zh: "“\(session.programme)”每团至少 \(session.minGroup) 人",
                    en: "“\(session.programme)” takes groups of \(session.minGroup) at least")
            }
            guard headcount <= session.capacity else {
                throw Refusal(
                    .invalid, "above-capacity", field: "headcount",
                    zh: "\(session.name.zh)一共只有 \(session.capacity) 个名额",
                    en: "\(session.name.en) has \(session.capacity) seats in all")
            }
        }
    }

    /// Whether the sessions are still to come.
    /// - Parameter byStranger: the desk may still book on the day itself, when a session has begun.
    static func checkTime(_ sessions: [BookableSession], byStranger: Bool, now: Date) throws {
        for session in sessions where session.startsAt <= now && (byStranger || session.day < today(now)) {
            throw Refusal(
                .conflict, "session-over", field: "sessions", zh: "\(session.name.zh)已经开始或结束",
                en: "\(session.name.en) has begun or is over")
        }
    }

    /// Whether the sessions take bookings.
    static func checkOpen(_ sessions: [BookableSession]) throws {
        if let closed = sessions.first(where: { !$0.isOpen }) { throw sessionClosed(closed) }
    }

    static func language(_ wanted: String?, _ sessions: [BookableSession]) throws -> String {
        let offered = sessions.map { $0.languages.split(separator: ",").map(String.init) }
        let common = (offered.first ?? []).filter { language in offered.allSatisfy { $0.contains(language) } }
        guard let wanted else { return common.contains("zh") ? "zh" : common.first ?? "zh" }
        guard common.contains(wanted) else {
            let list = common.joined(separator: ", ")
            throw Refusal(
                .invalid, "language-not-offered", field: "language", zh: "课程没有这种语言，可选：\(list)",
                en: "the programme is not given in that language; there are: \(list)")
        }
        return wanted
    }

    /// How long a request keeps its seats that leaves less than a fifth of a session's seats free: a quarter of the
    /// programme's time, but half an hour, where that is as long. What it was promised by then it keeps.
    public static func scarceHold(minutes: Int) -> Int { max(min(minutes, 30), minutes / 4) }

    /// How long a request of so many people keeps its seats.
    static func holdMinutes(_ sessions: [BookableSession], headcount: Int) -> Int {
        sessions.map { session in
            let minutes = session.terms.holdMinutes
            let isScarce = (session.free - headcount) * 5 < session.capacity
            return isScarce ? scarceHold(minutes: minutes) : minutes
        }.min() ?? 0
    }

    /// Until when seats are kept: the programme's time from now, and no longer than the first session's start.
    static func holdUntil(_ now: Date, minutes: Int, startsAt: Date) -> Date {
        min(now.addingTimeInterval(Double(minutes) * 60), startsAt)
    }

    static func fee(_ lines: [Booking.Line], _ extras: [Booking.Extra]) throws -> Money {
        let fee = lines.map(\.amount).reduce(.zero, +) + extras.map(\.amount).reduce(.zero, +)
        guard fee.fen <= feeLimit else {
            throw Refusal(
                .invalid, "amount-too-large", field: "headcount", zh: "费用过大", en: "the fee is too large")
        }
        return fee
    }

    /// What the village keeps, line by line: so many per cent of what the session and its extras cost, half up. What the
    /// fee was adjusted by since counts for each of them alike.
    static func kept(of booking: Booking, percent: (Booking.Line) -> Int) -> [Money] {
        booking.lines.map { line in
            let extras = booking.extras.filter { $0.session == line.session }.map(\.amount.fen).reduce(0, +)
            let whole = Int128(max(1, booking.fee.fen)) * 100
            let part = Int128(line.amount.fen + extras) * Int128(booking.agreed.fen) * Int128(percent(line))
            return Money(fen: Int64((part + whole / 2) / whole))
        }
    }

    /// Per cent kept of a line when its booking is cancelled: only what was confirmed costs anything, and only after
    /// the hours in which a cancellation is free. What the village has moved costs nothing until the group accepts it.
    static func lateFeePercent(_ line: Booking.Line, _ state: BookingState, now: Date) -> Int {
        let limit = line.startsAt.addingTimeInterval(-Double(line.terms.freeCancelHours) * 3600)
        return state == .confirmed && !line.isUpset && now > limit ? line.terms.lateFeePercent : 0
    }

    /// What the village would keep of a booking that is cancelled now.
    public static func keptIfCancelled(_ booking: Booking, now: Date) -> Money {
        kept(of: booking) { lateFeePercent($0, booking.state, now: now) }.reduce(.zero, +)
    }

    /// A stranger must not make a cancellation cheaper by changing the booking first.
    static func checkFeeIsNotDodged(_ old: Booking, _ new: Booking, now: Date) throws {
        guard keptIfCancelled(new, now: now) < keptIfCancelled(old, now: now) else { return }
        throw Refusal(
            .conflict, "change-costs-a-fee", zh: "现在减少人数或改期须付费用，请联系接待处",
            en: "so late, fewer people or another session cost a fee; please call the tour desk")
    }

    /// When a group can no longer change its booking by itself: some hours before its first session.
    public static func changeEnd(_ booking: Booking) -> Date {
        booking.startsAt.addingTimeInterval(-Double(changeHours(booking)) * 3600)
    }

    /// Whether a group may still change its booking by itself.
    public static func mayChange(_ booking: Booking, now: Date) -> Bool {
        BookingStep.change.from.contains(booking.state) && now < changeEnd(booking) && !booking.hasLapsed(now)
    }

    private static func changeHours(_ booking: Booking) -> Int { booking.lines.map(\.terms.changeHours).max() ?? 0 }

    /// A stranger may change a booking until some hours before its first session, and cancel it until that begins.
    static func checkStrangersTime(_ booking: Booking, cancelling: Bool, now: Date) throws {
        guard now < (cancelling ? booking.startsAt : changeEnd(booking)) else {
            let hours = changeHours(booking)
            throw cancelling
                ? Refusal(
                    .conflict, "too-late-to-cancel", zh: "场次已经开始，请直接联系接待处",
                    en: "the session has begun; please call the tour desk")
                : Refusal(
                    .conflict, "too-late-to-change", zh: "开始前 \(hours) 小时内不能自行更改，请联系接待处",
                    en: "within \(hours) hours of its start a booking is changed by the tour desk only")
        }
    }

    static func today(_ now: Date) -> CivilDay { CivilDay(of: now) }
}

/// What can stand in the way of a booking.
extension BookingRules {
    /// What a new group is told, which may wait for seats.
    static func soldOut(_ session: BookableSession) -> Refusal {
        guard session.free > 0 else { return soldOut }
        let few = noSeats(session)
        return Refusal(
            .conflict, soldOutCode, field: few.field, zh: "\(few.message.zh)，也可以登记候补（waitlist）",
            en: "\(few.message.en); the group may join the waiting list (waitlist)")
    }

    /// What is told of a booking that is there already.
    static func noSeats(_ session: BookableSession) -> Refusal {
        session.free > 0
            ? Refusal(
                .conflict, soldOutCode, field: "headcount", zh: "\(session.name.zh)只剩 \(session.free) 个名额",
                en: "\(session.name.en) has only \(session.free) seats left") : noSeats
    }

    public static let soldOutCode = "sold-out"
    static let soldOut = Refusal(
        .conflict, soldOutCode, field: "sessions", zh: "名额已满，可以登记候补（waitlist）",
        en: "sold out; the group may join the waiting list (waitlist)")
    static let noSeats = Refusal(.conflict, soldOutCode, field: "sessions", zh: "名额已满", en: "sold out")

    static func unknownSession(_ id: Int64) -> Refusal {
        Refusal(
            .notFound, "unknown-session", field: "sessions", zh: "没有场次 \(id)", en: "there is no session \(id)")
    }

    static func sessionClosed(_ session: BookableSession? = nil) -> Refusal {
        Refusal(
            .conflict, "session-closed", field: "sessions", zh: "\(session?.name.zh ?? "场次")已停止预约",
            en: "\(session?.name.en ?? "the session") takes no more bookings")
    }

    static let headcountOutOfRange = Refusal(
        .invalid, "bad-headcount", field: "headcount", zh: "人数须在 1 到 10000 之间",
        en: "the headcount must lie between 1 and 10,000")

    static let stale = Refusal(
        .conflict, "booking-changed", field: "version", zh: "这个预约刚刚被别人改过，请重新查看",
        en: "somebody else has just changed this booking; look at it again")

    static let void = Refusal(
        .conflict, "booking-void", field: "booking", zh: "这个预约是登记簿的一行，已经作废",
        en: "the booking was a register's row, and is void")

    /// - Parameter byStranger: whether it is told to the group itself.
    static func notFrom(_ state: BookingState, byStranger: Bool = false) -> Refusal {
        let steps = state.steps.filter { !byStranger || $0.isForStrangers }
        let remedy =
            if !steps.isEmpty {
                Bilingual(
                    zh: "现在可以：\(steps.map(\.label.zh).joined(separator: "、"))",
                    en: "what can be done now: \(steps.map(\.label.en).joined(separator: ", "))")
            } else if byStranger {
                Bilingual(zh: "请重新预约，或联系接待处", en: "book anew, or call the tour desk")
            } else if state.canBeUndone {
                Bilingual(
                    zh: "要来请重新预约；若是误操作，请撤销上一步（booking undo）",
                    en: "a group that wants to come books anew; if this was a mistake, take it back (booking undo)")
            } else {
                Bilingual(zh: "没有下一步了，要来请重新预约", en: "nothing follows on it; a group that wants to come books anew")
            }
        return Refusal(
            .conflict, "step-not-allowed", field: "state",
            zh: "预约现在是“\(state.label.zh)”，不能这样操作；\(remedy.zh)",
            en: "the booking is \(state.label.en), from which this step can't be taken; \(remedy.en)")
    }
}
