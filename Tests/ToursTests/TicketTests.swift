import Codes
import Kernel
import Postgres
import Signing
import TestSupport
import Testing
import Tours

@Suite struct TicketTests {
    private func show(_ booking: TestBooking, _ village: TestVillage) async throws -> Ticket {
        try await TicketStore(village.database, keys: village.keys).show(
            booking: booking.number, today: village.today, village.committee)
    }

    @Test func `a confirmed booking has a ticket for its first day`() async throws {
        try await withVillage { village in
            let late = try await village.addSession(on: village.today.adding(days: 4))
            let early = try await village.addSession(on: village.today.adding(days: 3), hour: 14)
            let booking = try await village.addBooking([late, early])
            let ticket = try await show(booking, village)
            #expect(ticket.day == village.today.adding(days: 3))
            #expect(Int64(ticket.signed.body.booking) == booking.number)
            #expect(ticket.signed.body.issued == village.today)
            #expect(ticket.booking.visits.map(\.session) == [early, late])
            #expect(ticket.booking.visits[0].hours == "14:00–16:00")
            #expect(ticket.url == "https://trace.example.cn/\(ticket.payload)")
            #expect(village.keys.check(ticket: ticket.payload) == .signed(ticket.signed.body))
        }
    }

    @Test(arguments: Algorithm.allCases) func `whoever checks products takes a ticket for malformed`(
        algorithm: Algorithm
    ) async throws {
        try await withVillage { village in
            _ = try await village.keys.create(algorithm, village.database, village.committee)
            let booking = try await village.addBooking([try await village.addSession()])
            let ticket = try await show(booking, village)
            #expect(try await village.verification.verify(ticket.payload).answer == .malformed)
            let key = try #require(village.keys[ticket.signed.body.keyID])
            #expect(key.publicKey.algorithm == algorithm)
            let offline = CodeRules.verifyOffline(
                ticket.payload, keys: [key.publicKey], origin: village.keys.origin, today: village.today)
            #expect(offline.answer == .malformed)
        }
    }

    @Test(arguments: BookingState.allCases) func `only what is confirmed has a ticket`(state: BookingState) async throws
    {
        try await withVillage { village in
            let booking = try await village.addBooking([try await village.addSession()], state: state)
            if [.confirmed, .arrived, .completed].contains(state) {
                #expect(try await show(booking, village).booking.number == booking.number)
            } else {
                let refused = try await refusal { _ = try await show(booking, village) }
                #expect(refused?.code == "no-ticket" && refused?.kind == .conflict)
            }
        }
    }

    @Test func `a group gets its ticket by reference and phone`() async throws {
        try await withVillage { village in
            let booking = try await village.addBooking([try await village.addSession()], phone: "138-1234-5678")
            let store = TicketStore(village.database, keys: village.keys)
            func ask(_ reference: BookingReference, _ phone: String) async throws -> Refusal? {
                try await refusal {
                    let ticket = try await store.show(
                        reference: reference, phone: phone, today: village.today, village.committee)
                    #expect(ticket.booking.number == booking.number)
                }
            }
            for phone in ["13812345678", "138 1234 5678", "+86 13812345678", "１３８１２３４５６７８"] {
                #expect(try await ask(booking.reference, phone) == nil, "\(phone)")
            }
            for phone in ["", "5678", "12345678", "13812345679", "0", "813812345678"] {
                let refused = try await ask(booking.reference, phone)
                #expect(refused == (phone == "813812345678" ? nil : BookingReference.unknown), "\(phone)")
            }
            #expect(try await ask(BookingReference.random(), "13812345678") == BookingReference.unknown)
        }
    }

    @Test func `tickets of a retired key stay good, those of a compromised one prove nothing`() async throws {
        try await withVillage { village in
            let booking = try await village.addBooking([try await village.addSession()])
            let old = try await show(booking, village)
            _ = try await village.keys.create(.sm2, village.database, village.committee)
            try await village.change(SigningKeyStore.retire(old.signed.body.keyID, today: village.today))
            try await village.keys.reload()
            #expect(village.keys.check(ticket: old.payload) == .signed(old.signed.body))
            let new = try await show(booking, village)
            #expect(new.signed.body.keyID != old.signed.body.keyID)
            try await village.change(
                SigningKeyStore.compromise(old.signed.body.keyID, since: village.today, today: village.today))
            try await village.keys.reload()
            #expect(village.keys.check(ticket: old.payload) == .unknownKey)
            #expect(village.keys.check(ticket: new.payload) == .signed(new.signed.body))
        }
    }

    @Test func `a clerk sees no bookings`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let booking = try await village.addBooking([try await village.addSession()])
            let clerk = village.clerk(of: orchard.east)
            let refused = try await refusal {
                _ = try await TicketStore(village.database, keys: village.keys).show(
                    booking: booking.number, today: village.today, clerk)
            }
            #expect(refused?.kind == .notFound)
        }
    }
}
