import Kernel
import Mustache
import Orchard

/// The templates, which are part of the program. All text comes from Swift, in the reader's language.
public struct Pages: Sendable {
    private let library: MustacheLibrary
    private let style: String

    /// - Throws: when a template can't be parsed: a fault of the program.
    public init() throws {
        var templates: [String: MustacheTemplate] = [:]
        for file in EmbeddedFiles.all where file.name.hasSuffix(".mustache") {
            templates[String(file.name.dropLast(9))] = try MustacheTemplate(string: file.text)
        }
        library = MustacheLibrary(templates: templates)
        style = EmbeddedFiles.all.first { $0.name == "style.css" }?.text ?? ""
    }

    /// - Parameter values: what the template names, beside what every page has.
    public func render(
        _ template: String, title: String, _ values: [String: Any], village: Village, _ language: Language
    )
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
}

struct MissingTemplate: Error {
    let name: String
}
