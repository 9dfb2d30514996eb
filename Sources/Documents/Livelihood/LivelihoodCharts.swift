import Income
import Kernel
import Livelihood

/// The charts of a report as SVG, drawn from its figures alone. Each says in words what it shows, for those who can't
/// see it, and carries each bar's exact value in `data-value`.
enum LivelihoodCharts {
    struct Chart {
        let title: String
        let svg: String

        fileprivate init(_ name: String, height: Int, title: String, description: String, _ drawing: String) {
            self.title = title
            svg =
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 688 \(height)\" font-size=\"12\" role=\"img\" "
                + "aria-labelledby=\"\(name)-title \(name)-values\"><title id=\"\(name)-title\">\(HTML.escaped(title))</title>"
                + "<desc id=\"\(name)-values\">\(HTML.escaped(description))</desc>\(drawing)</svg>"
        }
    }

    private static let now = "#9c2b1f"
    private static let before = "#c9bfae"
    private static let line = "#8d8577"

    /// A bar a month: the people who came. Nil when nobody did.
    static func visitors(_ figures: LivelihoodFigures, _ language: Language) -> Chart? {
        let people = (1...12).map { month in
            figures.visits.filter { $0.month == month }.reduce(0) { $0 + $1.people }
        }
        let labels = (1...12).map { month in
            let name = CivilDay.monthNames[month - 1][language]
            return language == .chinese ? name : String(name.prefix(3))
        }
        let (base, height, step) = (164, 130, 54)
        guard let most = people.max(), most > 0 else { return nil }
        var drawing = ""
        for (index, value) in people.enumerated() {
            let middle = 20 + index * step + step / 2
            let length = tenths(value, of: most, in: height)
            drawing += rectangle(
                x: "\(middle - 16)", y: decimal(base * 10 - length), width: "32", height: decimal(length), now, value)
            if value > 0 {
                drawing += text(
                    LivelihoodNumbers.count(value), x: "\(middle)", y: decimal(base * 10 - length - 60), "middle")
            }
            drawing += text(labels[index], x: "\(middle)", y: "\(base + 20)", "middle")
        }
        drawing += "<path d=\"M20 \(base).5H\(20 + 12 * step)\" stroke=\"\(line)\"/>"
        let title = Bilingual(zh: "各月研学到访人次", en: "Visitors by month")
        let values = zip(labels, people).map { "\($0) \(LivelihoodNumbers.count($1))" }
        return Chart(
            "visitors", height: 192, title: title[language],
            description: values.joined(separator: language == .chinese ? "，" : ", "), drawing)
    }

    /// Two bars a source: the year before and this year. Sources without income in either are left out; nil when all are.
    static func income(_ figures: LivelihoodFigures, _ language: Language) -> Chart? {
        let sources = IncomeSource.allCases.filter { figures.income($0) != .zero }
        guard !sources.isEmpty else { return nil }
        let most = max(sources.map { max(figures.income($0).last, figures.income($0).this) }.max() ?? 0, 1)
        let (left, width, step) = (110, 450, 32)
        var drawing = ""
        var values: [String] = []
        let years = [figures.period.year - 1, figures.period.year].map { language == .chinese ? "\($0)年" : "\($0)" }
        for (index, (year, colour)) in zip(years, [before, now]).enumerated() {
            let x = left + index * 100
            drawing += "<rect x=\"\(x)\" y=\"4\" width=\"14\" height=\"14\" fill=\"\(colour)\"/>"
            drawing += text(year, x: "\(x + 20)", y: "16", "start")
        }
        for (index, source) in sources.enumerated() {
            let (amount, top, name) = (figures.income(source), 30 + index * step, source.label[language])
            drawing += text(name, x: "\(left - 10)", y: "\(top + 17)", "end")
            for (place, (value, colour)) in zip([amount.last, amount.this], [before, now]).enumerated() {
                let length = tenths(value, of: most, in: width)
                let y = top + place * 13
                drawing += rectangle(x: "\(left)", y: "\(y)", width: decimal(length), height: "12", colour, value)
                drawing += text(
                    LivelihoodNumbers.roundedMoney(value, language), x: decimal(left * 10 + length + 60),
                    y: "\(y + 10)",
                    "start")
                values.append("\(name) \(years[place]) \(LivelihoodNumbers.roundedMoney(value, language))")
            }
        }
        let bottom = 30 + sources.count * step
        drawing += "<path d=\"M\(left).5 26V\(bottom)\" stroke=\"\(line)\"/>"
        let title = Bilingual(zh: "各来源收入与上年比较", en: "Income by source, beside the year before")
        return Chart(
            "income", height: bottom + 6, title: title[language],
            description: values.joined(separator: language == .chinese ? "，" : ", "), drawing)
    }

    /// - Returns: the length of a bar in tenths of a unit; what is below zero has none.
    private static func tenths(_ value: Int64, of most: Int64, in length: Int) -> Int {
        Int(Int128(max(value, 0)) * Int128(length * 10) / Int128(most))
    }

    private static func decimal(_ tenths: Int) -> String { "\(tenths / 10).\(tenths % 10)" }

    private static func rectangle(
        x: String, y: String, width: String, height: String, _ colour: String, _ value: Int64
    ) -> String {
        "<rect class=\"bar\" data-value=\"\(value)\" x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(height)\" "
            + "fill=\"\(colour)\"/>"
    }

    private static func text(_ text: String, x: String, y: String, _ anchor: String) -> String {
        "<text x=\"\(x)\" y=\"\(y)\" text-anchor=\"\(anchor)\">\(HTML.escaped(text))</text>"
    }
}
