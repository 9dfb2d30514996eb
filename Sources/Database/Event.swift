import Kernel
import Postgres

/// One thing that happened: what, to which subject, for which day, with its figures as fields. Who and when is added
/// by the transaction that writes it. The audit is read from these rows, and so is whatever counts or passes on what
/// happens here.
public struct Event: Sendable {
    /// Noun and verb, such as `sale.record`.
    public let kind: String
    /// Which one, by the name or number under which it is shown.
    public let subject: String
    /// The day that it is entered for, where it has one.
    public let day: CivilDay?
    public let figures: [Figure]

    /// One figure or word of an event. Names are the same wherever they mean the same: `fen`, `grams`, `people`, `reason`.
    public struct Figure: Sendable {
        fileprivate let name: StaticString
        fileprivate let value: SQL

        public static func fen(_ money: Money, _ name: StaticString = "fen") -> Figure {
            Figure(name: name, value: "\(money)::bigint")
        }

        public static func grams(_ weight: Weight, _ name: StaticString = "grams") -> Figure {
            Figure(name: name, value: "\(weight)::bigint")
        }

        public static func number(_ name: StaticString, _ number: Int64?) -> Figure {
            Figure(name: name, value: "\(number)::bigint")
        }

        public static func number(_ name: StaticString, _ number: Int) -> Figure {
            .number(name, Int64(number))
        }

        public static func text(_ name: StaticString, _ text: String?) -> Figure {
            Figure(name: name, value: "\(text)::text")
        }

        public static func day(_ name: StaticString, _ day: CivilDay) -> Figure {
            Figure(name: name, value: "\(day)::date")
        }

        public static func reason(_ reason: String?) -> Figure { .text("reason", reason) }
    }

    public init(_ kind: String, _ subject: String, day: CivilDay? = nil, _ figures: Figure...) {
        self.init(kind, subject, day: day, figures: figures)
    }

    public init(_ kind: String, _ subject: String, day: CivilDay? = nil, figures: [Figure]) {
        self.kind = kind
        self.subject = subject
        self.day = day
        self.figures = figures
    }

    /// The statement that records it. Transactions that write without a `Change` (imports) use it themselves.
    public func insert(by scope: Scope) -> SQL {
        SQL.insert([row(by: scope)])
    }

    func row(by scope: Scope) -> NewRow {
        NewRow(
            into: "event (village_id, actor, cooperative_id, kind, subject, day, figures)",
            """
            (\(scope.village), \(scope.actor), \(scope.cooperative), \(kind), \(subject), \(day), \(object))
            """)
    }

    private var object: SQL {
        guard !figures.isEmpty else { return "'{}'::jsonb" }
        let pairs = figures.map { "'\(literal: $0.name)', \($0.value)" as SQL }
        return "jsonb_strip_nulls(jsonb_build_object(\(pairs.joined(separator: ", "))))"
    }
}
