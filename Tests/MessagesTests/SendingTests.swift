import Database
import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Messages

/// Messages on their way to real servers.
@Suite struct SendingTests {
    /// A village whose clock stands at the database's, because the outbox is filled by the latter.
    private func withOutbox(
        poolSize: Int = 4, _ body: @Sendable (TestVillage) async throws -> Void
    ) async throws {
        try await withVillage(poolSize: poolSize) { village in
            village.clock.advance(seconds: Date().timeIntervalSince(village.clock.now) + 1)
            try await body(village)
        }
    }

    private func ways(mail: Listener? = nil, hook: Listener? = nil, smtp: String? = nil) throws -> MessageWays {
        let url = smtp ?? mail.map { "smtp://127.0.0.1:\($0.port)" }
        return MessageWays(
            mail: try url.map { try MailServer(url: $0, from: "tours@example.cn") },
            webhook: try hook.map { try Webhook(url: "http://127.0.0.1:\($0.port)/send?token=secret") })
    }

    private func sender(
        _ village: TestVillage, mail: Listener? = nil, hook: Listener? = nil, database: Database? = nil,
        smtp: String? = nil
    ) throws -> MessageSender {
        village.outbox(try ways(mail: mail, hook: hook, smtp: smtp), database: database)
    }

    private func list(_ village: TestVillage) async throws -> [Message] {
        try await MessageStore(village.database).list(village.committee)
    }

    @Test func `a message reaches its group by mail, once`() async throws {
        let server = try await Listener(.smtp)
        try await withOutbox { village in
            try await village.put("confirmed:17", "confirmed:17")
            let sender = try sender(village, mail: server)
            #expect(try await sender.sendDue() == MessageSender.Tally(sent: 1))
            #expect(try await sender.sendDue() == MessageSender.Tally())
            let mail = try #require(try server.deliveries.first)
            #expect(try server.deliveries.count == 1)
            #expect(mail.to == ["a@example.cn"] && mail.sender == "tours@example.cn")
            #expect(mail.subject == "津小韩研学：confirmed")
            #expect(mail.headers["from"] == "津小韩 <tours@example.cn>")
            #expect(mail.body.contains("您的预约已确认") && mail.body.contains("区委党校 · 40 人"))
            let identity = try #require(mail.headers["idempotency-key"])
            #expect(identity.hasPrefix("confirmed=3a17."))
            #expect(mail.headers["message-id"] == "<\(identity)@example.cn>")
            let message = try #require(try await list(village).first)
            #expect(message.state == .sent && message.attempts == 1 && message.lastError == nil)
        }
    }

