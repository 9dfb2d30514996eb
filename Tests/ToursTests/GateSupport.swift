import Foundation
import Kernel
import TestSupport
import Tours

/// A day at the gate, in few words.
struct Gate: Sendable {
    let village: TestVillage

    /// The clock's present, in whole seconds as journals keep them.
    var now: Date { Date(timeIntervalSince1970: village.clock.now.timeIntervalSince1970.rounded(.down)) }

    func entry(
        _ booking: TestBooking, _ headcount: Int, at: Date? = nil, session: Int64? = nil, nonce: String? = nil,
        anyDay: Bool = false, after: Int? = nil, more: Bool = false
    ) -> CheckInEntry {
        CheckInEntry(
            code: booking.reference.text, headcount: headcount, nonce: nonce ?? CheckInEntry.freshNonce(),
            at: at ?? now, session: session, anyDay: anyDay, after: after, more: more)
    }

    func record(_ entry: CheckInEntry) async throws -> CheckInAnswer {
        try await CheckInStore(village.database, keys: village.keys).record(
            entry, now: village.clock.now, village.committee)
    }

    func bringIn(_ journal: CheckInEntry...) async throws -> [CheckInResult] {
        try await CheckInStore(village.database, keys: village.keys).bringIn(
            journal, now: village.clock.now, village.committee)
    }

    func list(_ day: CivilDay? = nil) async throws -> GateList {
        let made = try await GateListStore(village.database, keys: village.keys).list(
            day: day ?? village.today, now: village.clock.now, village.committee)
        return try GateList(json: made.json)
    }

    func conflicts(all: Bool = false) async throws -> [GateConflict] {
        try await GateConflictStore(village.database).list(village.committee, all: all)
    }

    @discardableResult
    func settle(_ conflict: Int64, accept: Bool, session: Int64? = nil) async throws -> GateConflict {
        try await village.change(
            GateConflictStore.settle(
                conflict, accept: accept, session: session, reason: "问过带队人", now: village.clock.now))
    }

    @discardableResult
    func undo(_ booking: TestBooking, reason: String = "签错了团") async throws -> Booking {
        try await village.change(
            BookingStore.undo(.number(booking.number), reason: reason, now: village.clock.now))
    }

    @discardableResult
    func undo(checkIn: Int64?, reason: String = "把 19 打成 29") async throws -> Booking {
        try await village.change(
            BookingStore.undoCheckIn(checkIn ?? 0, reason: reason, now: village.clock.now))
    }

    func show(_ booking: TestBooking) async throws -> BookingHistory {
        try await BookingStore(village.database).show(.number(booking.number), village.committee)
    }

    func booking(_ booking: TestBooking) async throws -> Booking { try await show(booking).booking }

    /// Whether a plan is refused, and as what.
    func refused(_ body: @Sendable () async throws -> Void) async throws -> String? { try await refusal(body)?.code }
}

extension CheckInResult {
    /// nil of one that was refused.
    var answer: CheckInAnswer? { if case .answered(let answer) = self { answer } else { nil } }
}
