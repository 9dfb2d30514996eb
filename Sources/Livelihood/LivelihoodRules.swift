import Kernel

public enum LivelihoodRules {
    /// A class of fewer households is never shown alone.
    public static let fewestHouseholds: Int64 = 5

    /// The year up to today, or the whole of it when it is over.
    /// - Throws: a `Refusal` for a year before 2000 or one that has not begun.
    public static func period(year: Int, today: CivilDay) throws -> LivelihoodPeriod {
        guard (2000...2199).contains(year), year <= today.year else {
            throw Refusal(
                .invalid, "no-such-year", field: "year", zh: "年份须在 2000 年到今年（\(today.year) 年）之间",
                en: "a report is on a year from 2000 to the present one, \(today.year)")
        }
        guard let end = CivilDay(year: year, month: 12, day: 31),
            let period = LivelihoodPeriod(year: year, to: min(end, today))
        else { throw NoPeriod(year: year) }
        return period
    }

    /// The collective's figures are no single cooperative's.
    static func check(_ cooperative: Int?) throws {
        guard cooperative == nil else {
            throw Refusal(
                .forbidden, "committee-only", zh: "民生篇由村委会、管理员或审计查看",
                en: "the report is the committee's to draw up and to see"
            )
        }
    }

    /// - Returns: tenths of a per cent, halves rounded up; nil from nothing and from below it, where growth says nothing.
    public static func growth(from last: Int64, to this: Int64) -> Int64? {
        guard last > 0 else { return nil }
        return rounded((Int128(this) - Int128(last)) * 1000, by: Int128(last))
    }

    /// - Returns: a part of a whole above zero, in tenths of a per cent, halves rounded up.
    static func share(_ part: Int64, of whole: Int64) -> Int64 {
        rounded(Int128(part) * 1000, by: Int128(max(whole, 1)))
    }

    /// Shares of the whole in tenths of a per cent, which sum to 1000: each is rounded down, and what is missing goes to
    /// those that lost most by it, the earlier of equals first.
    /// - Returns: nil when there is no whole to share: it is not above zero, or a part is below.
    public static func shares(_ amounts: [Int64]) -> [Int64]? {
        let total = amounts.reduce(Int128(0)) { $0 + Int128($1) }
        guard total > 0, amounts.allSatisfy({ $0 >= 0 }) else { return nil }
        let scaled = amounts.map { Int128($0) * 1000 }
        var shares = scaled.map { Int64($0 / total) }
        let losses = scaled.map { $0 % total }
        let order = amounts.indices.sorted { (losses[$1], $0) < (losses[$0], $1) }
        let missing = 1000 - shares.reduce(0, +)
        for index in order.prefix(Int(missing)) { shares[index] += 1 }
        return shares
    }

    /// The same classes, those with fewer than five households merged into one; when that has fewer than five still, it
    /// takes in the next smallest. Without five households in all there is nothing to show.
    static func merged(_ classes: [LivelihoodFigures.HouseholdGroup]) -> [LivelihoodFigures.HouseholdGroup] {
        let sorted = classes.filter { $0.households > 0 }.sorted {
            ($1.households, $0.classes.first ?? "") < ($0.households, $1.classes.first ?? "")
        }
        var shown = sorted.filter { $0.households >= fewestHouseholds }
        var few = sorted.filter { $0.households < fewestHouseholds }
        guard !few.isEmpty else { return shown }
        while few.reduce(0, { $0 + $1.households }) < fewestHouseholds, let next = shown.popLast() {
            few.insert(next, at: 0)
        }
        let merged = LivelihoodFigures.HouseholdGroup(few)
        return merged.households < fewestHouseholds ? [] : shown + [merged]
    }

    /// `number / divisor` to the nearest whole, halves up.
    static func rounded(_ number: Int128, by divisor: Int128) -> Int64 {
        let (doubled, step) = (number * 2 + divisor, divisor * 2)
        let quotient = doubled / step
        // Division truncates towards zero; half up means that -1.5 becomes -1.
        return Int64(clamping: doubled % step < 0 ? quotient - 1 : quotient)
    }
}

extension LivelihoodFigures.HouseholdGroup {
    init(_ groups: [Self]) {
        self.init(
            classes: groups.flatMap(\.classes), households: groups.reduce(0) { $0 + $1.households },
            people: groups.reduce(0) { $0 + $1.people }, salesFen: groups.reduce(0) { $0 + $1.salesFen })
    }
}

/// A year of the calendar that has no days.
struct NoPeriod: Error {
    let year: Int
}
