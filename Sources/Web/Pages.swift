import Kernel
import Mustache
import Orchard

/// The templates, which are part of the program. All text comes from Swift, in the reader's language.
struct Pages: Sendable {
    private let library: MustacheLibrary
    private let style: String

    /// - Throws: when a template can't be parsed: a fault of the program.
    init() throws {
        var templates: [String: MustacheTemplate] = [:]
        for file in EmbeddedFiles.all where file.name.hasSuffix(".mustache") {
            templates[String(file.name.dropLast(9))] = try MustacheTemplate(string: file.text)
        }
        library = MustacheLibrary(templates: templates)
        style = EmbeddedFiles.all.first { $0.name == "style.css" }?.text ?? ""
    }

    /// - Parameter values: what the template names, beside what every page has.
    func render(_ template: String, title: String, _ values: [String: Any], village: Village, _ language: Language)
        throws -> String
    {
        var values = values
        values["lang"] = language == .chinese ? "zh-CN" : "en"
        values["langCode"] = language.rawValue
        values["otherLang"] = language == .chinese ? "en" : "zh"
        values["otherName"] = language == .chinese ? "English" : "中文"
        values["title"] = "\(title) · \(village.brand)"
        values["village"] = village.name
        values["brand"] = village.brand
        values["seal"] = String(village.brand.prefix(1))
        values["style"] = style
        guard let page = library.render(HTML.parted(values), withTemplate: template) else {
            throw MissingTemplate(name: template)
        }
        return page
    }

    /// What a browser is shown when something went wrong.
    func error(_ problem: Problem, village: Village) -> Answer {
        let language = problem.language
        let values = [
            "tone": "warn", "mark": "!", "heading": problem.title[language],
            "explanation": problem.detail?.sentence(in: language) ?? "",
            "homeLabel": Bilingual(zh: "查验溯源码", en: "Verify a code")[language],
            "toursLabel": Bilingual(zh: "研学预约", en: "Study tours")[language],
        ]
        guard
            let page = try? render(
                "error", title: problem.title[language], values, village: village, language)
        else { return plainErrorPage(problem) }
        return .html(page, status: problem.status)
    }
}

extension Bilingual {
    /// A refusal as it stands on a page by itself: English begins with a capital, and both end.
    func sentence(in language: Language) -> String {
        let text = self[language]
        guard let last = text.last else { return text }
        let isEnded = "。！？.!?".contains(last)
        let stop = isEnded ? "" : language == .chinese ? "。" : "."
        return text.prefix(1).uppercased() + text.dropFirst() + stop
    }
}

struct MissingTemplate: Error {
    let name: String
}
