import Foundation
import Kernel
import Testing

@testable import Messages

@Suite struct MessageRuleTests {
    private let day = CivilDay(daysSince2020: 2206)

    private func notice(
        _ kind: MessageKind, state: String = "confirmed", days: [CivilDay]? = nil, key: String = "k:1",
        language: Language = .chinese, unit: String = "区委党校", kept: Int64 = 0, refund: Int64 = 0
    ) -> Notice {
        let sessions = (days ?? [day.adding(days: 1)]).map { day in
            let start = Date(timeIntervalSince1970: Double(day.daysSince1970) * 86_400 + 3600)
            return Notice.Session(
                day: day, startsAt: start, endsAt: start.addingTimeInterval(9000), site: "红色教育基地", programme: "红色研学")
        }
        return Notice(
            id: 3, key: key, kind: kind, attempts: 1, createdAt: Date(timeIntervalSince1970: 1), booking: 17,
            reference: "ABCD-EFGH-IJKL", unit: unit, headcount: 40, leader: "王老师", phone: "13812345678",
            email: "a@example.cn", language: language, state: state,
            holdUntil: Date(timeIntervalSince1970: 1_767_225_600), kept: Money(fen: kept),
            refundDue: Money(fen: refund), sessions: sessions)
    }

    @Test func `waits double up to six hours, give or take a quarter`() {
        for (attempts, seconds) in [(1, 60.0), (2, 120), (5, 960), (9, 15_360), (10, 21_600), (1000, 21_600)] {
            #expect(MessageRules.wait(after: attempts, chance: 0) == seconds * 0.75)
            #expect(MessageRules.wait(after: attempts, chance: 0.5) == seconds)
            #expect(MessageRules.wait(after: attempts, chance: 1) == seconds * 1.25)
        }
    }

