import Database
import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Messages

/// What was given up is tried again when somebody says so.
@Suite struct RetryTests {
    private func sender(_ village: TestVillage, _ hook: Listener) throws -> MessageSender {
        village.outbox(MessageWays(mail: nil, webhook: try Webhook(url: "http://127.0.0.1:\(hook.port)/send")))
    }

    /// Fails until everything is given up.
    private func giveUp(_ village: TestVillage, _ sender: MessageSender) async throws {
        try await village.audited([
            "UPDATE message SET attempts = \(MessageRules.attempts - 1), due_at = created_at WHERE sent_at IS NULL"
        ])
        #expect(try await sender.sendDue().givenUp > 0)
    }

    @Test func `a message that was given up goes out once it is retried, as the same message`() async throws {
        let hook = try await Listener(.http)
        try await withVillage { village in
            try await village.put("k")
            let sender = try sender(village, hook)
            try hook.reply("503")
            try await giveUp(village, sender)
            let lost = try #require(try await village.messages()["k"])
            #expect(lost.state == .givenUp && lost.lastError == "http 503")

            let retried = try await village.database.change(
                village.committee, MessageStore.retry(lost.id, now: village.clock.now))
            #expect(retried.state == .waiting && retried.attempts == 0 && retried.key == "k")
            let due = try #require(try await village.messages()["k"]?.dueAt)
            #expect(abs(due.timeIntervalSince(retried.dueAt)) < 0.001)
            // It has all its attempts before it: one more failure is not the end.
            #expect(try await sender.sendDue() == MessageSender.Tally(failed: 1))
            #expect(try await village.messages()["k"]?.state == .waiting)
            try await giveUp(village, sender)
            _ = try await village.database.change(
                village.committee, MessageStore.retry(lost.id, now: village.clock.now))
            try hook.reply(nil)
            #expect(try await sender.sendDue() == MessageSender.Tally(sent: 1))
            let sent = try #require(try await village.messages()["k"])
            #expect(sent.id == lost.id && sent.state == .sent && sent.attempts == 1 && sent.lastError == nil)
            let delivery = try #require(try hook.deliveries.first)
            let identity = try #require(delivery.headers["idempotency-key"])
            #expect(identity.hasPrefix("k.\(lost.id)."))
            #expect(try await village.number("SELECT count(*) FROM message") == 1)

            let again = try await refusal {
                _ = try await village.database.change(
                    village.committee, MessageStore.retry(lost.id, now: village.clock.now))
            }
            #expect(again?.code == "message-not-given-up" && again?.kind == .conflict)
            #expect(try await sender.sendDue() == MessageSender.Tally())
            #expect(try hook.deliveries.count == 1)
            #expect(
                try await village.number(
                    "SELECT count(*) FROM event WHERE kind = 'message.retry' AND subject = \("\(lost.id)")") == 2)
        }
    }

    @Test func `only what was given up is retried`() async throws {
        try await withVillage { village in
            try await village.put("waiting")
            let waiting = try #require(try await village.messages()["waiting"])
            for (id, code) in [(waiting.id, "message-not-given-up"), (waiting.id + 1, "unknown-message")] {
                let refused = try await refusal {
                    _ = try await village.database.change(
                        village.committee, MessageStore.retry(id, now: village.clock.now))
                }
                #expect(refused?.code == code)
            }
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind = 'message.retry'") == 0)
            try await village.audited(["UPDATE message SET given_up_at = now()"])
            let orchard = try await village.plant()
            let clerk = village.clerk(of: orchard.east)
            let hidden = try await refusal {
                _ = try await village.database.change(clerk, MessageStore.retry(waiting.id, now: village.clock.now))
            }
            #expect(hidden?.code == "unknown-message")
        }
    }

    @Test func `of two who retry one message one is told that it waits`() async throws {
        try await withVillage { village in
            try await village.put("k")
            try await village.audited(["UPDATE message SET given_up_at = now()"])
            let message = try #require(try await village.messages()["k"])
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await refusal {
                            _ = try await village.database.change(
                                village.committee, MessageStore.retry(message.id, now: village.clock.now))
                        }?.code
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.filter { $0 == nil }.count == 1)
            #expect(Set(codes.compactMap(\.self)) == ["message-not-given-up"])
        }
    }

    @Test func `all that failed are retried, and nothing that is pointless`() async throws {
        let hook = try await Listener(.http)
        try await withVillage { village in
            try await village.put("a", "b")
            try await village.put("pointless", about: "gone")
            let sender = try sender(village, hook)
            try hook.reply("500")
            try await giveUp(village, sender)
            try await village.put("new")
            let count = try await village.database.change(
                village.committee, MessageStore.retryAllFailed(now: village.clock.now))
            #expect(count == MessageStore.Retried(count: 2, refused: 0))
            let states = try await village.messages().mapValues(\.state)
            #expect(states == ["a": .waiting, "b": .waiting, "pointless": .notSent, "new": .waiting])
            try hook.reply(nil)
            #expect(try await sender.sendDue() == MessageSender.Tally(sent: 3))
            let none = try await village.database.change(
                village.committee, MessageStore.retryAllFailed(now: village.clock.now))
            #expect(none == MessageStore.Retried(count: 0, refused: 0))
        }
    }

    @Test func `what a server has refused for good is left out and counted`() async throws {
        let hook = try await Listener(.http)
        try await withVillage { village in
            let sender = try sender(village, hook)
            try hook.reply("410")
            try await village.put("refused")
            #expect(try await sender.sendDue() == MessageSender.Tally(givenUp: 1))
            try hook.reply("500")
            try await village.put("failed")
            try await giveUp(village, sender)
            let retried = try await village.database.change(
                village.committee, MessageStore.retryAllFailed(now: village.clock.now))
            #expect(retried == MessageStore.Retried(count: 1, refused: 1))
            let messages = try await village.messages()
            #expect(messages.mapValues(\.state) == ["refused": .givenUp, "failed": .waiting])
            // Somebody has mended its address.
            let id = try #require(messages["refused"]?.id)
            _ = try await village.database.change(village.committee, MessageStore.retry(id, now: village.clock.now))
            try hook.reply(nil)
            #expect(try await sender.sendDue() == MessageSender.Tally(sent: 2))
        }
    }
}
