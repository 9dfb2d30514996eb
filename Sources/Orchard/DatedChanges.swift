import Database
import Kernel
import Registers

/// What a register's row changed from a day on: as its report tells it, and as its event keeps it.
struct DatedChanges: Sendable {
    let told: [RegisterChange]
    let event: Event

    /// One of the things that hold from a day on.
    struct Field<Dated> {
        let column: Column
        let name: StaticString
        let nameBefore: StaticString
        let text: (Dated) -> String

        /// - Parameters:
        ///   - name: the event's figure for what it is now.
        ///   - nameBefore: the event's figure for what it was.
        init(_ column: Column, _ name: StaticString, _ nameBefore: StaticString, _ text: @escaping (Dated) -> String) {
            self.column = column
            self.name = name
            self.nameBefore = nameBefore
            self.text = text
        }
    }

    /// - Parameters:
    ///   - kind: of the event.
    ///   - what: the number of what was changed.
    ///   - before: nil when nothing was known of that day.
    init<Dated>(
        _ kind: String, _ what: String, _ day: CivilDay, fields: [Field<Dated>], from before: Dated?, to now: Dated
    ) {
        var told: [RegisterChange] = []
        var figures: [Event.Figure] = []
        for field in fields {
            let (old, new) = (before.map(field.text), field.text(now))
            guard old != new else { continue }
            told.append(RegisterChange(what: what, field: field.column.name, from: old, to: new, since: day))
            figures += [.text(field.name, new), .text(field.nameBefore, old)]
        }
        self.told = told
        event = Event(kind, what, day: day, figures: figures)
    }
}