    @Test(arguments: MessageKind.allCases) func `a message that its booking has overtaken is pointless`(
        kind: MessageKind
    ) {
        let states: [MessageKind: Set<String>] = [
            .requested: ["requested"], .waitlisted: ["waitlisted"], .held: ["held"], .confirmed: ["confirmed"],
            .changed: ["requested", "held", "confirmed", "waitlisted"], .cancelled: ["cancelled"],
            .expired: ["expired"], .reminder: ["confirmed"],
        ]
        let all = [
            "requested", "held", "confirmed", "arrived", "completed", "waitlisted", "expired", "cancelled", "no_show",
        ]
        let key = kind == .reminder ? "reminder:17:\(day.adding(days: 1))" : "k:1"
        for state in all {
            let overtaken = MessageRules.isOvertaken(notice(kind, state: state, key: key), today: day)
            #expect(overtaken != states[kind]?.contains(state), "\(state)")
            let isTold = kind == .cancelled && state == "cancelled"
            #expect(
                MessageRules.isOvertaken(notice(kind, state: state, key: key), today: day.adding(days: 2)) != isTold,
                "its day is over")
        }
    }

    @Test func `a reminder is of the day that its booking still has`() {
        let key = MessageRules.reminderKey(17, day.adding(days: 1))
        #expect(!MessageRules.isOvertaken(notice(.reminder, key: key), today: day))
        #expect(!MessageRules.isOvertaken(notice(.reminder, key: key), today: day.adding(days: 1)))
        let moved = notice(.reminder, days: [day.adding(days: 5)], key: key)
        #expect(MessageRules.isOvertaken(moved, today: day))
        let first = notice(.reminder, days: [day.adding(days: -1), day.adding(days: 4)], key: "reminder:17:\(day)")
        #expect(MessageRules.isOvertaken(first, today: day))
    }

    @Test(arguments: Language.allCases, MessageKind.allCases)
    func `every kind has its words in both languages`(language: Language, kind: MessageKind) {
        let text = MessageText(notice(kind, language: language), brand: "津小韩", today: day)
        #expect(text.subject.hasPrefix(language == .chinese ? "津小韩研学：" : "津小韩 tours: "))
        #expect(text.body.contains("ABCD-EFGH-IJKL"))
        #expect(text.body.contains("\(day.adding(days: 1)) 09:00–11:30 红色教育基地 · 红色研学"))
        #expect(text.body.contains(language == .chinese ? "40 人" : "40 people"))
        #expect(text.body.utf8.count < 1000)
        if kind == .requested || kind == .held { #expect(text.body.contains("2026-01-01 08:00")) }
    }

    @Test func `a cancellation tells of the money`() {
        let text = MessageText(
            notice(.cancelled, state: "cancelled", kept: 50_000, refund: 150_000), brand: "津小韩", today: day)
        #expect(text.body.contains("按规定收取 500.00 元。应退 1500.00 元。"))
    }

    @Test func `a reminder says today on the day itself`() {
        let tomorrow = day.adding(days: 1)
        #expect(MessageText(notice(.reminder), brand: "津小韩", today: day).body.contains("您明天来"))
        #expect(MessageText(notice(.reminder), brand: "津小韩", today: tomorrow).body.contains("您今天来"))
    }

    @Test func `a name begins no line of its own`() {
        let unit = "甲\r\n.\r\nRCPT TO:<x@y>\n\u{2028}预约号 ZZZZ"
        let text = MessageText(notice(.confirmed, unit: unit), brand: "津\n小韩", today: day)
        let lines = text.body.split(whereSeparator: \.isNewline)
        #expect(lines.filter { $0.hasPrefix("预约号") }.count == 1)
        #expect(!lines.contains(".") && !lines.contains { $0.hasPrefix("RCPT") })
        #expect(!text.subject.contains { $0.isNewline })
    }

    @Test func `a setting for curl can't begin another`() throws {
        let hostile = "a\"b\\c\nurl = \"http://evil\"\r\tx"
        #expect(Curl.quoted(hostile) == #""a\"b\\c\nurl = \"http://evil\"\r\tx""#)
        let curl = try Curl.post([], identity: "x\nurl = http://evil", to: Webhook(url: "http://127.0.0.1/"))
        #expect(curl.configuration.split(separator: "\n").filter { $0.hasPrefix("url") }.count == 1)
    }

    @Test(arguments: [
        "", "example.cn", "ftp://example.cn", "smtp://", "smtp://example.cn/path", "smtp://user@example.cn",
        "smtp://a:b@example.cn?tls=no", "smtp://a:b@example.cn#x", "smtp://a%0A:b@example.cn", "smtp://a%3Ab:c@h.cn",
        "smtp://exa mple.cn",
    ]) func `what is no mail server is refused, and not quoted`(url: String) {
        let refused = #expect(throws: Refusal.self) { try MailServer(url: url, from: "tours@example.cn") }
        #expect(refused?.field == "TAOYUAN_SMTP_URL")
        if url.utf8.count > 8 { #expect(refused?.message.en.contains(url) == false) }
    }

    @Test(arguments: [
        "", "tours", "a@b@c", "Tours <a@b.cn>", "a b@c.cn", "-f@c.cn", "a@-c.cn", "a\n@b.cn", "a@b.cn\r\nBcc: x@y.cn",
        "村@例.cn", "a,b@c.cn", "\"a\"@c.cn", "@c.cn", "a@",
    ]) func `what is no plain address is refused`(address: String) {
        let refused = #expect(throws: Refusal.self) { try MailServer(url: "smtp://example.cn", from: address) }
        #expect(refused?.field == "TAOYUAN_MAIL_FROM")
        #expect(MailServer.address(address) == nil)
    }

    @Test func `a server's address is taken apart`() throws {
        let server = try MailServer(url: "smtp://to%40urs:p%2F%22w%5C@mail.example.cn", from: "tours@example.cn")
        #expect(server.host == "mail.example.cn" && server.port == 587 && server.needsTLS && !server.isEncrypted)
        #expect(server.user == "to@urs" && server.password == "p/\"w\\")
        let encrypted = try MailServer(url: "smtps://mail.example.cn", from: "tours@example.cn")
        #expect(encrypted.isEncrypted && encrypted.port == 465)
        for local in ["smtp://127.0.0.1:25", "smtp://localhost", "smtp://[::1]:2525", "smtp://mail.example.cn?tls=off"]
        {
            #expect(try !MailServer(url: local, from: "tours@example.cn").needsTLS, "\(local)")
        }
        #expect(try MailServer(url: "smtp://127.0.0.2", from: "tours@example.cn").needsTLS)
    }

    @Test(arguments: ["", "example.cn/x", "ftp://example.cn", "http://", "https://例.cn/", "http://a b/"])
    func `what is no web address is refused`(url: String) {
        let refused = #expect(throws: Refusal.self) { try Webhook(url: url) }
        #expect(refused?.field == "TAOYUAN_WEBHOOK_URL")
    }
}
