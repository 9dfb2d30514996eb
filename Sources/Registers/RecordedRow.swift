import Kernel

/// What a register's row says, beside what the books hold of the same row: one that comes again with other content waits
/// until it is said to be a correction, so that nobody takes it for corrected.
public struct RecordedRow: Sendable {
    private var differences: [(column: Column, recorded: String)] = []

    public init() {}

    /// Whether the row says what is recorded.
    public var isSame: Bool { differences.isEmpty }

    /// Compares one column. A row that leaves it empty says nothing against what is recorded.
    public mutating func compare<Value: Equatable & Sendable>(
        _ column: Column, recorded: Value?, said: Value?, text: (Value) -> String = { "\($0)" }
    ) {
        guard let said, said != recorded else { return }
        differences.append((column, recorded.map(text) ?? ""))
    }

    /// The row as one that may be a recorded one, changed; nil when nothing differs.
    /// - Parameter entry: the number of what is recorded.
    public func changed(row: Int, entry: Int64) -> ChangedRow? {
        differences.first.map { ChangedRow(row: row, field: $0.column.name, recorded: $0.recorded, entry: entry) }
    }

    /// The refusal, of kind `conflict`, that names the first column whose content differs; nil when none does.
    /// - Parameters:
    ///   - code: of the refusal.
    ///   - what: the row as its clerk knows it, such as 单号 S17.
    public func refusal(_ code: String, _ what: Bilingual) -> Refusal? {
        differences.first.map { column, recorded in
            Self.refusal(
                code, what, column, recorded,
                Bilingual(
                    zh: "导入不改已登记的内容；是更正请用 --changed correct（changed=correct）",
                    en: "an import changes nothing that is recorded; if it is a correction, say --changed correct "
                        + "(changed=correct)"))
        }
    }

    /// The refusal that names the first column that differs and can't be corrected; nil when all can.
    public func refusal(_ code: String, _ what: Bilingual, correcting columns: [Column]) -> Refusal? {
        differences.first { difference in !columns.contains { $0.name == difference.column.name } }.map {
            column, recorded in
            Self.refusal(
                code, what, column, recorded,
                Bilingual(zh: "这一项不能更正", en: "it is nothing that can be corrected"))
        }
    }

    private static func refusal(
        _ code: String, _ what: Bilingual, _ column: Column, _ recorded: String, _ advice: Bilingual
    ) -> Refusal {
        let recorded = recorded.shortened
        let (zh, en) = recorded.isEmpty ? ("空", "empty") : ("“\(recorded)”", "“\(recorded)”")
        return Refusal(
            .conflict, code, field: column.name,
            zh: "\(what.zh)早已登记，“\(column.name)”登记的是\(zh)；\(advice.zh)",
            en: "\(what.en) is recorded already, and its “\(column.name)” is \(en): \(advice.en)")
    }
}
