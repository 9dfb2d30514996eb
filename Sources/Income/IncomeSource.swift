import Kernel

/// Where income comes from.
public enum IncomeSource: String, Sendable, CaseIterable, Labelled {
    case sales, tours, rent, contracting, investment, subsidy, labour, other

    /// The sources that the committee enters by hand; sales and tours come from their own rows.
    public static let entered: [IncomeSource] = [.rent, .contracting, .investment, .subsidy, .labour, .other]

    public var label: Bilingual {
        switch self {
        case .sales: Bilingual(zh: "农产品销售", en: "sales")
        case .tours: Bilingual(zh: "研学", en: "study tours")
        case .rent: Bilingual(zh: "出租", en: "rent")
        case .contracting: Bilingual(zh: "发包及上交", en: "contracting")
        case .investment: Bilingual(zh: "投资收益", en: "investment")
        case .subsidy: Bilingual(zh: "补助", en: "subsidy")
        case .labour: Bilingual(zh: "劳务", en: "labour")
        case .other: Bilingual(zh: "其他", en: "other")
        }
    }

    /// Reads the name as registers have it (发包及上交, 租金, 劳务收入 …) or the raw value.
    /// - Throws: a `Refusal` that lists what may be entered.
    public init(entered text: String) throws {
        guard let match = Self.entered(text) else { throw Self.unknown(text, known: Self.entered) }
        self = match
    }

    private static func entered(_ text: String) -> IncomeSource? {
        let spellings: [IncomeSource: [String]] = [
            .rent: ["租金"], .contracting: ["发包", "上交"], .investment: ["投资", "分红"], .subsidy: ["补贴"],
            .labour: ["劳务服务"], .other: ["其他收入"],
        ]
        let name = text.hasSuffix("收入") && text != "其他收入" ? String(text.dropLast(2)) : text
        return entered.first { source in
            source.rawValue == text.lowercased() || source.label.zh == name
                || (spellings[source] ?? []).contains(name)
        }
    }

    private static func unknown(_ text: String, known: [IncomeSource]) -> Refusal {
        let names = known.map { "\($0.label.zh) (\($0.rawValue))" }.joined(separator: ", ")
        return Refusal(
            .invalid, "unknown-source", field: "source", zh: "没有“\(text.shortened)”这一类收入，可用：\(names)",
            en: "there is no source “\(text.shortened)”; there are: \(names)")
    }
}

extension IncomeSource {
    /// Any source, by its raw value or its name in either language.
    /// - Throws: a `Refusal` that lists them.
    public init(any text: String) throws {
        let match = Self.allCases.first {
            $0.rawValue == text.lowercased() || $0.label.zh == text || $0.label.en == text.lowercased()
        }
        guard let match = match ?? Self.entered(text) else { throw Self.unknown(text, known: Self.allCases) }
        self = match
    }
}

/// An amount of income that is no sale, entered by the committee.
public struct IncomeEntry: Sendable {
    public let id: Identifier<IncomeEntry>
    public let day: CivilDay
    public let source: IncomeSource
    public let memo: String
    public let amount: Money
    /// The entry that this one corrects.
    public let corrects: Int64?
}
