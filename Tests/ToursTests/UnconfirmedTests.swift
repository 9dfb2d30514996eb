import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Tours

/// Requests that the desk has not confirmed: how long they keep seats, and how the desk is rid of them.
@Suite struct UnconfirmedTests {
    private func book(
        _ village: TestVillage, _ new: NewBooking, as state: BookingState = .requested, byStranger: Bool = true
    ) async throws -> Booking {
        let intake = BookingIntake(
            village.database, village: village.village.id, limits: BookingLimits(requests: 0, seats: 0),
            lockTimeout: 60_000)
        return try await intake.book(new, as: state, byStranger: byStranger, now: village.clock.now, village.committee)
    }

    private func minutes(_ booking: Booking, _ village: TestVillage) throws -> Int {
        let until = try #require(booking.holdUntil)
        return Int((until.timeIntervalSince(village.clock.now) / 60).rounded())
    }

    @Test func `a request that leaves less than a fifth of the seats is held for a quarter of the time`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme(holdMinutes: 2880)
            let session = try await village.tourSession(programme, capacity: 40)
            let first = try await book(village, village.group(session, headcount: 32))
            #expect(try minutes(first, village) == 2880, "a fifth is left")
            let second = try await book(village, village.group(session, headcount: 2))
            #expect(try minutes(second, village) == 720)
            let desk = try await book(village, village.group(session, headcount: 2), as: .held, byStranger: false)
            #expect(try minutes(desk, village) == 2880, "whom the desk keeps seats for it has seen")
            let before = try await BookingStore(village.database).find(.number(first.id.value), village.committee)
            #expect(before.holdUntil == first.holdUntil, "what was promised is kept")
        }
    }

    @Test func `the scarcest of a booking's sessions decides, with extras as without`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme(holdMinutes: 400)
            let wide = try await village.tourSession(programme, capacity: 100)
            let scarce = try await village.tourSession(programme, capacity: 10, hour: 13)
            let booking = try await book(village, village.group(wide, scarce, headcount: 9))
            #expect(try minutes(booking, village) == 100)
        }
    }

    @Test(arguments: [(5, 5), (30, 30), (60, 30), (120, 30), (200, 50), (2880, 720), (43_200, 10_800)])
    func `a quarter, but half an hour`(minutes: Int, scarce: Int) {
        #expect(BookingRules.scarceHold(minutes: minutes) == scarce)
    }

    @Test func `the desk cancels in one go what a phone has asked for, and nothing that is confirmed or paid`()
        async throws
    {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let session = try await village.tourSession(programme, capacity: 100)
            func booked(_ phone: String = "13812345678", as state: BookingState = .requested) async throws -> Int64 {
                let new = village.group(session, headcount: 2, phone: phone)
                return try await book(village, new, as: state, byStranger: state == .requested).id.value
            }
            let squatted = [try await booked(), try await booked(), try await booked(as: .held)]
            let confirmed = try await booked(as: .confirmed)
            let paid = try await booked()
            try await village.change(
                PaymentStore.pay(
                    .number(paid), Money(fen: 100), how: "微信", day: village.today, now: village.clock.now))
            let other = try await booked("13912345678")
            let store = BookingStore(village.database)
            let contact = try BookingContact(phone: "138 1234-5678", email: nil)
            let seen = try await store.list(village.committee, .init(contact: contact, isUnconfirmed: true))
            #expect(Set(seen.map(\.id.value)) == Set(squatted))
            let cancelled = try await store.cancelUnconfirmed(
                of: contact, reason: "占位", now: village.clock.now, village.committee)
            #expect(Set(cancelled.map(\.id.value)) == Set(squatted))
            #expect(cancelled.allSatisfy { $0.state == .cancelled })
            for (id, state) in [(confirmed, BookingState.confirmed), (paid, .requested), (other, .requested)] {
                #expect(try await store.find(.number(id), village.committee).state == state)
            }
            #expect(try await village.seats(session) == [4, 2])
            let again = try await store.cancelUnconfirmed(
                of: contact, reason: "占位", now: village.clock.now, village.committee)
            #expect(again.isEmpty)
            let told = try await village.number(
                "SELECT count(*) FROM event WHERE kind = 'booking.cancelled' AND figures ->> 'reason' = '占位'")
            #expect(told == 3)
        }
    }

    @Test func `more than a page of them goes too`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme(), capacity: 1000)
            for _ in 0..<103 { _ = try await book(village, village.group(session, headcount: 2)) }
            let cancelled = try await BookingStore(village.database).cancelUnconfirmed(
                of: try BookingContact(phone: "13812345678", email: nil), reason: "占位", now: village.clock.now,
                village.committee)
            #expect(cancelled.count == 103)
            #expect(try await village.seats(session) == [0, 0])
        }
    }

    @Test func `a contact is a phone or an address`() throws {
        for (phone, email) in [(nil, nil), ("13812345678", "a@b.cn")] as [(String?, String?)] {
            let refused = #expect(throws: Refusal.self) { try BookingContact(phone: phone, email: email) }
            #expect(refused?.code == "no-contact")
        }
        #expect(try BookingContact(phone: nil, email: "A@B.cn").email == "a@b.cn")
    }
}
