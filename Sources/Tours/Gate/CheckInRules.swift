import Codes
import Foundation
import Kernel
import Signing

public enum CheckInRules {
    /// What a text at the gate names.
    enum Named: Sendable {
        case ticket(TicketBody)
        case number(Int64)
        case reference(BookingReference)
    }

    /// Reads a ticket's payload or address, or what the desk calls the booking: its number or reference.
    /// - Parameter check: what a bare ticket tells.
    /// - Throws: a `Refusal` that says why this opens no gate.
    static func read(_ text: String, check: (String) -> TicketAnswer) throws -> Named {
        let payload = CodeRules.payload(in: text)
        switch check(payload) {
        case .signed(let body): return .ticket(body)
        case .forged:
            throw Refusal(
                .invalid, "forged-ticket", field: "code", zh: "凭证是假的：签名不符",
                en: "the ticket is forged: the signature is not ours")
        case .unknownKey:
            throw Refusal(
                .invalid, "unknown-ticket-key", field: "code", zh: "凭证的签发密钥不明或已停用，请用预约号",
                en: "the ticket's key is unknown or no longer trusted: use the reference")
        case .malformed:
            guard (try? SignedCode(payload: payload)) == nil else {
                throw Refusal(
                    .invalid, "not-a-ticket", field: "code", zh: "这是产品的溯源码，不是研学凭证",
                    en: "this is a product's code, not a ticket")
            }
            do {
                switch try BookingKey(entered: payload) {
                case .number(let number): return .number(number)
                case .reference(let reference), .stranger(let reference, _): return .reference(reference)
                }
            } catch let refusal as Refusal {
                throw refusal.renamed(field: "code")
            }
        }
    }

