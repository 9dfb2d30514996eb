import Income
import Kernel
import Registers

/// Income for a spreadsheet.
extension IncomeRow {
    public static func titles(_ language: Language) -> [String] { Shapes.incomeCells.map { $0.title[language] } }

    public func cells(_ language: Language) -> [String] { Shapes.incomeCells.map { $0.text(self, language) ?? "" } }
}

extension IncomeSummary {
    /// A sum a row under its titles.
    public func csv(_ language: Language) -> [UInt8] {
        let dimensions = Shapes.incomeSum(by: by).list.dropLast()
        var writer = CSVWriter()
        writer.append(dimensions.map { $0.title[language] } + [language == .chinese ? "金额元" : "yuan"])
        for row in rows { writer.append(dimensions.map { $0.text(row, language) ?? "" } + ["\(row.amount)"]) }
        return writer.take()
    }
}
