import Foundation
import Kernel
import Testing

@testable import Messages

@Suite struct MessageRuleTests {
    @Test func `waits double up to six hours, give or take a quarter`() {
        for (attempts, seconds) in [(1, 60.0), (2, 120), (5, 960), (9, 15_360), (10, 21_600), (1000, 21_600)] {
            #expect(MessageRules.wait(after: attempts, chance: 0) == seconds * 0.75)
            #expect(MessageRules.wait(after: attempts, chance: 0.5) == seconds)
            #expect(MessageRules.wait(after: attempts, chance: 1) == seconds * 1.25)
        }
    }

    @Test(arguments: [
        (550, 55, "curl: (55) RCPT failed: 550", true), (554, 55, "curl: (55) DATA failed: 554", true),
        (552, 8, "curl: (8) Weird server reply", true), (553, 55, "curl: (55) MAIL failed: 553", false),
        (554, 8, "curl: (8) Got unexpected smtp-server response: 554", false),
        (554, 9, "curl: (9) Remote access denied: 554", false), (535, 67, "curl: (67) Login denied", false),
        (451, 55, "curl: (55) RCPT failed: 451", false),
    ]) func `a server's no is for good when it is about the recipient or the mail`(
        code: Int, status: Int32, talk: String, isFinal: Bool
    ) {
        #expect(MessageRules.isFinal(smtp: code, curl: status, talk: talk) == isFinal)
    }

    @Test func `a gateway's no is for good unless it asks for patience`() {
        for code in [400, 401, 404, 410, 422] { #expect(MessageRules.isFinal(http: code), "\(code)") }
        for code in [302, 408, 429, 500, 503] { #expect(!MessageRules.isFinal(http: code), "\(code)") }
    }

    @Test func `a text is one line, whatever a name holds`() {
        #expect(!MessageText.plain("甲\r\n.\r\nRCPT TO:<x@y>\n\u{2028}预约号 ZZZZ").contains { $0.isNewline })
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
