import Kernel
import Registers

/// What is asked of a row that may be a recorded booking, changed.
extension BookingRegister {
    /// - Throws: a `Refusal` that names the booking and what of it is recorded differently.
    mutating func ask(_ row: RegisterRow, _ said: Entry, _ old: BookingComparison.Left) throws {
        let (column, recorded) = Self.difference(said, old)
        changed.append(ChangedRow(row: row.number, field: column.name, recorded: recorded, entry: old.entry))
        let zh =
            "可能是第 \(old.entry) 号预约（\(old.session.day)“\(old.unit.shortened)”\(old.headcount) 人）改过的，"
            + "其中“\(column.name)”登记的是“\(recorded.shortened)”；"
        let en =
            "this may be booking \(old.entry) (\(old.session.day), “\(old.unit.shortened)”, \(old.headcount) people), "
            + "changed, which has “\(recorded.shortened)” as its “\(column.name)”: "
        guard context.choices.changed == .correct else {
            throw Refusal(
                .conflict, "booking-differs", field: column.name, zh: zh + "是另一个预约请用 --changed new（changed=new）",
                en: en + "if it is another one, say --changed new (changed=new)")
        }
        throw Refusal(
            .conflict, "booking-not-correctable", field: column.name,
            zh: zh + "导入不能更正已登记的预约，请在预约上更正（taoyuan booking undo、booking adjust），再导入其余的行",
            en: en + "an import can't correct a booking that is recorded; put the booking right (taoyuan booking undo, "
                + "booking adjust) and import the other rows")
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
        return (capacity, "")
    }
}
