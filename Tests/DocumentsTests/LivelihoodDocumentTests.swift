import Foundation
import Income
import Kernel
import Livelihood
import Signing
import TestSupport
import Testing

@testable import Documents

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// One report in each of its forms.
@Suite struct LivelihoodDocumentTests {
    /// Of the samples, with products and classes whose names would break a careless renderer.
    private func report(
        hostile: Bool = false, _ body: @Sendable (LivelihoodReport) async throws -> Void
    ) async throws {
        try await TestSupport.withVillage { village in
            try await village.loadEverything()
            if hostile {
                try await village.audited([
                    "UPDATE product SET name = '<b>桃|*&\"' WHERE name = '蟠桃'",
                    "UPDATE household SET support_class = '=1+1|</td><script>' WHERE support_class = '一般户'",
                    "UPDATE household_period SET support_class = '=1+1|</td><script>' WHERE support_class = '一般户'",
                ])
            }
            try await body(
                try await LivelihoodStore(village.database).drawUp(
                    year: 2025, clock: village.clock.clock, village.committee))
        }
    }

    private func text(_ report: LivelihoodReport, _ format: LivelihoodFormat, _ language: Language = .chinese) throws
        -> String
    {
        String(decoding: try format.render(report, language), as: UTF8.self)
    }

    @Test func `every form carries every cell of every table`() async throws {
        try await report { report in
            for language in Language.allCases {
                let (page, markdown) = (try text(report, .html, language), try text(report, .markdown, language))
                for table in report.tables(language) {
                    #expect(page.contains(table.title) && markdown.contains(table.title))
                    for cells in table.rows + (table.total.map { [$0] } ?? []) {
                        let row = cells.map(\.text).joined(separator: " | ")
                        let found = markdown.replacing("**", with: "").replacing("\\", with: "").contains("| \(row) |")
                        #expect(found, "\(row)")
                        for cell in cells { #expect(page.contains(">\(cell.text)<"), "\(cell.text)") }
                    }
                }
                let words = report.text(language)
                for sentence in words.sections.flatMap(\.paragraphs) + words.signature + [words.imprint] {
                    #expect(page.contains(sentence), "\(sentence)")
                    #expect(markdown.replacing("\\", with: "").contains(sentence), "\(sentence)")
                }
            }
        }
    }

    @Test func `JSON has the figures in whole units`() async throws {
        try await report { report in
            let json = try JSON(parsing: LivelihoodFormat.json.render(report, .chinese))
            let core = json["core"]
            #expect(try core["sales"]["this"].money.fen == 151_179_600 && core["visitors"]["this"].int64 == 1806)
            #expect(try core["tours"]["this"].money.fen == 11_972_300 && core["tours"]["growthPermille"].int64 == 96)
            #expect(try core["total"]["this"].money.fen == json["income"]["total"]["this"].money.fen)
            #expect(try json["tours"]["months"].array.count == 12 && json["tours"]["kinds"].array.count == 5)
            let shares = try json["income"]["sources"].array.map { try $0["sharePermille"].int64 }
            #expect(shares.reduce(0, +) == 1000)
            let harvest = try json["products"].array.map { try $0["balance"]["isBalanced"].bool }
            #expect(harvest == [true, true])
            for language in Language.allCases {
                let shape = Shapes.livelihood(in: language)
                try shape.schema.validate(shape.json(report))
            }
            try Shapes.reportEntry.schema.validate(Shapes.reportEntry.json(report))
        }
    }

    @Test func `what people have entered is text`() async throws {
        try await report(hostile: true) { report in
            let page = try text(report, .html)
            #expect(!page.contains("<script") && !page.contains("<b>") && page.contains("&lt;b&gt;桃|*&amp;"))
            let markdown = try text(report, .markdown)
            #expect(markdown.contains("\\<b\\>桃\\|\\*\\&") && !markdown.contains("</td>"))
            let json = try JSON(parsing: LivelihoodFormat.json.render(report, .chinese))
            #expect(try json["products"].array.map { try $0["product"].string }.contains("<b>桃|*&\""))
        }
    }

    @Test func `the page needs nothing beside itself`() async throws {
        try await report { report in
            let page = try text(report, .html)
            for mark in ["<script", "src=", "href=", "@import", "url(", "onload", " style=\"", "{{", "http://127"] {
                #expect(!page.contains(mark), "\(mark)")
            }
            #expect(page.contains("<html lang=\"zh-CN\">") && page.contains("size: A4"))
            let style = try #require(page.split(separator: "<style>").last?.split(separator: "</style>").first)
            let digest = Data(Digest.sha256(Array(String(style).utf8))).base64EncodedString()
            #expect(try LivelihoodPage().contentSecurityPolicy.contains("style-src 'sha256-\(digest)'"))
        }
    }

    @Test func `charts are well-formed, say what they show, and their bars are the figures`() async throws {
        try await report { report in
            let figures = report.figures
            let months = (1...12).map { month in
                figures.visits.filter { $0.month == month }.reduce(0) { $0 + $1.people }
            }
            let sources = IncomeSource.allCases.map { figures.income($0) }.filter { $0.last != 0 || $0.this != 0 }
            for language in Language.allCases {
                let visitors = try Chart(#require(LivelihoodCharts.visitors(figures, language)).svg)
                #expect(visitors.bars.map(\.value) == months)
                try visitors.expectProportional(\.height)
                let income = try Chart(#require(LivelihoodCharts.income(figures, language)).svg)
                #expect(income.bars.map(\.value) == sources.flatMap { [$0.last, $0.this] })
                try income.expectProportional(\.width)
                #expect(visitors.texts["title"]?.isEmpty == false && income.texts["title"]?.isEmpty == false)
                let busiest = LivelihoodNumbers.count(months.max() ?? 0)
                #expect(visitors.texts["desc"]?.contains(busiest) == true)
                #expect(visitors.texts["text"]?.contains(busiest) == true)
                let sales = LivelihoodNumbers.roundedMoney(figures.income(.sales).this, language)
                #expect(income.texts["desc"]?.contains(sales) == true && income.texts["text"]?.contains(sales) == true)
            }
        }
    }

    @Test func `there is no chart of nothing, and no bar of less than nothing`() async throws {
        try await TestSupport.withVillage { village in
            let store = LivelihoodStore(village.database)
            let empty = try await store.drawUp(year: 2025, clock: village.clock.clock, village.committee)
            #expect(LivelihoodCharts.visitors(empty.figures, .chinese)?.svg == nil)
            #expect(LivelihoodCharts.income(empty.figures, .chinese)?.svg == nil)
            #expect(try !text(empty, .html).contains("<svg"))
            let day = try #require(CivilDay(year: 2025, month: 5, day: 1))
            let entry = try await village.change(
                IncomeStore.enter(
                    day: day.adding(days: -365), source: .rent, memo: "", amount: Money(fen: 500), corrects: nil,
                    today: village.today))
            try await village.change(
                IncomeStore.enter(
                    day: day, source: .rent, memo: "", amount: Money(fen: -200), corrects: entry.id.value,
                    today: village.today))
            let less = try await store.drawUp(year: 2025, clock: village.clock.clock, village.committee)
            let bars = try Chart(#require(LivelihoodCharts.income(less.figures, .chinese)).svg).bars
            #expect(bars.map(\.value) == [500, -200] && bars.last?.width == 0)
            let page = try text(less, .html)
            #expect(page.contains("-2.00元") && page.contains(">—<"))
        }
    }

    @Test(.enabled("needs Chromium and poppler") { await has("pdftotext") ? await has("chromium") : false })
    func `a browser prints it on A4 with its Chinese, its charts and the heads of its tables`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "livelihood-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await report { report in
            let file = folder.appending(path: "report.html").path
            try Data(LivelihoodFormat.html.render(report, .chinese)).write(to: URL(filePath: file))
            let print =
                "HOME=\(folder.path) timeout 90 chromium --headless=new --no-sandbox --disable-gpu "
                + "--disable-dev-shm-usage --user-data-dir=\(folder.path)/profile --no-pdf-header-footer "
                + "--print-to-pdf=\(folder.path)/report.pdf file://\(file) 2>&1"
            #expect(await output("sh", "-c", print) != nil)
            let facts = try #require(await output("pdfinfo", "\(folder.path)/report.pdf"))
            #expect(facts.contains("A4"), "\(facts)")
            let printed = try #require(await output("pdftotext", "-layout", "\(folder.path)/report.pdf", "-"))
            // A line that wraps is printed in two.
            let plain = printed.filter { !$0.isWhitespace }
            let words = report.text(.chinese)
            #expect(plain.contains(words.title.filter { !$0.isWhitespace }))
            for table in report.tables(.chinese) {
                for cell in table.rows.flatMap(\.self) {
                    #expect(plain.contains(cell.text.filter { !$0.isWhitespace }), "\(cell.text)")
                }
            }
            #expect(plain.contains("—1—") && plain.contains(words.signature[0]))
        }
    }
}

/// An SVG chart, read as XML.
private final class Chart: NSObject, XMLParserDelegate {
    struct Bar {
        let value: Int64
        let width: Double
        let height: Double
    }

    private(set) var bars: [Bar] = []
    private(set) var texts: [String: String] = [:]
    private var element = ""

    init(_ svg: String) throws {
        super.init()
        let parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = self
        try #require(parser.parse(), "\(svg)")
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        element = name
        guard attributes["class"] == "bar" else { return }
        bars.append(
            Bar(
                value: attributes["data-value"].flatMap { Int64($0) } ?? .min,
                width: attributes["width"].flatMap { Double($0) } ?? .nan,
                height: attributes["height"].flatMap { Double($0) } ?? .nan))
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { texts[element, default: ""] += string }

    /// Each bar is as long beside the longest as its value is beside the largest, to the tenth of a unit.
    func expectProportional(_ length: KeyPath<Bar, Double>) throws {
        let longest = try #require(bars.max { $0.value < $1.value })
        #expect(longest[keyPath: length] > 100)
        for bar in bars {
            let expected = longest[keyPath: length] * Double(bar.value) / Double(longest.value)
            #expect(abs(bar[keyPath: length] - expected) <= 0.1, "\(bar)")
        }
    }
}
