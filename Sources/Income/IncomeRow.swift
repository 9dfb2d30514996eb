import Kernel

/// One row behind a figure of income.
public struct IncomeRow: Sendable {
    public enum Kind: String, Sendable, CaseIterable, Labelled {
        case sale, `return`, reversal, booking, adjustment, entry, correction

        public var label: Bilingual {
            switch self {
            case .sale: Bilingual(zh: "销售", en: "sale")
            case .return: Bilingual(zh: "退货", en: "return")
            case .reversal: Bilingual(zh: "销售冲销", en: "reversal")
            case .booking: Bilingual(zh: "预约", en: "booking")
            case .adjustment: Bilingual(zh: "预约调整", en: "adjustment")
            case .entry: Bilingual(zh: "收入", en: "entry")
            case .correction: Bilingual(zh: "更正", en: "correction")
            }
        }
    }

    public let day: CivilDay
    public let source: IncomeSource
    public let kind: Kind
    /// Under which it is shown: that of the sale for its returns, that of the booking for its adjustments.
    public let number: Int64
    /// Of a sale.
    public let line: Int64?
    /// Which it is of the rows of its number.
    let order: Int64
    public let product: String?
    public let cooperative: String?
    public let channel: String?
    public let household: String?
    public let amount: Money
    /// The day of what it corrects.
    public let ofDay: CivilDay?
}

/// Which rows of income: those of a period, and of one cell of a summary of it.
public struct IncomeFilter: Sendable {
    /// A dimension's value; `.none` are the rows that have none, as rent has no product.
    public enum Value: Sendable, Hashable {
        case some(String), none

        /// As it is typed: empty for what a summary shows as having none.
        public init(entered text: String) {
            let text = text.trimmed
            self = text.isEmpty || text == "—" || text == "-" ? .none : .some(text)
        }
    }

    public let from: CivilDay
    public let to: CivilDay
    public var values: [IncomeSummary.Dimension: Value]

    /// - Throws: a `Refusal` for a period that ends before it begins, an unknown source and a month that is none.
    public init(from: CivilDay, to: CivilDay, values: [IncomeSummary.Dimension: Value] = [:]) throws {
        guard from <= to else {
            throw Refusal(
                .invalid, "period-reversed", field: "from", zh: "起始日期在截止日期之后",
                en: "the period begins after it ends")
        }
        var (from, to) = (from, to)
        var values = values
        if case .some(let text)? = values[.source] { values[.source] = .some(try IncomeSource(any: text).rawValue) }
        // A household is named by its number, or by number and head as in summaries.
        if case .some(let text)? = values[.household], !text.contains(" ") {
            values[.household] = .some(try CleanText.number(text, field: "household", max: 60))
        }
        if case .some(let text)? = values[.month] {
            let month = try Self.month(text)
            (from, to) = (max(from, month.first), min(to, month.last))
            values[.month] = nil
        }
        self.from = from
        self.to = to
        self.values = values
    }

    private static func month(_ text: String) throws -> (first: CivilDay, last: CivilDay) {
        let parts = text.split(separator: "-").compactMap { Int($0) }
        guard parts.count == 2, let first = CivilDay(year: parts[0], month: parts[1], day: 1),
            let next = CivilDay(
                year: parts[1] == 12 ? parts[0] + 1 : parts[0], month: parts[1] == 12 ? 1 : parts[1] + 1, day: 1)
        else {
            throw Refusal(
                .invalid, "unknown-month", field: "month", zh: "“\(text.shortened)”不是月份，如 2025-08",
                en: "“\(text.shortened)” is no month such as 2025-08")
        }
        return (first, next.adding(days: -1))
    }
}

/// A page of rows goes on behind this one.
public struct IncomeRowPlace: Sendable, Hashable {
    let day: CivilDay
    let kind: String
    let number: Int64
    let line: Int64

    public init(after row: IncomeRow) {
        day = row.day
        kind = row.kind.rawValue
        number = row.number
        line = row.order
    }

    /// - Throws: a `Refusal` for a text that `description` did not make.
    public init(_ text: String) throws {
        let parts = text.split(separator: " ").map(String.init)
        guard parts.count == 4, let day = CivilDay(iso: parts[0]), let kind = IncomeRow.Kind(rawValue: parts[1]),
            let number = Int64(parts[2]), let line = Int64(parts[3])
        else {
            throw Refusal(
                .invalid, "not-a-cursor", field: "cursor", zh: "cursor 不是先前答复中的 next",
                en: "the cursor is not `next` of an answer before")
        }
        self.day = day
        self.kind = kind.rawValue
        self.number = number
        self.line = line
    }
}

extension IncomeRowPlace: CustomStringConvertible {
    public var description: String { "\(day) \(kind) \(number) \(line)" }
}
