import Foundation
import Kernel
import Tours

/// How tickets, and what the gate saw, look outside.
extension Shapes {
    /// As the desk sees it.
    public static let ticket = Shape<Ticket>(
        "Ticket",
        ownTicketMembers + [
            .init("keyId", .text(4...4), note: "Of the key that signed it", \.signed.body.keyID.hex),
            .each("visits", of: \.booking.visits) { visit, language in
                (
                    Bilingual(zh: "场次", en: "session")[language],
                    "\(visit.day) \(visit.hours) \(visit.site) · \(visit.programme)"
                )
            },
        ], facts: ["booking", "reference", "unit", "headcount", "leader", "state", "url", "visits"])

    /// As the group sees it.
    public static let ownTicket = Shape<Ticket>("OwnTicket", ownTicketMembers)

    private static let ownTicketMembers: [Shape<Ticket>.Member] = [
        .init("booking", "预约编号", "booking", .booking, \.booking.number),
        .init("reference", "预约号", "reference", .reference, \.booking.reference),
        .init("unit", "单位", "group", .text(), \.booking.unit),
        .init("headcount", "人数", "people", .people, \.booking.headcount),
        .init("leader", "带队人", "leader", .text(), \.booking.leader),
        .init("state", "状态", "state", .word, \.booking.state),
        .init("day", .day, note: "Of the first session, as the ticket has it", \.day),
        .init(
            "payload", .text(120...120), note: "What the QR carries, without the address", \.payload),
        .init("url", "凭证", "ticket", .text(1...400), note: "The address in the QR", \.url),
        .init("sessions", .list(of: .object(visit)), \.booking.visits),
    ]

    private static let visit = Shape<GateVisit>(
        nil,
        [
            .init("session", .number(), \.session), .init("day", .day, \.day),
            .init("startsAt", .instant, \.startsAt), .init("endsAt", .instant, \.endsAt),
            .init("site", .text(), \.site), .init("programme", .text(), \.programme),
            .init("headcount", .people, \.headcount), .init("arrived", optional: .count(0...10_000), \.arrived),
        ])

    public static let gateCheckIn = Shape<GateCheckIn>(
        "GateCheckIn",
        [
            .init("checkIn", "签到", "check-in", .number(), \.id),
            .init("session", "场次", "session", .number(), \.session),
            .init("headcount", "人数", "people", .people, \.headcount),
            .init("at", "时刻", "at", .instant, note: "By the gate's clock", \.at), .init("offline", .flag, \.offline),
            .init("unlisted", .flag, note: "Let in by the ticket's signature alone", \.unlisted),
            .init("actor", "经手", "by", .actor, \.actor), .init("counts", .flag, \.counts),
            .init("undone", optional: .object(undone), \.undone),
            .reading("remark", "备注", "remark") { checkIn, language in
                checkIn.undone.map { Bilingual(zh: "已撤销：", en: "taken back: ")[language] + $0.reason }
                    ?? (checkIn.counts ? "" : Bilingual(zh: "没有计入", en: "not counted")[language])
            },
        ], list: ["checkIn", "at", "session", "headcount", "actor", "remark"])

    private static let undone = Shape<GateCheckIn.Undone>(
        nil,
        [
            .init("reason", .text(), \.reason), .init("actor", .actor, \.actor), .init("at", .instant, \.at),
        ])

    public static let gateConflict = Shape<GateConflict>(
        "GateConflict",
        [
            .init("conflict", "编号", "conflict", .number(), \.id),
            .init("booking", "预约", "booking", .booking, \.booking),
            .init("reference", .reference, \.reference), .init("unit", "单位", "unit", .text(), \.unit),
            .init("state", "预约状态", "state", .word, note: "Where the booking stands now", \.state),
            .init("session", "场次", "session", optional: .number(), note: "Where the gate let them in", \.session),
            .init("day", .day, \.day), .init("headcount", "人数", "people", .people, \.headcount),
            .init("why", "情况", "why", .word, \.why), .init("offline", .flag, \.offline),
            .init("at", "时刻", "at", .instant, note: "By the gate's clock", \.at),
            .init("receivedAt", .instant, \.receivedAt), .init("actor", .actor, \.actor),
            .init("settlement", optional: .object(settlement), \.settlement),
            .reading("verdict", "处理", "settled") { conflict, language in
                guard let settlement = conflict.settlement else { return Bilingual(zh: "待处理", en: "open")[language] }
                let verdict =
                    settlement.accepted
                    ? Bilingual(zh: "认可：", en: "accepted: ") : Bilingual(zh: "不认可：", en: "dismissed: ")
                return verdict[language] + settlement.reason
            },
            .reading("standing", "状态", "state") { $0.state.label[$1] },
        ], list: ["conflict", "booking", "unit", "at", "session", "headcount", "why", "state", "verdict"], blank: "—",
        facts: ["conflict", "booking", "unit", "headcount", "verdict", "standing"])

    private static let settlement = Shape<GateConflict.Settlement>(
        nil,
        [
            .init("accepted", .flag, \.accepted), .init("reason", .text(), \.reason), .init("actor", .actor, \.actor),
            .init("at", .instant, \.at),
        ])
}

/// What becomes of check-ins. Refusals and warnings speak the language of whoever is told.
extension Shapes {
    /// Of one entry of an upload, or of a check-in alone.
    public static func gateAnswer(_ language: Language) -> Shape<GateAnswer> {
        Shape(
            nil,
            [
                .init("nonce", optional: .text(1...1000), \.nonce), .init("result", "结果", "result", .result, \.result),
                .init("checkIn", optional: .object(checkIn(language)), \.answer),
                .init(
                    "reason", optional: .object(refusal(language)), note: "Why, of one that was refused",
                    \.refusal),
            ])
    }

