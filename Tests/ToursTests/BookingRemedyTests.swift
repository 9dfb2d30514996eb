import Database
import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Tours

/// A refusal says what can be done instead.
@Suite struct BookingRemedyTests {
    @Test func `the steps that are declared are those of the database's table, and no others`() async throws {
        try await withVillage { village in
            let table = Set(
                try await village.owner.query("SELECT from_state || ' → ' || to_state AS step FROM tour_step").map {
                    try $0.decode("step", as: String.self)
                })
            var declared = Set(BookingStep.beginnings.map { "new → \($0.rawValue)" })
            for state in BookingState.allCases {
                for step in BookingStep.allCases {
                    declared.formUnion(step.targets(from: state).map { "\(state.rawValue) → \($0.rawValue)" })
                }
                #expect(state.steps.allSatisfy { $0.isOffered && $0.from.contains(state) })
            }
            #expect(declared.subtracting(table).isEmpty)
            #expect(table.subtracting(declared).isEmpty)
        }
    }

    @Test func `a step from the wrong state names the right ones`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session), as: .confirmed)
            let key = BookingKey.number(booking.id.value)
            let stranger = BookingKey.stranger(booking.reference, phone: "13812345678")
            let twice = try await refusal {
                try await village.change(BookingStore.confirm(key, now: village.clock.now))
            }
            #expect(twice?.message.zh.hasSuffix("现在可以：更改、签到、登记未到、完成、取消") == true)
            #expect(
                twice?.message.en.hasSuffix("what can be done now: change, check in, no-show, complete, cancel") == true
            )
            try await village.change(BookingStore.cancel(key, now: village.clock.now))
            let over = try await refusal {
                try await village.change(BookingStore.confirm(key, now: village.clock.now))
            }
            #expect(over?.code == "step-not-allowed" && over?.message.zh.contains("重新预约") == true)
            #expect(over?.message.en.contains("books anew") == true)
            let theirs = try await refusal {
                try await village.change(BookingStore.cancel(stranger, now: village.clock.now))
            }
            #expect(theirs?.message.zh.contains("联系接待处") == true)
        }
    }

    /// Only for somebody who makes a booking is there a waiting list.
    @Test func `who finds no seats is told of the waiting list`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme(), capacity: 12)
            let booking = try await village.book(village.group(session))
            let few = try await refusal { try await village.book(village.group(session, headcount: 3)) }
            #expect(few?.message.zh.contains("2 个名额") == true)
            try await village.book(village.group(session, headcount: 2))
            let none = try await refusal { try await village.book(village.group(session, headcount: 2)) }
            for refused in [few, none] {
                #expect(refused?.code == "sold-out")
                #expect(refused?.message.zh.contains("候补（waitlist）") == true)
                #expect(refused?.message.en.contains("waiting list (waitlist)") == true)
            }
            var more = BookingChange()
            more.headcount = 12
            let change = BookingStore.change(.number(booking.id.value), more, now: village.clock.now)
            let grown = try await refusal { try await village.change(change) }
            #expect(grown?.code == "sold-out" && grown?.message.zh.contains("候补") == false)
        }
    }

    @Test func `what is paid in full takes no more`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session), as: .confirmed)
            @Sendable func pay(_ fen: Int64) -> Plan<Booking> {
                PaymentStore.pay(.number(booking.id.value), Money(fen: fen), how: "微信", now: village.clock.now)
            }
            try await village.change(pay(booking.fee.fen - 1))
            let more = try await refusal { try await village.change(pay(2)) }
            #expect(more?.message.zh == "费用只差 0.01 元")
            try await village.change(pay(1))
            let paid = try await refusal { try await village.change(pay(1)) }
            #expect(paid?.code == "more-than-fee" && paid?.field == "amount")
            #expect(paid?.message.zh.contains("已付清") == true && paid?.message.en.contains("fully paid") == true)
        }
    }
}
