import Income
import Kernel
import Registers

extension IncomeRow {
    /// `{"day", "source", "what": {"kind", "number", "line"}, "product", …, "amount": {"fen"}}`.
    public var json: JSON {
        [
            "day": JSON(day), "source": .string(source.rawValue),
            "what": ["kind": .string(kind.rawValue), "number": .integer(number), "line": JSON(orNull: line)],
            "product": JSON(orNull: product), "cooperative": JSON(orNull: cooperative),
            "channel": JSON(orNull: channel), "household": JSON(orNull: household), "amount": JSON(amount),
            "ofDay": JSON(orNull: ofDay?.description),
        ]
    }

    /// What it is, as one looks it up: `销售 2035 第 1 行`.
    public func what(_ language: Language) -> String {
        let line = line.map { language == .chinese ? " 第 \($0) 行" : " line \($0)" } ?? ""
        return "\(kind.label[language]) \(number)\(line)"
    }

    public static func titles(_ language: Language) -> [String] {
        language == .chinese
            ? ["日期", "来源", "类型", "编号", "行", "产品", "合作社", "渠道", "农户", "金额元", "更正的日期"]
            : [
                "day", "source", "kind", "number", "line", "product", "cooperative", "channel", "household", "yuan",
                "corrects day",
            ]
    }

    public func cells(_ language: Language) -> [String] {
        [
            "\(day)", source.label[language], kind.label[language], "\(number)", line.map(String.init) ?? "",
            product ?? "", cooperative ?? "", channel ?? "", household ?? "", "\(amount)", ofDay?.description ?? "",
        ]
    }
}

extension IncomeSummary {
    /// `earlier` is what of the total corrects days before the period.
    public var json: JSON {
        [
            "from": JSON(from), "to": JSON(to), "by": .array(by.map { .string($0.rawValue) }),
            "rows": .array(
                rows.map { row in
                    .object(
                        zip(by, row.values).map { JSON.Member($0.rawValue, JSON(orNull: $1)) }
                            + [JSON.Member("amount", JSON(row.amount))])
                }),
            "total": JSON(total), "earlier": JSON(earlier), "claims": JSON(claims),
        ]
    }

    /// A sum a row under its titles, for a spreadsheet.
    public func csv(_ language: Language) -> [UInt8] {
        var writer = CSVWriter()
        writer.append(by.map { $0.label[language] } + [language == .chinese ? "金额元" : "yuan"])
        for row in rows {
            writer.append(zip(by, row.values).map { $0.text($1, language) ?? "" } + ["\(row.amount)"])
        }
        return writer.take()
    }
}

extension IncomeSummary.Dimension {
    /// A value as people read it.
    public func text(_ value: String?, _ language: Language) -> String? {
        guard self == .source, let source = value.flatMap(IncomeSource.init(rawValue:)) else { return value }
        return source.label[language]
    }
}

extension JSON {
    public init(orNull text: String?) { self = text.map { .string($0) } ?? .null }
    public init(orNull number: Int64?) { self = number.map { .integer($0) } ?? .null }
}
