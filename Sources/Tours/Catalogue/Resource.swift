import Kernel

/// What a session needs and what can't be in two places at once: a guide, a room or a coach.
public struct TourResource: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable, Labelled {
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
            try self.init(named: text, of: Bilingual(zh: "资源", en: "resource"))
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
