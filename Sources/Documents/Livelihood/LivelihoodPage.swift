import Foundation
import Kernel
import Livelihood
import Mustache
import Signing

/// A report as a page that stands alone: to be looked at, saved as a file, and printed on A4.
public struct LivelihoodPage {
    private let template: MustacheTemplate
    private let style: String

    /// - Throws: when the template can't be parsed: a fault of the program.
    public init() throws {
        func file(_ name: String) throws -> String {
            guard let file = EmbeddedFiles.all.first(where: { $0.name == name }) else {
                throw MissingTemplate(name: name)
            }
            return file.text
        }
        template = try MustacheTemplate(string: file("livelihood.mustache"))
        style = try file("livelihood.css")
    }

    /// What the page may load when it is served: nothing but its own style.
    public var contentSecurityPolicy: String {
        let digest = Data(Digest.sha256(Array(style.utf8))).base64EncodedString()
        return "default-src 'none'; style-src 'sha256-\(digest)'; form-action 'none'; base-uri 'none'; "
            + "frame-ancestors 'none'"
    }

    func render(_ report: LivelihoodReport, _ language: Language) -> String {
        let text = report.text(language)
        let charts = [
            LivelihoodTable.Name.income: LivelihoodCharts.income(report.figures, language),
            .months: LivelihoodCharts.visitors(report.figures, language),
        ]
        let tables = report.tables(language).enumerated().map { index, table in
            var values: [String: Any] = [
                "name": table.name.rawValue, "caption": table.caption(index, language),
                "columns": table.columns.map { ["title": $0.title, "isNumber": $0.isNumber] as [String: Any] },
                "rows": table.rows.map { Self.row($0, table) },
            ]
            if let total = table.total { values["total"] = Self.row(total, table) }
            if let note = table.note { values["note"] = note }
            if let chart = charts[table.name].flatMap(\.self) {
                values["chart"] = ["title": chart.title, "svg": chart.svg]
            }
            return values
        }
        let values: [String: Any] = [
            "lang": language == .chinese ? "zh-CN" : "en", "style": style, "title": text.title, "period": text.period,
            "sections": text.sections.map {
                ["heading": $0.heading, "paragraphs": $0.paragraphs] as [String: Any]
            },
            "signature": text.signature, "imprint": text.imprint, "annex": LivelihoodLabels.tables[language],
            "tables": tables,
        ]
        return template.render(HTML.parted(values))
    }

    /// The first cell names the row.
    private static func row(_ cells: [LivelihoodTable.Cell], _ table: LivelihoodTable) -> [String: Any] {
        let values = zip(cells, table.columns).map { ["text": $0.text, "isNumber": $1.isNumber] as [String: Any] }
        return ["head": cells.first?.text ?? "", "cells": Array(values.dropFirst())]
    }
}