    @Test func `a message without a mail address goes to the webhook`() async throws {
        let hook = try await Listener(.http)
        let server = try await Listener(.smtp)
        try await withOutbox { village in
            try await village.put("k", email: nil)
            #expect(try await sender(village, mail: server, hook: hook).sendDue().sent == 1)
            let request = try #require(try hook.deliveries.first)
            #expect(request.to == ["/send?token=secret"])
            #expect(request.headers["content-type"] == "application/json")
            let body = try #require(
                try JSONSerialization.jsonObject(with: Data(request.body.utf8)) as? [String: Any])
            #expect(body["key"] as? String == request.headers["idempotency-key"])
            #expect(body["phone"] as? String == "13812345678" && body["kind"] as? String == "confirmed")
            #expect(body["name"] as? String == "王老师" && body["unit"] as? String == "区委党校")
            #expect((body["text"] as? String)?.contains("您的预约已确认") == true)
            #expect(body["links"] as? [String: String] == ["booking": "https://trace.example.cn/"])
            #expect(try server.deliveries.isEmpty)
        }
    }

    @Test func `with nowhere to go messages end, and none piles up`() async throws {
        try await withOutbox { village in
            try await village.put("k")
            let sender = try sender(village)
            #expect(sender.ways.lanes == [.all])
            #expect(try await sender.sendDue() == MessageSender.Tally(noAddress: 1))
            let message = try #require(try await list(village).first)
            #expect(message.state == .notSent && message.trouble?.en == "nobody to send to")
            #expect(try await sender.sendDue() == MessageSender.Tally())
        }
    }

    @Test func `without an address and a webhook a message is not sent, which is no trouble`() async throws {
        let server = try await Listener(.smtp)
        try await withOutbox { village in
            for (number, email) in [nil, "a@b\r\nBcc: x@example.cn", "<a@b.cn>", "-oops@b.cn"].enumerated() {
                try await village.put("k\(number)", email: email)
            }
            #expect(try await sender(village, mail: server).sendDue() == MessageSender.Tally(noAddress: 4))
            #expect(Set(try await list(village).map(\.lastError)) == ["no address"])
            let store = MessageStore(village.database)
            #expect(try await store.list(village.committee, state: .givenUp).isEmpty)
            #expect(try await store.list(village.committee, state: .waiting).isEmpty)
            #expect(try await store.list(village.committee, state: .notSent).count == 4)
            #expect(try server.deliveries.isEmpty)
        }
    }

    @Test func `a server that is away is asked again later`() async throws {
        let first = try await Listener(.smtp)
        let port = first.port
        try await first.stop()
        try await withOutbox { village in
            try await village.put("k")
            let sender = try sender(village, smtp: "smtp://127.0.0.1:\(port)")
            #expect(try await sender.sendDue() == MessageSender.Tally(failed: 1))
            let failed = try #require(try await list(village).first)
            #expect(failed.attempts == 1 && failed.lastError == "curl 7" && failed.state == .waiting)
            let wait = failed.dueAt.timeIntervalSince(village.clock.now)
            #expect((45.0...75.0).contains(wait.rounded()))
            #expect(try await sender.sendDue() == MessageSender.Tally(), "it is not due yet")
            let again = try await Listener(.smtp, port: port)
            village.clock.advance(seconds: 80)
            #expect(try await sender.sendDue() == MessageSender.Tally(sent: 1))
            #expect(try again.deliveries.count == 1)
            let sent = try #require(try await list(village).first)
            #expect(sent.attempts == 2 && sent.lastError == nil && sent.state == .sent)
        }
    }

    @Test(arguments: [
        (Listener.Kind.smtp, "451 later", "smtp 451"), (.http, "503", "http 503"), (.http, "429", "http 429"),
        (.http, "408", "http 408"), (.http, "302", "http 302"),
    ]) func `what is a no for now is tried again, and given up in the end`(
        kind: Listener.Kind, reply: String, error: String
    ) async throws {
        let listener = try await Listener(kind)
        try listener.reply(reply)
        try await withOutbox { village in
            try await village.put("k")
            let sender = try kind == .smtp ? sender(village, mail: listener) : sender(village, hook: listener)
            #expect(try await sender.sendDue() == MessageSender.Tally(failed: 1))
            #expect(try await list(village).first?.lastError == error)
            try await village.audited([
                "UPDATE message SET attempts = \(MessageRules.attempts - 1), due_at = created_at"
            ])
            #expect(try await sender.sendDue() == MessageSender.Tally(givenUp: 1))
            let message = try #require(try await list(village).first)
            #expect(message.state == .givenUp && message.attempts == MessageRules.attempts)
            #expect(message.lastError == error)
            try listener.reply(nil)
            village.clock.advance(seconds: 86_400)
            #expect(try await sender.sendDue() == MessageSender.Tally())
            #expect(try listener.deliveries.isEmpty)
        }
    }

    @Test(arguments: [
        (Listener.Kind.smtp, "refuse", "550 no such user here", "smtp 550"), (.smtp, "reply", "554 never", "smtp 554"),
        (.smtp, "refuse", "552 mailbox full", "smtp 552"), (.http, "reply", "404", "http 404"),
        (.http, "reply", "422", "http 422"),
    ]) func `what is refused for good is given up after one attempt`(
        kind: Listener.Kind, step: String, reply: String, error: String
    ) async throws {
        let listener = try await Listener(kind)
        try step == "refuse" ? listener.refuse(reply) : listener.reply(reply)
        try await withOutbox { village in
            try await village.put("k")
            let sender = try kind == .smtp ? sender(village, mail: listener) : sender(village, hook: listener)
            #expect(try await sender.sendDue() == MessageSender.Tally(givenUp: 1))
            let message = try #require(try await list(village).first)
            #expect(message.state == .givenUp && message.attempts == 1 && message.lastError == error)
            village.clock.advance(seconds: 86_400)
            #expect(try await sender.sendDue() == MessageSender.Tally())
            #expect(try listener.deliveries.isEmpty)
        }
    }

    @Test func `a slow host holds up neither other hosts nor other ways`() async throws {
        let server = try await Listener(.smtp)
        let hook = try await Listener(.http)
        try server.delay(seconds: 3, to: "slow.cn")
        try await withOutbox { village in
            for number in 0..<3 { try await village.put("slow\(number)", email: "a@slow.cn") }
            for number in 0..<5 { try await village.put("fast\(number)", email: "b@fast.cn") }
            for number in 0..<5 { try await village.put("hook\(number)", email: nil) }
            let sender = try sender(village, mail: server, hook: hook)
            async let tally = sender.sendDue()
            try await awaitCondition("ten messages past the slow ones") {
                try await village.number(
                    "SELECT count(*) FROM message WHERE sent_at IS NOT NULL AND key !~ 'slow'") == 10
            }
            #expect(try await village.number("SELECT count(*) FROM message WHERE sent_at IS NOT NULL") == 10)
            #expect(try await tally == MessageSender.Tally(sent: 13))
            #expect(try await village.number("SELECT max(attempts)::bigint FROM message") == 1)
        }
    }

    @Test func `what comes while a slow mail is on its way does not wait for it`() async throws {
        let server = try await Listener(.smtp)
        let hook = try await Listener(.http)
        try server.delay(seconds: 4, to: "slow.cn")
        try await withOutbox { village in
            try await village.put("slow", email: "a@slow.cn")
            let sender = try sender(village, mail: server, hook: hook)
            let running = Task {
                await withTaskGroup { group in
                    for lane in sender.ways.lanes {
                        group.addTask {
                            while !Task.isCancelled {
                                await #expect(throws: Never.self) {
                                    try await sender.sendDue(lane, every: .milliseconds(50))
                                }
                                try? await Task.sleep(for: .milliseconds(50))
                            }
                        }
                    }
                }
            }
            try await awaitCondition("the slow mail's way") { try server.deliveries.count == 1 }
            try await village.put("fast", email: "b@fast.cn")
            try await village.put("hook", email: nil)
            try await awaitCondition("both") {
                try await village.number("SELECT count(*) FROM message WHERE sent_at IS NOT NULL") == 2
            }
            #expect(try await village.messages()["slow"]?.state == .waiting)
            // What is on its way is waited for.
            running.cancel()
            await running.value
            #expect(try await village.messages()["slow"]?.state == .sent)
        }
    }

    @Test func `of what is told of one thing, only the newest is still sent`() async throws {
        let hook = try await Listener(.http)
        try await withOutbox { village in
            try await village.put("old", about: "booking:1")
            try await village.put("aside", about: "booking:1", supersedes: false)
            try await village.put("new", about: "booking:1")
            try await village.put("other", about: "booking:2")
            try await village.put("late", until: village.clock.now)
            try await village.put("gone", about: "gone")
            #expect(try await sender(village, hook: hook).sendDue() == MessageSender.Tally(sent: 3, overtaken: 3))
            let messages = try await village.messages()
            #expect(messages.values.filter { $0.state == .sent }.map(\.key).sorted() == ["aside", "new", "other"])
            let others = messages.values.filter { $0.state == .notSent }
            #expect(others.count == 3)
            #expect(others.allSatisfy { $0.trouble?.zh == "情况已变，不再发送" })
            #expect(others.allSatisfy { $0.lastError == MessageRules.overtaken && $0.attempts == 1 })
        }
    }

    @Test func `what its source can't read is given up`() async throws {
        let hook = try await Listener(.http)
        try await withOutbox { village in
            try await village.put("k", content: "{}")
            #expect(try await sender(village, hook: hook).sendDue() == MessageSender.Tally(givenUp: 1))
            #expect(try await list(village).first?.lastError == "unreadable")
        }
    }

    @Test func `who dies between sending and marking leaves it to the next, under the same name`() async throws {
        let server = try await Listener(.smtp)
        try await withOutbox { village in
            try await village.put("k")
            let store = MessageStore(village.database)
            let message = try #require(try await store.claim(.all, now: village.clock.now, village.committee))
            let mail = Mail(
                try Notices().text(message, today: village.today), to: "a@example.cn", from: "tours@example.cn",
                name: "津小韩", identity: MessageIdentity.text(message), at: village.clock.now)
            let way = try MailServer(url: "smtp://127.0.0.1:\(server.port)", from: "tours@example.cn")
            #expect(await Curl.mail(mail, to: "a@example.cn", through: way).run(within: .seconds(20)) == .sent)
            // Here it dies.
            let sender = try sender(village, mail: server)
            #expect(try await sender.sendDue() == MessageSender.Tally(), "its lease is not over")
            village.clock.advance(seconds: MessageRules.lease + 1)
            #expect(try await sender.sendDue() == MessageSender.Tally(sent: 1))
            let deliveries = try server.deliveries
            #expect(deliveries.count == 2)
            #expect(Set(deliveries.map { $0.headers["message-id"] }).count == 1)
            #expect(try await list(village).first?.attempts == 2)
        }
    }

    @Test func `a server that goes silent after the mail is left in time, and nobody sends it meanwhile`() async throws
    {
        let server = try await Listener(.smtp)
        try server.delay(seconds: 30, to: "slow.cn")
        try await withOutbox { village in
            try await village.put("k:1", email: "a@slow.cn")
            let sender = village.outbox(try ways(mail: server), patience: .milliseconds(800))
            async let first = sender.sendDue()
            try await awaitCondition("the mail") { try server.deliveries.count == 1 }
            #expect(try await village.outbox(try ways(mail: server)).sendDue() == MessageSender.Tally())
            #expect(try await first == MessageSender.Tally(failed: 1))
            #expect(try await list(village).first?.lastError == "no answer in time")
            #expect(try server.deliveries.count == 1)
            #expect(MessageRules.patience == .seconds(20) && MessageRules.lease >= 60)
        }
    }

    @Test func `two senders at once send each message once`() async throws {
        let hook = try await Listener(.http)
        try await withOutbox { village in
            for index in 0..<40 { try await village.put("k:\(index)", email: nil) }
            let other = village.another()
            let senders = [
                try sender(village, hook: hook), try sender(village, hook: hook, database: other),
                try sender(village, hook: hook),
            ]
            let sent = try await withThrowingTaskGroup(of: Int.self) { group in
                for sender in senders { group.addTask { try await sender.sendDue().sent } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            await other.close()
            #expect(sent.reduce(0, +) == 40)
            let keys = try hook.deliveries.compactMap { $0.headers["idempotency-key"] }
            #expect(keys.count == 40 && Set(keys).count == 40)
            #expect(try await village.number("SELECT max(attempts)::bigint FROM message") == 1)
        }
    }

    @Test(arguments: [
        "甲\r\nBcc: evil@example.cn\r\n\r\n正文", "=HYPERLINK(\"http://evil\")", "\"; url = \"http://evil\" #",
        "'$(reboot)` \\ %s ${x}", "\u{202E}倒\u{2028}行", ".", String(repeating: "长", count: 200),
    ]) func `hostile names stay names`(unit: String) async throws {
        let server = try await Listener(.smtp)
        let hook = try await Listener(.http)
        try await withOutbox { village in
            try await village.put("a\r\nX-Evil: 1", notice: Notice(unit: unit))
            try await village.put("b\"\n", email: nil, notice: Notice(unit: unit))
            #expect(try await sender(village, mail: server, hook: hook).sendDue().sent == 2)
            let mail = try #require(try server.deliveries.first)
            #expect(mail.to == ["a@example.cn"])
            #expect(mail.headers["bcc"] == nil && mail.headers["x-evil"] == nil && mail.headers.count == 10)
            let plain = MessageText.plain(unit)
            #expect(mail.body.contains(plain + " · 40 人"))
            let request = try #require(try hook.deliveries.first)
            let body = try #require(
                try JSONSerialization.jsonObject(with: Data(request.body.utf8)) as? [String: Any])
            #expect(body["unit"] as? String == unit)
            #expect((body["text"] as? String)?.contains(plain) == true)
        }
    }

    @Test func `a server asks for a name and a password`() async throws {
        let login = "tours@example.cn:pa ss\"w\\ö:rd"
        let server = try await Listener(.smtp, login: login)
        try await withOutbox { village in
            try await village.put("k")
            let address = "127.0.0.1:\(server.port)"
            let wrong = try sender(village, smtp: "smtp://tours%40example.cn:wrong@\(address)")
            #expect(try await wrong.sendDue().failed == 1)
            #expect(try await list(village).first?.lastError == "smtp 535")
            village.clock.advance(seconds: 80)
            let right = try sender(village, smtp: "smtp://tours%40example.cn:pa%20ss%22w%5C%C3%B6:rd@\(address)")
            #expect(try await right.sendDue().sent == 1)
            #expect(try server.deliveries.first?.login == login)
        }
    }

    @Test func `a server elsewhere must speak TLS, unless its address says otherwise`() async throws {
        let server = try await Listener(.smtp)
        try await withOutbox { village in
            try await village.put("k")
            // Loopback as well, but no name for this machine that we know of.
            let strict = try sender(village, smtp: "smtp://127.0.0.2:\(server.port)")
            #expect(try await strict.sendDue().failed == 1)
            #expect(try server.deliveries.isEmpty)
            #expect(try await list(village).first?.lastError?.hasPrefix("curl 64") == true)
            village.clock.advance(seconds: 80)
            #expect(try await sender(village, smtp: "smtp://127.0.0.2:\(server.port)?tls=off").sendDue().sent == 1)
        }
    }

    @Test func `a clerk sees no messages`() async throws {
        try await withOutbox { village in
            let orchard = try await village.plant()
            try await village.put("k")
            let seen = try await MessageStore(village.database).list(village.clerk(of: orchard.east))
            #expect(seen.isEmpty)
            let waiting = try await MessageStore(village.database).list(village.committee, state: .waiting)
            let sent = try await MessageStore(village.database).list(village.committee, state: .sent)
            #expect(waiting.count == 1 && sent.isEmpty)
        }
    }
}