    /// Of one line of a gate's journal.
    public static func journalLine(_ language: Language) -> Shape<GateAnswer> {
        Shape(
            nil,
            gateAnswer(language).members + [
                .init("line", optional: .count(), note: "Of one that can't be read", \.line),
                .reading("at", "时刻", "at") { answer, _ in answer.entry?.at.minute },
                .reading("code", "码", "code") { answer, language in
                    answer.entry.map { String($0.code.suffix(14)) }
                        ?? answer.line.map { Bilingual(zh: "第 \($0) 行", en: "line \($0)")[language] }
                },
                .reading("headcount", "人数", "people", alignsRight: true) { answer, _ in
                    answer.entry?.headcount.description
                },
                .reading("remark", "说明", "remark") { $0.remark($1) },
            ], list: ["at", "code", "headcount", "result", "remark"], blank: "—")
    }

    public struct GateAnswer: Sendable {
        let nonce: String?
        let result: String
        let answer: CheckInAnswer?
        let refusal: Refusal?
        fileprivate let entry: CheckInEntry?
        fileprivate let line: Int?

        /// - Parameter entry: as a gate's journal has it.
        public init(_ result: CheckInResult, nonce: String?, entry: CheckInEntry? = nil) {
            (self.nonce, self.result, self.entry, line) = (nonce, result.word, entry, nil)
            switch result {
            case .answered(let answer): (self.answer, refusal) = (answer, nil)
            case .refused(let refusal): (answer, self.refusal) = (nil, refusal)
            }
        }

        public init(_ damage: GateJournal.Damage) {
            (nonce, result, answer, refusal) = (nil, "damaged", nil, damage.refusal)
            (entry, line) = (nil, damage.line)
        }
    }

    /// What the gate answers to one that it has seen.
    public static func checkIn(_ language: Language) -> Shape<CheckInAnswer> {
        Shape(
            "CheckIn",
            [
                .init(
                    "checkIn", "签到", "check-in", optional: .number(), note: "Its number, of one that counts"
                ) { $0.outcome == .counted ? $0.number : nil },
                .init(
                    "conflict", "待处理", "to be settled", optional: .number(),
                    note: "Its number, of one that is kept for the desk"
                ) { $0.outcome == .counted ? nil : $0.number },
                .init("why", optional: .word, note: "Why it is kept for the desk", \.why),
                .init("booking", "预约编号", "booking", .booking, \.booking),
                .init("reference", optional: .reference, \.reference),
                .init("unit", "单位", "group", optional: .text(), \.unit),
                .init("session", optional: .number(), \.session), .init("day", .day, \.day),
                .init("site", optional: .text(), \.site), .init("programme", optional: .text(), \.programme),
                .init("expected", "预约人数", "booked", optional: .people, note: "Heads booked", \.expected),
                .init("headcount", .people, \.headcount),
                .init(
                    "arrived", "已到", "arrived", optional: .count(0...1_000_000), note: "How many of the group are in",
                    \.arrived),
                .init("at", .instant, \.at),
                .init("earlier", optional: .object(earlier), note: "Who came in before", \.earlier),
                .init("warnings", .list(of: .object(warning(language))), \.warnings),
                .reading("visit", "场次", "session") { answer, _ in
                    "\(answer.day) " + [answer.site, answer.programme].compactMap(\.self).joined(separator: " · ")
                },
            ], facts: ["booking", "unit", "expected", "arrived", "visit", "checkIn", "conflict"])
    }

    private static let earlier = Shape<CheckInAnswer.Earlier>(
        nil,
        [
            .init("at", .instant, \.at), .init("headcount", .people, \.headcount),
            .init("actor", .actor, \.actor), .init("offline", .flag, \.offline),
        ])

    private static func warning(_ language: Language) -> Shape<GateWarning> {
        Shape(
            nil,
            [
                .init("code", .text(), \.code),
                .init("message", .text(1...1000)) { $0.message[language] },
            ])
    }

    private static func refusal(_ language: Language) -> Shape<Refusal> {
        Shape(
            nil,
            [
                .init("code", .text(), \.code), .init("field", optional: .text(), \.field),
                .init("message", .text(1...1000)) { $0.message[language] },
            ])
    }
}

extension Look where Value == String {
    fileprivate static var result: Self {
        Look(.enumeration(CheckInResult.words), json: JSON.string) { result, language in
            let words = [
                "counted": Bilingual(zh: "计入", en: "counted"), "repeated": Bilingual(zh: "早已并入", en: "there already"),
                "twice": Bilingual(zh: "重复", en: "twice"), "conflict": Bilingual(zh: "待处理", en: "conflict"),
                "refused": Bilingual(zh: "拒绝", en: "refused"), "damaged": Bilingual(zh: "读不懂", en: "damaged"),
            ]
            return words[result]?[language] ?? result
        }
    }
}

extension Shapes.GateAnswer {
    fileprivate func remark(_ language: Language) -> String? {
        guard let answer else { return refusal?.message[language] }
        func say(_ zh: String, _ en: String) -> String { Bilingual(zh: zh, en: en)[language] }
        var parts = [answer.unit ?? "\(answer.booking)"]
        if let why = answer.why {
            let number = answer.number.map { " \($0)" } ?? ""
            parts.append(say("待处理\(number)：", "to be settled\(number): ") + why.label[language])
        }
        if let earlier = answer.earlier {
            parts.append(say("先前 ", "before: ") + "\(earlier.at.minute) \(Recorded(language).actor(earlier.actor))")
        }
        return (parts + answer.warnings.map { $0.message[language] }).joined(separator: say("，", ", "))
    }
}
