import Kernel

/// What kind of unit a group comes from 单位类别.
public enum UnitKind: String, Sendable, CaseIterable, Labelled {
    case partySchool = "party_school"
    case government, school, company, society

    public var label: Bilingual {
        switch self {
        case .partySchool: Bilingual(zh: "党校", en: "party school")
        case .government: Bilingual(zh: "机关", en: "government")
        case .school: Bilingual(zh: "学校", en: "school")
        case .company: Bilingual(zh: "企业", en: "company")
        case .society: Bilingual(zh: "社会", en: "society")
        }
    }

    /// Reads 党校 as well as `party_school`.
    /// - Throws: a `Refusal` that lists the kinds.
    public init(named text: String) throws {
        guard let kind = Self.allCases.first(where: { $0.rawValue == text.lowercased() || $0.label.zh == text }) else {
            let names = Self.allCases.map { "\($0.label.zh) (\($0.rawValue))" }.joined(separator: ", ")
            throw Refusal(
                .invalid, "unknown-unit-kind", field: "unitKind", zh: "没有“\(text.shortened)”这一类单位，可用：\(names)",
                en: "there is no kind of unit “\(text.shortened)”; there are: \(names)")
        }
        self = kind
    }
}
