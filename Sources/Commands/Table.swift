import Documents
import Kernel

/// Rows under titles, aligned for a terminal.
struct Table {
    struct Column {
        let title: String
        let alignsRight: Bool

        static func left(_ zh: String, _ en: String) -> Column { Column(title: words(zh, en), alignsRight: false) }
        static func right(_ zh: String, _ en: String) -> Column { Column(title: words(zh, en), alignsRight: true) }
    }

    private let columns: [Column]
    private let rows: [[String]]

    /// Nil cells show as a dash.
    init(_ columns: [Column], rows: [[String?]]) {
        self.columns = columns
        self.rows = rows.map { $0.map { Self.plain($0 ?? "—") } }
    }

    /// Names and values below each other, without a title; those without a value are left out.
    init(facts: [(name: String, value: String?)]) {
        let known = facts.filter { $0.value != nil }
        self.init([.left("", ""), .left("", "")], rows: known.map { [$0.name, $0.value] })
    }

    init(_ listing: Listing) {
        self.init(
            listing.titles.map { Column(title: $0.text[.ofThisRun], alignsRight: $0.alignsRight) },
            rows: listing.rows(.ofThisRun))
    }

    /// A list of values.
    /// - Parameter last: a row below it, such as of what they come to.
    init<Value>(_ shape: Shape<Value>, _ values: [Value], last: [String]? = nil) {
        self.init(
            shape.list.map { Column(title: $0.title[.ofThisRun], alignsRight: $0.alignsRight) },
            rows: values.map { shape.row(of: $0, .ofThisRun) } + (last.map { [$0] } ?? []))
    }

    /// The facts of one value.
    init<Value>(_ shape: Shape<Value>, of value: Value) { self.init(told: shape.facts(of: value, .ofThisRun)) }

    /// The facts that shapes tell of one thing.
    init(told facts: [(title: String, text: String?)]) {
        self.init(facts: facts.map { (name: $0.title, value: $0.text) })
    }

    var text: String {
        let titles = columns.map(\.title)
        let widths = columns.indices.map { column in
            ([titles] + rows).map { $0[column].terminalWidth }.max() ?? 0
        }
        let head = titles.contains { !$0.isEmpty } ? Terminal.bold(line(titles, widths)) + "\n" : ""
        return head + rows.map { line($0, widths) + "\n" }.joined()
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            let space = String(repeating: " ", count: max(0, widths[index] - cell.terminalWidth))
            if columns[index].alignsRight {
                line += space + cell
            } else {
                line += cell + space
            }
            line += "  "
        }
        while line.last == " " { line.removeLast() }
        return line
    }

    /// Without what could move a terminal's cursor.
    private static func plain(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.properties.generalCategory != .control }))
    }
}
