import Kernel

/// What a session needs and what can't be in two places at once: a guide, a room or a coach.
public struct TourResource: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        case guide, room, coach

        public var label: Bilingual {
            switch self {
            case .guide: Bilingual(zh: "讲解员", en: "guide")
            case .room: Bilingual(zh: "教室", en: "room")
            case .coach: Bilingual(zh: "大巴", en: "coach")
            }
        }

        /// Reads 讲解员 as well as `guide`.
        /// - Throws: a `Refusal` that lists the kinds.
        public init(named text: String) throws {
            guard let kind = Self.allCases.first(where: { $0.rawValue == text.lowercased() || $0.label.zh == text })
            else {
                let names = Self.allCases.map { "\($0.label.zh) (\($0.rawValue))" }.joined(separator: ", ")
                throw Refusal(
                    .invalid, "unknown-resource-kind", field: "kind", zh: "没有“\(text.shortened)”这一类资源，可用：\(names)",
                    en: "there is no kind of resource “\(text.shortened)”; there are: \(names)")
            }
            self = kind
        }
    }

    /// By which it is named everywhere, so there is one of it in a village.
    public var name: String
    public var kind: Kind

    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}
