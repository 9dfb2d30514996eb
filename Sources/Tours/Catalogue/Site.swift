import Kernel

/// Where study tours go: a practice-teaching base, a practice point or an orchard.
public struct TourSite: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable, Labelled {
        case base
        case practicePoint = "practice_point"
        case orchard

        public var label: Bilingual {
            switch self {
            case .base: Bilingual(zh: "实践教学基地", en: "practice-teaching base")
            case .practicePoint: Bilingual(zh: "实践点", en: "practice point")
            case .orchard: Bilingual(zh: "采摘园", en: "orchard")
            }
        }

        /// Reads 实践点 as well as `practice_point` and `practice-point`.
        /// - Throws: a `Refusal` that lists the kinds.
        public init(named text: String) throws {
            try self.init(named: text, of: Bilingual(zh: "基地", en: "site"))
        }
    }

    /// What the desk decides of a site.
    public struct Details: Sendable, Hashable {
        /// By which it is named everywhere, so there is one of it in a village.
        public var name: String
        public var kind: Kind
        public var opens: TimeOfDay
        public var closes: TimeOfDay
        /// On which it is open.
        public var weekdays: Weekdays

        public init(
            name: String, kind: Kind, opens: TimeOfDay = TimeOfDay(minute: 480),
            closes: TimeOfDay = TimeOfDay(minute: 1080), weekdays: Weekdays = .all
        ) {
            self.name = name
            self.kind = kind
            self.opens = opens
            self.closes = closes
            self.weekdays = weekdays
        }
    }

    /// A day on which it is closed in spite of its opening hours.
    public struct ClosedDay: Sendable, Hashable {
        public let day: CivilDay
        public let reason: String
    }

    public let details: Details
    /// In their order.
    public let closedDays: [ClosedDay]
    /// Counts its changes.
    public let version: Int

    public var name: String { details.name }
}

/// Refuses a change of another version than the one that whoever makes it has seen, by throwing.
public typealias VersionCheck = @Sendable (_ present: Int) throws -> Void
