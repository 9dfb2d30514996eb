import Database
import Foundation
import Kernel
import TestSupport
import Testing

@testable import Messages

/// No more than so many messages a day to one phone or address.
@Suite struct DailyLimitTests {
    private func sender(_ village: TestVillage, _ hook: Listener, perDay: Int) throws -> MessageSender {
        MessageSender(
            village.database, village: village.village.id, brand: "津小韩", source: Notices(),
            ways: MessageWays(mail: nil, webhook: try Webhook(url: "http://127.0.0.1:\(hook.port)/send")),
            perDay: perDay, clock: village.clock.clock)
    }

    @Test func `what is over stays in the outbox with its reason, and goes another day when it is asked for`()
        async throws
    {
        let hook = try await Listener(.http)
        try await withVillage { village in
            // One phone under many addresses, as somebody would send them who means harm.
            let sender = try sender(village, hook, perDay: 2)
            var tally = MessageSender.Tally()
            for number in 1...4 {
                try await village.put("k\(number)", email: "a\(number)@example.cn")
                tally = tally + (try await sender.sendDue())
            }
            #expect(tally == MessageSender.Tally(sent: 2, givenUp: 2))
            let over = try await village.messages().values.filter { $0.state == .givenUp }
            #expect(over.count == 2 && over.allSatisfy { $0.lastError == "too many a day" })
            let first = try #require(over.first)
            try await village.change(MessageStore.retry(first.id, now: village.clock.now))
            #expect(try await sender.sendDue().givenUp == 1)
            village.clock.advance(seconds: 86_401)
            try await village.change(MessageStore.retry(first.id, now: village.clock.now))
            #expect(try await sender.sendDue().sent == 1)
        }
    }

    /// Several are on their way before the first of them is known to have gone.
    @Test func `of many at one moment no more go than may`() async throws {
        let hook = try await Listener(.http)
        try await withVillage { village in
            for number in 1...12 { try await village.put("k\(number)", email: "a\(number)@example.cn") }
            let tally = try await sender(village, hook, perDay: 2).sendDue()
            #expect(tally == MessageSender.Tally(sent: 2, givenUp: 10))
        }
    }

    @Test func `one after the other exactly so many go, to others any number, and 0 is no limit`() async throws {
        let hook = try await Listener(.http)
        try await withVillage { village in
            let sender = try sender(village, hook, perDay: 3)
            var sent = 0
            for number in 1...5 {
                try await village.put("k\(number)", email: number % 2 == 0 ? "A@example.cn" : "a@EXAMPLE.cn")
                sent += try await sender.sendDue().sent
            }
            #expect(sent == 3)
            try await village.put("free", email: nil)
            #expect(try await self.sender(village, hook, perDay: 0).sendDue().sent == 1)
        }
    }
}
