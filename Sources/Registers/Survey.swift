import Kernel

/// What is known of a register as a whole before its first row is recorded: numbers that stand twice with other content,
/// and the names that its rows have. Holds some twenty bytes a row.
struct Survey: Sendable {
    private struct Mark: Sendable {
        let number: UInt64
        let content: UInt64
        let row: UInt32
    }

    private var marks: [Mark] = []
    private(set) var names: [Column: [String: Int]] = [:]
    /// Spellings that were met, by the hash of their bytes: a name is cleaned once and not in every row.
    private var spellings: [Column: [UInt64: Spelling]] = [:]

    private struct Spelling: Sendable {
        let name: String
        var rows = 0
    }

    /// No column holds more names than this that are not known; further ones are not counted.
    private static let maximumNames = 100_000

    mutating func add(_ rows: [RegisterRow], numbering: Numbering?, names: [Column], all: [Column]) throws {
        for row in rows where row.problem == nil {
            if let numbering {
                let (number, content) = (try row.numberHash(numbering), try row.contentHash(of: all))
                marks.append(Mark(number: number, content: content, row: UInt32(row.number)))
            }
            for column in names { try count(row, column) }
        }
    }

    private mutating func count(_ row: RegisterRow, _ column: Column) throws {
        let hash = try row.contentHash(of: [column])
        if spellings[column]?[hash]?.rows != nil {
            spellings[column]?[hash]?.rows += 1
        } else if spellings[column]?.count ?? 0 < Self.maximumNames, let name = try? row.optionalText(column) {
            spellings[column, default: [:]][hash] = Spelling(name: name, rows: 1)
        }
    }

    /// Ends the survey.
    /// - Returns: the rows whose number stands in others that look different.
    mutating func finish() -> Set<Int> {
        for (column, met) in spellings {
            names[column] = met.values.reduce(into: [:]) { $0[$1.name, default: 0] += $1.rows }
        }
        spellings = [:]
        marks.sort { ($0.number, $0.row) < ($1.number, $1.row) }
        var suspects: Set<Int> = []
        var start = 0
        while start < marks.count {
            var end = start + 1
            while end < marks.count, marks[end].number == marks[start].number { end += 1 }
            if marks[start..<end].contains(where: { $0.content != marks[start].content }) {
                suspects.formUnion(marks[start..<end].map { Int($0.row) })
            }
            start = end
        }
        marks = []
        return suspects
    }
}

/// Rows of one number that contradict each other.
struct Twins: Sendable {
    private struct Row: Sendable {
        let number: Int
        let content: [(name: String, value: String?)]
    }

    private var rows: [[String]: [Row]] = [:]

    mutating func add<Recorder: RegisterRecorder>(_ row: RegisterRow, _ recorder: Recorder.Type) {
        // A row that can't be read is refused for that.
        guard let identity = try? Recorder.identity(of: row) else { return }
        rows[identity.number, default: []].append(Row(number: row.number, content: identity.content))
    }

    /// What each of them is refused for.
    func refusals(field: String) -> [Int: Refusal] {
        var refusals: [Int: Refusal] = [:]
        for (number, twins) in rows {
            guard let column = Self.difference(twins) else { continue }
            let listed = twins.prefix(5).map { String($0.number) }
            let rest = twins.count > 5
            let name = (number.last ?? "").shortened
            // Once for all: a number may stand in millions of rows.
            let refusal = Refusal(
                .conflict, "number-twice", field: field,
                zh: "“\(name)”在第 \(listed.joined(separator: "、")) 行\(rest ? "等" : "")出现，“\(column)”不同；"
                    + "请只留正确的一行",
                en: "“\(name)” stands in rows \(listed.joined(separator: ", "))\(rest ? " and more" : ""), "
                    + "and “\(column)” differs: keep the one that is right")
            for twin in twins { refusals[twin.number] = refusal.of(row: twin.number) }
        }
        return refusals
    }

    private static func difference(_ twins: [Row]) -> String? {
        guard let width = twins.first?.content.count else { return nil }
        for column in 0..<width {
            let said = Set(twins.compactMap { $0.content[column].value })
            if said.count > 1 { return twins[0].content[column].name }
        }
        return nil
    }
}
