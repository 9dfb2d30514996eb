import Foundation
import Kernel
import TestSupport
import Testing

@testable import Tours

/// A refund lowers what a visit came to where it was granted after it; what was paid too much only goes back.
@Suite struct GrantedRefundTests {
    private enum Do: Sendable {
        case adjust(Int64), decide(Int64), refund, pay(Int64), arrive, reverse, stepBack
    }

    /// A booking of 1,000 yuan that is paid, what happens to it, and what it comes to, what is left to pay, paid too much
    /// and to go back then.
    private static let stories: [(name: String, steps: [Do], expected: [Int64])] = [
        (
            "an adjustment taken back after its refund", [.arrive, .adjust(-200), .decide(200), .refund, .adjust(200)],
            [1000, 200, 0, 0]
        ),
        ("and paid again", [.arrive, .adjust(-200), .decide(200), .refund, .adjust(200), .pay(200)], [1000, 0, 0, 0]),
        (
            "an adjustment taken back before its refund", [.arrive, .adjust(-200), .decide(200), .adjust(200)],
            [1000, 0, 0, 0]
        ),
        (
            "taken back in part before its refund", [.arrive, .adjust(-200), .decide(200), .adjust(50), .refund],
            [850, 0, 0, 0]
        ),
        ("granted", [.arrive, .decide(200), .refund], [800, 0, 0, 0]),
        ("granted and not yet gone back", [.arrive, .decide(200)], [1000, 0, 0, 200]),
        ("granted and explained later", [.arrive, .decide(200), .refund, .adjust(-200)], [800, 0, 0, 0]),
        (
            "granted and explained before it goes back", [.arrive, .decide(200), .adjust(-200), .refund],
            [800, 0, 0, 0]
        ),
        ("granted and explained by more", [.arrive, .decide(200), .refund, .adjust(-300)], [700, 0, 100, 0]),
        (
            "the explanation is taken back", [.arrive, .decide(200), .refund, .adjust(-200), .adjust(200)],
            [1000, 200, 0, 0]
        ),
        ("granted, and more came", [.arrive, .decide(200), .refund, .adjust(100)], [900, 100, 0, 0]),
        ("in part too much", [.arrive, .adjust(-100), .decide(300), .refund], [700, 0, 0, 0]),
        (
            "in part too much, which is taken back", [.arrive, .adjust(-100), .decide(300), .refund, .adjust(100)],
            [800, 100, 0, 0]
        ),
        ("granted twice", [.arrive, .decide(200), .refund, .decide(300), .refund], [700, 0, 0, 0]),
        ("decided for too much", [.arrive, .decide(900), .decide(200), .refund], [800, 0, 0, 0]),
        ("the refund was a mistake", [.arrive, .decide(200), .refund, .reverse], [1000, 0, 0, 200]),
        ("all of it granted, and less came", [.arrive, .decide(1000), .refund, .adjust(-400)], [0, 0, 0, 0]),
        ("a deposit decided before the visit", [.decide(1000), .arrive, .refund], [1000, 1000, 0, 0]),
        ("a deposit that went back before it", [.decide(1000), .refund, .arrive], [1000, 1000, 0, 0]),
        ("granted, and completed anew", [.arrive, .decide(200), .refund, .stepBack, .arrive], [800, 0, 0, 0]),
    ]

    @Test(arguments: 0..<stories.count)
    func `what a visit came to is lowered by what was granted alone`(index: Int) async throws {
        let story = Self.stories[index]
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let key = try await ground.book(10)
            try await ground.pay(key, 1000)
            village.clock.set(ground.day, hour: 8)
            for step in story.steps {
                let now = village.clock.now
                switch step {
                case .adjust(let yuan): try await ground.adjust(key, yuan)
                case .decide(let yuan):
                    try await village.change(PaymentStore.decideRefund(key, Money(fen: yuan * 100), now: now))
                case .refund: try await village.change(PaymentStore.refund(key, how: "微信", now: now))
                case .pay(let yuan): try await ground.pay(key, yuan)
                case .arrive:
                    ground.arrive()
                    try await ground.complete(key, 10)
                case .reverse:
                    let payments = try await BookingStore(village.database).show(key, village.committee).payments
                    let last = try #require(payments.last?.id)
                    try await village.change(PaymentStore.reverse(key, payment: last, reason: "误记", now: now))
                case .stepBack: try await village.change(BookingStore.undo(key, reason: "人数", now: now))
                }
            }
            let booking = try await ground.booking(key)
            let amounts = [booking.charge, booking.open, booking.tooMuch, booking.refundOpen].map { $0.fen / 100 }
            let (charge, open) = (story.expected[0], story.expected[1])
            // What is granted is too much from then on until it has gone back.
            #expect(
                amounts[0] == charge && amounts[1] == open && amounts[3] == story.expected[3],
                "\(story.name): \(amounts)")
            #expect(booking.refundOpen.fen > 0 || amounts[2] == story.expected[2], "\(story.name): \(amounts)")
            #expect(try await ground.income() == (charge == 0 ? [:] : [ground.day: charge]), "\(story.name)")
            #expect(try await ground.claims() == open, "\(story.name)")
        }
    }
}
