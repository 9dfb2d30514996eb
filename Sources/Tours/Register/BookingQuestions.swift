import Database
import Foundation
import Kernel
import Postgres
import Registers

/// What is asked of a row that may be a recorded booking, changed.
extension BookingRegister {
    /// - Throws: a `Refusal` that names the booking and what of it is recorded differently, unless it is said to be a
    ///   correction.
    mutating func ask(_ row: RegisterRow, _ said: Entry, _ old: BookingComparison.Left) throws {
        let (column, recorded) = Self.difference(said, old)
        changed.append(ChangedRow(row: row.number, field: column.name, recorded: recorded, entry: old.entry))
        guard context.choices.changed != .correct else { return }
        let zh =
            "可能是第 \(old.entry) 号预约（\(old.isVoid ? "已作废，" : "")\(old.session.day)“\(old.unit.shortened)”\(old.headcount) 人）改过的，"
            + "其中“\(column.name)”登记的是“\(recorded.shortened)”；是更正请用 --changed correct（changed=correct），是另一个预约请用 --changed new（changed=new）"
        let en =
            "this may be booking \(old.entry) (\(old.isVoid ? "taken back, " : "")\(old.session.day), “\(old.unit.shortened)”, \(old.headcount) people), "
            + "changed, which has “\(recorded.shortened)” as its “\(column.name)”: "
        throw Refusal(
            .conflict, "booking-differs", field: column.name, zh: zh,
            en: en
                + "if it is a correction, say --changed correct (changed=correct), if it is another one, --changed new "
                + "(changed=new)")
    }

    /// The row says what was taken back since: who is right can't be told from here.
    mutating func takenBack(_ row: RegisterRow, _ booking: Int64) -> Refusal {
        changed.append(
            ChangedRow(
                row: row.number, field: Self.state.name, recorded: BookingState.cancelled.label.zh, entry: booking))
        return Refusal(
            .conflict, "corrected-since", field: Self.state.name,
            zh: "第 \(booking) 号预约就是这一行，已作废；作废对就从登记簿删去这一行，登记簿对就用 --changed new（changed=new）重新记录",
            en:
                "booking \(booking) is this row and was taken back since: take the row out of the register, or if it is "
                + "right, record it again with --changed new (changed=new)")
    }

    /// Takes back what a row of the register corrects.
    /// - Parameter numbers: the bookings, which are locked.
    /// - Returns: what is written for that, or why it can't be.
    func voids(
        _ numbers: [Int64], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [Int64: Result<Change<Booking>, any Error>] {
        guard !numbers.isEmpty else { return [:] }
        let checkIns = try await transaction.query(
            GateRecords.checkIns("c.booking_id = ANY(\(numbers)::bigint[])", scope)
        ).map(GateRecords.checkIn).filter(\.counts)
        // The day's last moment: nobody who waits for one of its sessions is promoted into it any more.
        let now = TimeOfDay(minute: 0).instant(on: today.adding(days: 1)).addingTimeInterval(-1)
        var found: [Int64: Result<Change<Booking>, any Error>] = [:]
        for old in try await BookingRows.all(numbers, transaction, scope) {
            found[old.id.value] = Result(catching: {
                try BookingStore.void(
                    old, checkIns.filter { $0.booking == old.id.value }, through: context.closedThrough,
                    reason: "登记簿更正 / corrected by the register", now: now, scope)
            })
        }
        return found
    }

    /// The first column that differs, and what is recorded in it.
    private static func difference(
        _ said: Entry, _ old: BookingComparison.Left
    ) -> (column: Column, recorded: String) {
        if said.bookedOn != old.bookedOn { return (bookedOn, "\(old.bookedOn)") }
        if said.session.day != old.session.day { return (day, "\(old.session.day)") }
        if said.session.startsAt != old.session.startsAt {
            return (time, TimeOfDay(of: old.session.startsAt).description)
        }
        if said.session.site != old.session.site { return (site, old.session.site) }
        if said.session.programme != old.session.programme { return (programme, old.session.programme) }
        if said.unit != old.unit { return (unit, old.unit) }
        if said.unitKind != old.unitKind { return (unitKind, old.unitKind.label.zh) }
        if said.headcount != old.headcount { return (headcount, "\(old.headcount)") }
        if said.arrived != old.arrived { return (arrived, "\(old.arrived)") }
        if said.leader != old.leader { return (leader, old.leader) }
        if said.phone != old.phone { return (phone, old.phone) }
        if said.price != old.price { return (price, "\(old.price)") }
        if said.state != old.state { return (state, old.state.label.zh) }
        if said.fee != old.fee { return (fee, "\(old.fee)") }
        return (capacity, "\(old.capacity)")
    }
}
