import Mustache
import Testing

@testable import Documents

@Suite struct HTMLTests {
    /// A mark that joins what stands before it, and one that joins what comes after.
    @Test(arguments: [
        "<\u{301}b onclick=x", "\u{600}<b", "\"\u{301} onfocus=x", "\u{600}>", "&\u{20E3}lt;", "'\u{FE0F}",
    ])
    func `no mark carries a special character past the escaping`(text: String) throws {
        let template = try MustacheTemplate(string: "<p title=\"{{text}}\">{{#items}}{{name}}{{/items}}</p>")
        let values: [String: Any] = ["text": text, "items": [["name": text] as [String: Any]]]
        let plain = template.render(HTML.parted(values))
        let inside = plain.dropFirst("<p title=\"".count).unicodeScalars
        #expect(inside.count { $0 == "<" } == 1 && inside.count { $0 == ">" } == 2)
        #expect(inside.count { $0 == "\"" } == 1 && !inside.contains("'"))
        let escaped = HTML.escaped(text).unicodeScalars
        #expect(!escaped.contains { ["<", ">", "\"", "'"].contains($0) })
    }

    @Test func `what hides nothing stays as it is, and so does a drawing`() throws {
        let values: [String: Any] = ["text": "a < b é 👩‍🌾", "svg": "<svg>e\u{301}</svg>"]
        let parted = try #require(HTML.parted(values) as? [String: Any])
        #expect(parted["text"] as? String == "a < b é 👩‍🌾")
        #expect(parted["svg"] as? String == "<svg>e\u{301}</svg>")
    }
}
