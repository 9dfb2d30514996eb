import Database
import Kernel
import TestSupport
import Testing

@testable import Tours

/// The same phone twice, and one phone's many requests.
@Suite struct OpenBookingTests {
    private func intake(_ village: TestVillage, _ limits: BookingLimits = .usual) -> BookingIntake {
        BookingIntake(village.database, village: village.village.id, limits: limits, lockTimeout: 60_000)
    }

    private func book(
        _ intake: BookingIntake, _ new: NewBooking, as state: BookingState = .requested, byStranger: Bool = true,
        _ village: TestVillage
    ) async throws -> Booking {
        try await intake.book(new, as: state, byStranger: byStranger, now: village.clock.now, village.committee)
    }

    @Test func `the same phone and session twice is asked about`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let session = try await village.tourSession(programme)
            let other = try await village.tourSession(programme, hour: 13)
            let intake = intake(village)
            let first = try await book(intake, village.group(session, headcount: 3, again: false), village)
            let twice = village.group(other, session, headcount: 3, phone: "138 1234-5678", again: false)
            let refused = try await refusal { try await book(intake, twice, village) }
            #expect(refused?.code == "booked-already" && refused?.kind == .conflict && refused?.field == "phone")
            // A stranger learns that there is one, and nothing else of it.
            for secret in [first.reference.description, first.reference.text, "\(first.id)", first.unit] {
                #expect(refused?.message.zh.contains(secret) == false && refused?.message.en.contains(secret) == false)
            }
            let desk = try await refusal { try await book(intake, twice, as: .confirmed, byStranger: false, village) }
            #expect(desk?.code == "booked-already" && desk?.message.zh.contains("预约 \(first.id)") == true)
            #expect(try await village.seats(session) == [3, 0])
            // Another session, another phone, and whoever means it may.
            _ = try await book(intake, village.group(other, headcount: 3, again: false), village)
            _ = try await book(
                intake, village.group(session, headcount: 3, phone: "13812345679", again: false), village)
            _ = try await book(intake, village.group(session, headcount: 3, again: true), village)
            #expect(try await village.seats(session) == [9, 0])
            // What is over is no booking any more.
            let cancelled = try await book(
                intake, village.group(session, headcount: 3, phone: "13812345670", again: false), village)
            try await village.change(BookingStore.cancel(.number(cancelled.id.value), now: village.clock.now))
            _ = try await book(
                intake, village.group(session, headcount: 3, phone: "13812345670", again: false), village)
        }
    }

    @Test func `of two at one moment one is asked`() async throws {
        try await withVillage(poolSize: 8) { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let other = village.another(poolSize: 4)
            let intakes = [
                intake(village),
                BookingIntake(other, village: village.village.id, limits: .usual, lockTimeout: 60_000),
            ]
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        try await refusal {
                            try await book(
                                intakes[number % 2], village.group(session, headcount: 2, again: false), village)
                        }?.code
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.filter { $0 == nil }.count == 1)
            #expect(codes.filter { $0 == "booked-already" }.count == 11)
            #expect(try await village.seats(session) == [2, 0])
            await other.close()
        }
    }

    @Test func `one phone has a few open requests and seats, however many come at once`() async throws {
        try await withVillage(poolSize: 8) { village in
            let programme = try await village.tourProgramme()
            let sessions = try await (0..<10).asyncMap { number in
                try await village.tourSession(programme, capacity: 500, hour: 8 + number)
            }
            let intake = intake(village)
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for session in sessions {
                    group.addTask {
                        try await refusal {
                            try await book(intake, village.group(session, headcount: 60, again: false), village)
                        }?.code
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.filter { $0 == nil }.count == 3, "three times sixty are two hundred at most")
            #expect(codes.filter { $0 == "too-many-open" }.count == 7)
            // Another phone is not held up, nor is the desk.
            _ = try await book(intake, village.group(sessions[0], phone: "13812345679", again: false), village)
            _ = try await book(
                intake, village.group(sessions[0], again: true), as: .confirmed, byStranger: false, village)
            // What the desk confirms makes room.
            let open = try await village.number(
                "SELECT max(id) FROM tour_booking WHERE state = 'requested' AND headcount = 60")
            try await village.change(BookingStore.confirm(.number(open), now: village.clock.now))
            _ = try await book(intake, village.group(sessions[0], headcount: 60, again: true), village)
        }
    }

    @Test func `five requests of a phone are open, waiting ones among them`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let intake = intake(village)
            let full = try await village.tourSession(programme, capacity: 2, hour: 8)
            _ = try await village.book(village.group(full, headcount: 2, phone: "13800000000"))
            _ = try await book(intake, village.group(full, headcount: 2, waitlist: true, again: false), village)
            for number in 0..<4 {
                let session = try await village.tourSession(programme, hour: 9 + number)
                _ = try await book(intake, village.group(session, headcount: 2, again: false), village)
            }
            let session = try await village.tourSession(programme, hour: 14)
            let sixth = try await refusal {
                try await book(intake, village.group(session, headcount: 2, again: false), village)
            }
            #expect(sixth?.code == "too-many-open" && sixth?.message.zh.contains("最多有 5 个预约、200 个名额") == true)
            // One group alone may be as large as its programme lets it be.
            let large = try await village.tourProgramme("大型研学", groups: 2...500)
            let hall = try await village.tourSession(large, capacity: 500, hour: 15)
            _ = try await book(
                intake, village.group(hall, headcount: 300, phone: "13812345679", again: false), village)
        }
    }

    @Test func `seats are not come by through changes either`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme(groups: 2...150)
            let intake = intake(village)
            var bookings: [Booking] = []
            for hour in [9, 12] {
                let session = try await village.tourSession(programme, capacity: 500, hour: hour)
                bookings.append(try await book(intake, village.group(session, headcount: 90, again: false), village))
            }
            let key = BookingKey.stranger(bookings[0].reference, phone: bookings[0].phone)
            var change = BookingChange()
            change.headcount = 120
            let wanted = change
            let refused = try await refusal {
                try await village.change(BookingStore.change(key, wanted, now: village.clock.now))
            }
            #expect(refused?.code == "too-many-open")
            try await village.change(
                BookingStore.change(.number(bookings[0].id.value), wanted, now: village.clock.now))
        }
    }

    @Test func `a move to a session that the phone has booked is asked about`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme()
            let (morning, noon, evening) = (
                try await village.tourSession(programme), try await village.tourSession(programme, hour: 12),
                try await village.tourSession(programme, hour: 17)
            )
            let first = try await village.book(village.group(morning), as: .confirmed)
            let second = try await village.book(village.group(noon, unit: "实验小学"), as: .confirmed)
            func move(_ key: BookingKey, to sessions: Int64..., again: Bool = false) async throws -> Refusal? {
                var change = BookingChange()
                change.sessions = sessions
                change.again = again
                let wanted = change
                return try await refusal {
                    try await village.change(BookingStore.change(key, wanted, now: village.clock.now))
                }
            }
            let desk = BookingKey.number(second.id.value)
            let asked = try await move(desk, to: morning)
            #expect(asked?.code == "booked-already" && asked?.message.en.contains("booking \(first.id)") == true)
            let stranger = try await move(.stranger(second.reference, phone: second.phone), to: noon, morning)
            #expect(stranger?.code == "booked-already" && stranger?.message.en.contains("\(first.id),") == false)
            #expect(try await village.booking(second).lines.map(\.session) == [noon])
            #expect(try await move(desk, to: morning, again: true) == nil)
            #expect(try await village.booking(second).lines.map(\.session) == [morning])
            // What was meant once is not asked about again.
            #expect(try await move(desk, to: morning, evening) == nil)
        }
    }

    @Test func `of two that move to one session at once one is asked`() async throws {
        try await withVillage(poolSize: 8) { village in
            let programme = try await village.tourProgramme()
            let target = try await village.tourSession(programme, hour: 18)
            var keys: [BookingKey] = []
            for hour in [9, 12, 15] {
                let session = try await village.tourSession(programme, hour: hour)
                keys.append(.number(try await village.book(village.group(session), as: .confirmed).id.value))
            }
            let all = keys
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for key in all {
                    group.addTask {
                        var change = BookingChange()
                        change.sessions = [target]
                        let wanted = change
                        return try await refusal {
                            try await village.change(BookingStore.change(key, wanted, now: village.clock.now))
                        }?.code
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.filter { $0 == nil }.count == 1)
            #expect(Set(codes.compactMap(\.self)) == ["booked-already"])
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
