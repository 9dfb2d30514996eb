import Foundation
import Kernel

/// Numbers as a report writes them. Rounding happens here and nowhere else: in sentences and charts, never in a table.
public enum LivelihoodNumbers {
    /// What stands where there is no figure, such as growth from nothing.
    public static let none = "—"

    /// With thousands separators, such as `1,806`.
    public static func count(_ number: Int64) -> String { grouped(number, places: 0, atLeast: 0) }

    /// Yuan to the fen, such as `1,511,796.00`.
    public static func yuan(_ fen: Int64) -> String { grouped(fen, places: 2, atLeast: 2) }

    /// 斤 to the gram, such as `129,568.9`.
    public static func jin(_ grams: Int64) -> String { grouped(grams * 2, places: 3, atLeast: 1) }

    /// Tenths of a per cent, such as `16.1%`.
    public static func percent(_ tenths: Int64) -> String { grouped(tenths, places: 1, atLeast: 1) + "%" }

    /// An amount in a sentence: `151.18万元`, and below ten thousand yuan `350.00元`; in English whole yuan.
    public static func roundedMoney(_ fen: Int64, _ language: Language) -> String {
        switch language {
        case .english: count(LivelihoodRules.rounded(Int128(fen), by: 100)) + " yuan"
        case .chinese:
            fen.magnitude < 1_000_000
                ? yuan(fen) + "元"
                : grouped(LivelihoodRules.rounded(Int128(fen), by: 10_000), places: 2, atLeast: 2) + "万元"
        }
    }

    /// A weight in a sentence: `12.96万斤`, and below ten thousand 斤 `350.5斤`; in English tonnes or kilograms.
    public static func roundedWeight(_ grams: Int64, _ language: Language) -> String {
        switch language {
        case .english:
            grams.magnitude < 1_000_000
                ? grouped(grams, places: 3, atLeast: 0) + " kg"
                : grouped(LivelihoodRules.rounded(Int128(grams), by: 10_000), places: 2, atLeast: 2) + " t"
        case .chinese:
            grams.magnitude < 5_000_000
                ? grouped(grams * 2, places: 3, atLeast: 0) + "斤"
                : grouped(LivelihoodRules.rounded(Int128(grams), by: 50_000), places: 2, atLeast: 2) + "万斤"
        }
    }

    /// `value / 10^places`, trailing zeros dropped down to `atLeast` decimals, thousands set apart.
    private static func grouped(_ value: Int64, places: Int, atLeast: Int) -> String {
        var divisor: UInt64 = 1
        for _ in 0..<places { divisor *= 10 }
        let digits = String(value.magnitude / divisor)
        var whole = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { whole.append(",") }
            whole.append(digit)
        }
        var fraction = places > 0 ? String(value.magnitude % divisor) : ""
        fraction = String(repeating: "0", count: places - fraction.count) + fraction
        while fraction.count > atLeast, fraction.hasSuffix("0") { fraction.removeLast() }
        return (value < 0 ? "-" : "") + whole + (fraction.isEmpty ? "" : "." + fraction)
    }
}

extension CivilDay {
    /// `2025年12月31日`, `31 December 2025`.
    func written(_ language: Language) -> String {
        let (year, month, day) = components
        return language == .chinese ? written.zh : "\(day) \(CivilDay.monthNames[month - 1].en) \(year)"
    }
}

/// Words that sentences, tables and charts share.
public enum LivelihoodWords {
    /// `低收入户、困难户（合并）`.
    public static func classes(_ group: LivelihoodFigures.HouseholdGroup, _ language: Language) -> String {
        let names = group.classes.map { $0.isEmpty ? Bilingual(zh: "未分类", en: "unclassified")[language] : $0 }
        guard names.count > 1 else { return names.first ?? "" }
        return language == .chinese
            ? names.joined(separator: "、") + "（合并）" : names.joined(separator: ", ") + " (merged)"
    }

    /// Who an audit's actor is, to a reader: `account:li` is li.
    public static func person(_ actor: String, _ language: Language) -> String {
        let parts = actor.split(separator: ":", maxSplits: 1).map(String.init)
        switch (parts.first, parts.count) {
        case ("account", 2): return parts[1]
        case ("token", 2): return Bilingual(zh: "访问令牌 \(parts[1])", en: "access token \(parts[1])")[language]
        case ("local", 1): return Bilingual(zh: "本机管理员", en: "the administrator of this machine")[language]
        default: return actor
        }
    }
}