    static func check(_ entry: CheckInEntry) throws {
        guard (1...10_000).contains(entry.headcount) else {
            throw Refusal(
                .invalid, "bad-headcount", field: "headcount", zh: "人数须在 1 到 10000 之间",
                en: "a headcount lies between 1 and 10,000")
        }
        guard (8...64).contains(entry.nonce.utf8.count), entry.nonce.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw Refusal(
                .invalid, "bad-nonce", field: "nonce", zh: "须为 8 到 64 个可见 ASCII 字符",
                en: "must be 8 to 64 visible ASCII characters")
        }
    }

    /// How long before and after its beginning groups come to a session.
    static let around: TimeInterval = 3600

    /// Whether an entry's time is still to come.
    static func isInFuture(_ entry: CheckInEntry, now: Date) -> Bool { entry.at > now.addingTimeInterval(3600) }

    static let inFuture = Refusal(
        .invalid, "check-in-in-future", field: "at", zh: "签到时刻在将来，请核对入口设备的时钟",
        en: "the check-in lies in the future: look at the gate's clock")

    /// Whether a booking in this state is let in.
    static func admit(_ state: BookingState) throws {
        switch state {
        case .confirmed, .arrived, .completed, .noShow: return
        case .requested, .held:
            throw Refusal(
                .conflict, "booking-unconfirmed", field: "code", zh: "预约还没有确认，请接待处先确认（booking confirm）",
                en: "the booking is not confirmed: the tour desk has to do so first (booking confirm)")
        case .waitlisted:
            throw Refusal(
                .conflict, "booking-waitlisted", field: "code", zh: "预约还在候补，没有名额；有空位时请接待处先保留（booking hold）再确认",
                en: "the booking is on the waiting list and has no seats; if some are free, the tour desk keeps them "
                    + "(booking hold) and confirms it")
        case .expired:
            throw Refusal(
                .conflict, "booking-expired", field: "code", zh: "预约已过期，要来请重新预约",
                en: "the booking has expired: a group that wants to come books anew")
        case .cancelled:
            throw Refusal(
                .conflict, "booking-cancelled", field: "code", zh: "预约已取消，要来请重新预约",
                en: "the booking was cancelled: a group that wants to come books anew")
        }
    }

    /// Which of a booking's sessions a group that comes at this time comes to: the one named; otherwise of the day's
    /// the last that begins within an hour or has begun, and before all of them the first.
    static func visit(_ visits: [GateVisit], session: Int64?, at: Date, anyDay: Bool) throws -> GateVisit {
        let today = CivilDay(of: at)
        if let session {
            guard let named = visits.first(where: { $0.session == session }) else {
                let names = visits.map(\.name)
                throw Refusal(
                    .notFound, "not-its-session", field: "session",
                    zh: "这个预约没有订这一场，订的是\(names.map(\.zh).joined(separator: "、"))",
                    en: "the booking is not for this session but for \(names.map(\.en).joined(separator: ", "))")
            }
            guard anyDay || named.day == today else { throw wrongDay([named.day]) }
            return named
        }
        let todays = visits.filter { $0.day == today }
        if let current = todays.last(where: { $0.startsAt.addingTimeInterval(-around) <= at }) ?? todays.first {
            return current
        }
        func distance(_ visit: GateVisit) -> Int { abs(visit.day.daysSince1970 - today.daysSince1970) }
        guard anyDay, let nearest = visits.min(by: { distance($0) < distance($1) }) else {
            throw wrongDay(visits.map(\.day))
        }
        return nearest
    }

    static func wrongDay(_ days: [CivilDay]) -> Refusal {
        let days = days.map(\.description).joined(separator: ", ")
        return Refusal(
            .conflict, "wrong-day", field: "code",
            zh: "不是今天：预约的日期是 \(days)；仍要放行请加 --any-day（接口里是 anyDay）",
            en: "not today: the booking is for \(days); to let them in all the same, give --any-day (anyDay in the API)"
        )
    }

    /// Whether more people are a further part of the group. Those who are the first always are; a later part is where
    /// the gate knew of those who came before, and all of them together are no more than have booked.
    /// - Parameters:
    ///   - before: how many came before.
    ///   - known: of how many of them the gate knew.
    static func isPart(_ headcount: Int, before: Int, known: Int, booked: Int, isCertain: Bool) -> Bool {
        before == 0 || isCertain || (known >= before && before + headcount <= booked)
    }

    /// Whether the session's seats are asked for: heads that are booked were counted when they were.
    /// - Parameter headcount: all of the group that are there.
    static func needsRoom(_ visit: GateVisit, headcount: Int, state: BookingState) -> Bool {
        headcount > visit.headcount || state == .noShow
    }

    /// Without room for them.
    /// - Parameters:
    ///   - before: how many of the group came before.
    ///   - others: heads of other bookings that came or are still expected.
    static func overCapacity(_ visit: GateVisit, before: Int, others: Int) -> Refusal {
        let free = max(0, visit.capacity - others - before)
        return Refusal(
            .conflict, "over-capacity", field: "headcount",
            zh: "超出容量：这一场最多还能进 \(free) 人；坐得下更多时请接待处先调大容量（tour session change --capacity）",
            en: "beyond the capacity: this session has room for \(free); if more fit in, the tour desk raises its "
                + "capacity first (tour session change --capacity)")
    }

    static func nonceReused() -> Refusal {
        Refusal(
            .conflict, "nonce-reused", field: "nonce", zh: "这个编号已用于另一次签到，请换一个新的",
            en: "this nonce was used for another check-in: take a fresh one")
    }

    /// What the offline gate says of more people than have booked.
    /// - Parameter before: how many came before.
    static func already(_ earlier: CheckInAnswer.Earlier, before: Int, booked: Int?) -> Refusal {
        let time = earlier.at.minute
        let of = booked.map { Bilingual(zh: "，预约 \($0) 人", en: " of \($0)") } ?? Bilingual(zh: "", en: "")
        return Refusal(
            .conflict, "already-checked-in", field: "code",
            zh: "已经签到过：\(time)，共 \(before) 人\(of.zh)；同团确实还有人来时请加 --more",
            en: "checked in already: \(time), \(before) people\(of.en); if more of the group have come, give --more")
    }
}
