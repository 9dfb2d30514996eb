/// What held from a day on: each entry until the day of the next one. Of several entries of one day the last counts.
public struct Timeline<Value: Sendable>: Sendable {
    public typealias Entry = (from: CivilDay, value: Value)

    /// By their days; none of two that begin on one day.
    public private(set) var entries: [Entry] = []

    public init() {}

    /// Says what holds from a day on.
    public mutating func add(_ value: Value, from day: CivilDay) {
        let place = entries.lastIndex { $0.from <= day }
        if let place, entries[place].from == day {
            entries[place].value = value
        } else {
            entries.insert((day, value), at: place.map { $0 + 1 } ?? 0)
        }
    }

    /// - Returns: nil for a day before the first entry's.
    public func value(on day: CivilDay) -> Value? { entries.last { $0.from <= day }?.value }

    /// The day from which something is known.
    public var start: CivilDay? { entries.first?.from }

    /// Whether something begins after that day.
    public func changes(after day: CivilDay) -> Bool { entries.last.map { $0.from > day } ?? false }

    /// The first of the days, up to and with `day`, on all of which `condition` held.
    /// - Returns: nil when it did not hold on `day`.
    public func since(_ day: CivilDay, _ condition: (Value) -> Bool) -> CivilDay? {
        var since: CivilDay?
        for entry in entries where entry.from <= day {
            if !condition(entry.value) {
                since = nil
            } else if since == nil {
                since = entry.from
            }
        }
        return since
    }
}
