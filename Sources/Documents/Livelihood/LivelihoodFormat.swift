import Kernel
import Livelihood

/// In what form a report is handed out. Each renders the same report; another one is a case here and a file beside.
public enum LivelihoodFormat: String, Sendable, CaseIterable {
    case json, markdown, html

    public var contentType: String {
        switch self {
        case .json: "application/json"
        case .markdown: "text/markdown; charset=utf-8"
        case .html: "text/html; charset=utf-8"
        }
    }

    public var fileExtension: String { self == .markdown ? "md" : rawValue }

    /// The document as UTF-8.
    /// - Throws: when a template can't be parsed: a fault of the program.
    public func render(_ report: LivelihoodReport, _ language: Language) throws -> [UInt8] {
        switch self {
        case .json: Shapes.livelihood(in: language).json(report).bytes
        case .markdown: Array(LivelihoodMarkdown.render(report, language).utf8)
        case .html: Array(try LivelihoodPage().render(report, language).utf8)
        }
    }
}

extension LivelihoodTable {
    /// The first stands in the report's list as table 1.
    func caption(_ index: Int, _ language: Language) -> String {
        language == .chinese ? "表\(index + 1)　\(title)" : "Table \(index + 1). \(title)"
    }
}

enum LivelihoodLabels {
    static let tables = Bilingual(zh: "附：主要数据", en: "Annex: the figures")
}
