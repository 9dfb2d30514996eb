import Kernel
import Livelihood

/// A report as Markdown with tables, as GitHub and pandoc read it.
enum LivelihoodMarkdown {
    static func render(_ report: LivelihoodReport, _ language: Language) -> String {
        let text = report.text(language)
        var blocks = ["# " + escaped(text.title), escaped(text.period)]
        for section in text.sections {
            blocks.append("## " + escaped(section.heading))
            blocks += section.paragraphs.map(escaped)
        }
        blocks.append(text.signature.map(escaped).joined(separator: "\\\n"))
        blocks.append("> " + escaped(text.imprint))
        blocks.append("## " + LivelihoodLabels.tables[language])
        for (index, table) in report.tables(language).enumerated() {
            blocks.append("### " + escaped(table.caption(index, language)))
            blocks.append(Self.table(table))
            if let note = table.note { blocks.append(escaped(note)) }
        }
        return blocks.joined(separator: "\n\n") + "\n"
    }

    private static func table(_ table: LivelihoodTable) -> String {
        var lines = [
            row(table.columns.map { escaped($0.title) }), row(table.columns.map { $0.isNumber ? "--:" : ":--" }),
        ]
        lines += table.rows.map { cells in row(cells.map { escaped($0.text) }) }
        if let total = table.total { lines.append(row(total.map { "**\(escaped($0.text))**" })) }
        return lines.joined(separator: "\n")
    }

    private static func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

    /// What people have entered is text, whatever it looks like.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            if scalar.properties.generalCategory == .control {
                escaped += " "
            } else {
                if "\\`*_[]<>#|~&$^!".unicodeScalars.contains(scalar) { escaped += "\\" }
                escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
