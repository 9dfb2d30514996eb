import Kernel

/// What a register's row says, beside what the books hold of the same row. An import adds to the books and rewrites
/// nothing in them: a row that comes again with other content is refused, so that nobody takes it for corrected.
public struct RecordedRow: Sendable {
    private var difference: (column: Column, recorded: String)?

    public init() {}

    /// Compares one column. A row that leaves it empty says nothing against what is recorded.
    public mutating func compare<Value: Equatable & Sendable>(
        _ column: Column, recorded: Value?, said: Value?, text: (Value) -> String = { "\($0)" }
    ) {
        guard difference == nil, let said, said != recorded else { return }
        difference = (column, recorded.map(text)?.shortened ?? "")
    }

    /// - Parameters:
    ///   - code: of the refusal.
    ///   - what: the row as its clerk knows it, such as 单号 S17.
    /// - Throws: a `Refusal` of kind `conflict` that names the first column whose content differs.
    public func check(_ code: String, _ what: Bilingual) throws {
        guard let difference else { return }
        let (column, recorded) = difference
        let (zh, en) = recorded.isEmpty ? ("空", "empty") : ("“\(recorded)”", "“\(recorded)”")
        throw Refusal(
            .conflict, code, field: column.name, zh: "\(what.zh)早已登记，“\(column.name)”登记的是\(zh)；导入不改已登记的内容",
            en: "\(what.en) is recorded already, and its “\(column.name)” is \(en): an import changes nothing that "
                + "is recorded")
    }
}
