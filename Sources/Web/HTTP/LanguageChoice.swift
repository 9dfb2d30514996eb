import Kernel

extension Language {
    /// `?lang=`, else `Accept-Language` (RFC 9110, section 12.5.4), else Chinese.
    init(query: String?, acceptLanguage: String?) {
        if let query, let language = Self.named(inQuery: query) {
            self = language
        } else if let header = acceptLanguage {
            self = Self.preferred(in: header) ?? .chinese
        } else {
            self = .chinese
        }
    }

    static func named(inQuery query: String) -> Language? {
        for part in query.split(separator: "&") where part.hasPrefix("lang=") {
            return Language(rawValue: String(part.dropFirst(5)))
        }
        return nil
    }

    /// The language of ours with the highest quality; among equals the first.
    static func preferred(in header: String) -> Language? {
        var best: (language: Language, quality: Double)?
        for range in header.split(separator: ",") {
            let parts = range.split(separator: ";")
            guard let tag = parts.first?.trimmed.lowercased() else { continue }
            var quality = 1.0
            for parameter in parts.dropFirst() {
                let parameter = parameter.trimmed.lowercased()
                if parameter.hasPrefix("q=") { quality = Double(parameter.dropFirst(2)) ?? 0 }
            }
            let primary = String(tag.prefix { $0 != "-" })
            guard let language = primary == "*" ? .chinese : Language(rawValue: primary) else { continue }
            if quality > best?.quality ?? 0 { best = (language, quality) }
        }
        return best?.language
    }
}
