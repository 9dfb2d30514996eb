/// The one error of the domain: the program understood what was asked and does not do it.
///
/// Anything else that is thrown is a fault of ours: the edges report it without detail and log it.
public struct Refusal: Error, Sendable, Hashable {
    public enum Kind: String, Sendable {
        /// The input itself is wrong. HTTP 422.
        case invalid
        /// No such thing, or not for this person. HTTP 404.
        case notFound
        /// The input is fine but the state of things is against it. HTTP 409.
        case conflict
        /// Who asks is unknown. HTTP 401.
        case unauthenticated
        /// Who asks is known and may not. HTTP 403.
        case forbidden
        /// Asked too often. HTTP 429.
        case tooMany
        /// A part that the answer needs is down; asking again later may work. HTTP 503.
        case unavailable
    }

    public let kind: Kind
    /// A stable name for programs, such as `not-enough-stock`.
    public let code: String
    /// The input field it is about, by the name under which the user gave it.
    public let field: String?
    /// The row of the register it is about; the header is row 1.
    public let row: Int?
    public let message: Bilingual

    public init(_ kind: Kind, _ code: String, field: String? = nil, row: Int? = nil, zh: String, en: String) {
        self.kind = kind
        self.code = code
        self.field = field
        self.row = row
        self.message = Bilingual(zh: zh, en: en)
    }

    private init(_ other: Refusal, field: String?, row: Int?) {
        self.kind = other.kind
        self.code = other.code
        self.field = field
        self.row = row
        self.message = other.message
    }

    /// There is nothing of that name; some names that there are follow.
    /// - Parameters:
    ///   - zh: what kind of thing it is.
    ///   - known: names that whoever asked may see, best sorted; the first ten are told.
    ///   - count: how many there are in all, if `known` is only a part.
    public static func unknown(
        _ kind: Kind, _ code: String, field: String, zh: String, en: String, name: String,
        known: [String], count: Int? = nil
    ) -> Refusal {
        let told = known.prefix(10).map(\.shortened)
        let count = count ?? known.count
        let rest = count - told.count
        guard !told.isEmpty else {
            return Refusal(
                kind, code, field: field, zh: "没有\(zh)“\(name.shortened)”；还没有登记任何\(zh)",
                en: "there is no \(en) “\(name.shortened)”; there are none yet")
        }
        return Refusal(
            kind, code, field: field,
            zh: "没有\(zh)“\(name.shortened)”；已有：\(told.joined(separator: "、"))" + (rest > 0 ? " 等 \(count) 个" : ""),
            en: "there is no \(en) “\(name.shortened)”; there are: \(told.joined(separator: ", "))"
                + (rest > 0 ? " and \(rest) more" : ""))
    }

    /// The same refusal, told of a field unless it already names one.
    public func of(field: String) -> Refusal {
        Refusal(self, field: self.field ?? field, row: row)
    }

    /// The same refusal, told of a field by the name under which this user gave it; of none, if the user gave none.
    public func renamed(field: String?) -> Refusal {
        Refusal(self, field: field, row: row)
    }

    /// The same refusal, told of a row of a register.
    public func of(row: Int) -> Refusal {
        Refusal(self, field: field, row: row)
    }

    /// The same refusal, told of no row.
    public var withoutRow: Refusal { Refusal(self, field: field, row: nil) }

    /// One sentence: where, then what.
    public func sentence(in language: Language) -> String {
        var place: [String] = []
        if let row { place.append(language == .chinese ? "第 \(row) 行" : "row \(row)") }
        if let field { place.append(field) }
        let comma = language == .chinese ? "，" : ", "
        let colon = language == .chinese ? "：" : ": "
        return place.isEmpty ? message[language] : place.joined(separator: comma) + colon + message[language]
    }
}
