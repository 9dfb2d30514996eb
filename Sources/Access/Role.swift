import Kernel

/// What a person is to the village, and so what the person may do.
public enum Role: String, Sendable, CaseIterable, Labelled {
    /// A cooperative's clerk: bound to one cooperative, writes and sees its rows only.
    case clerk
    /// The village committee: sees all, enters other income, grants exceptions.
    case committee
    /// The tour desk.
    case desk
    case administrator
    /// Reads everything, changes nothing.
    case auditor

    /// Reads `clerk` as well as `文员`.
    /// - Throws: a `Refusal` that lists the roles.
    public init(named text: String) throws {
        guard let role = Role.allCases.first(where: { $0.rawValue == text.lowercased() || $0.label.zh == text }) else {
            let names = Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal(
                .invalid, "unknown-role", field: "role", zh: "没有“\(text.shortened)”这个角色，可用：\(names)",
                en: "there is no role “\(text.shortened)”; there are \(names)")
        }
        self = role
    }

    public var label: Bilingual {
        switch self {
        case .clerk: Bilingual(zh: "文员", en: "cooperative clerk")
        case .committee: Bilingual(zh: "村委会", en: "committee")
        case .desk: Bilingual(zh: "研学接待", en: "tour desk")
        case .administrator: Bilingual(zh: "管理员", en: "administrator")
        case .auditor: Bilingual(zh: "审计", en: "auditor")
        }
    }
}
