/// Text on its way into HTML, which reads code points where Swift reads characters: a `<` that a combining mark has made
/// part of another character is a `<` all the same.
public enum HTML {
    private static let special: Set<Unicode.Scalar> = ["<", ">", "&", "\"", "'"]

    public static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// The values of a template with every special code point a character of its own, parted from its neighbours by a
    /// space of no width: Mustache escapes whole characters and would pass it over. What is named `svg` is HTML already.
    static func parted(_ value: Any) -> Any {
        switch value {
        case let text as String: parted(text)
        case let list as [Any]: list.map(parted)
        case let map as [String: Any]:
            Dictionary(uniqueKeysWithValues: map.map { ($0, $0 == "svg" ? $1 : parted($1)) })
        default: value
        }
    }

    private static func parted(_ text: String) -> String {
        let hides = text.contains { character in
            character.unicodeScalars.count > 1 && character.unicodeScalars.contains(where: special.contains)
        }
        guard hides else { return text }
        var parted = ""
        for scalar in text.unicodeScalars {
            if special.contains(scalar) {
                parted += "\u{200B}\(scalar)\u{200B}"
            } else {
                parted.unicodeScalars.append(scalar)
            }
        }
        return parted
    }
}
