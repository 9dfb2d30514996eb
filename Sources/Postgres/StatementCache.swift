/// The names of a connection's prepared statements, by their text; the least recently used gives way.
struct StatementCache {
    static let capacity = 256

    private struct Entry {
        let name: String
        var lastUse: Int
    }

    private var entries: [[String]: Entry] = [:]
    private var clock = 0
    /// Statements that the server still holds and nobody will ask for again.
    private(set) var discarded: [String] = []

    var count: Int { entries.count }

    mutating func name(of sql: SQL) -> String? {
        guard let index = entries.index(forKey: sql.segments) else { return nil }
        clock += 1
        entries.values[index].lastUse = clock
        return entries.values[index].name
    }

    /// A name that the session has not used yet.
    mutating func newName() -> String {
        clock += 1
        return "s\(clock)"
    }

    mutating func insert(_ sql: SQL, name: String) {
        if entries.count >= Self.capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            discarded.append(oldest.value.name)
            entries[oldest.key] = nil
        }
        clock += 1
        if let replaced = entries.updateValue(Entry(name: name, lastUse: clock), forKey: sql.segments) {
            discarded.append(replaced.name)
        }
    }

    /// - Parameter isGone: the server no longer has it, so that there is nothing to deallocate.
    mutating func remove(_ sql: SQL, isGone: Bool) {
        if let removed = entries.removeValue(forKey: sql.segments), !isGone { discarded.append(removed.name) }
    }

    mutating func forget(discarded name: String) {
        discarded.removeAll { $0 == name }
    }

    /// Whether preparing helps: the planner works on these, and the last two are sent with every transaction.
    static func canPrepare(_ sql: SQL) -> Bool {
        let word = sql.segments[0].drop { $0.isWhitespace || $0 == "(" }.prefix { $0.isLetter }
        return preparable.contains(word.uppercased())
    }

    private static let preparable: Set = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES", "MERGE", "TABLE", "BEGIN", "COMMIT",
    ]
}
