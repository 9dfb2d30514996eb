import Income
import Kernel

struct EnglishSentences: LivelihoodSentences {
    let figures: LivelihoodFigures

    private func money(_ fen: Int64) -> String { LivelihoodNumbers.roundedMoney(fen, .english) }
    private func weight(_ grams: Int64) -> String { LivelihoodNumbers.roundedWeight(grams, .english) }
    private func count(_ number: Int64, _ one: String, _ many: String) -> String {
        LivelihoodNumbers.count(number) + " " + (number == 1 ? one : many)
    }

    private var span: String {
        figures.period.isWhole
            ? "In \(figures.period.year)"
            : "From \(figures.period.from.written(.english)) to \(figures.period.to.written(.english))"
    }

    private var lastSpan: String { figures.period.isWhole ? "the year before" : "the same days of the year before" }

    /// ` (up 16.1%)`, or nothing where there is nothing to say.
    private func trend(_ value: LivelihoodFigures.Compared) -> String {
        guard let growth = value.growth else {
            return value.last < 0 ? " (below zero \(lastSpan))" : value.this == 0 ? "" : " (none \(lastSpan))"
        }
        if value.change == 0 { return " (as in \(lastSpan))" }
        if growth == 0 { return value.change > 0 ? " (slightly up)" : " (slightly down)" }
        return " (\(growth > 0 ? "up" : "down") \(LivelihoodNumbers.percent(abs(growth))))"
    }

    var harvest: String {
        let parts = figures.products.compactMap { product -> String? in
            let amount = product.harvestedGrams
            if amount.this == 0 {
                return amount.last > 0 ? "no \(product.name) (\(weight(amount.last)) \(lastSpan))" : nil
            }
            return "\(weight(amount.this)) of \(product.name)\(trend(amount))"
        }
        return parts.isEmpty
            ? "\(span) no harvest was registered." : "\(span) the village harvested \(parts.joined(separator: ", "))."
    }

    var sales: String {
        let total = figures.income(.sales)
        guard total.this != 0 else {
            return total.last > 0 ? "Nothing was sold (\(money(total.last)) \(lastSpan))." : "Nothing was sold."
        }
        let parts = figures.products.filter { $0.salesFen.this != 0 }
        let details =
            parts.count < 2
            ? "" : ": " + parts.map { "\($0.name) \(money($0.salesFen.this))" }.joined(separator: ", ")
        return "Sales came to \(money(total.this))\(trend(total))\(details)."
    }

    var brand: String {
        guard figures.batches.this > 0 else { return "No batch was registered under the brand \(figures.brand)." }
        return
            "Under the brand \(figures.brand), \(count(figures.batches.this, "batch was", "batches were")) registered"
            + "\(trend(figures.batches)), each with a signed code that buyers can verify."
    }

    var balance: String {
        guard harvested != 0 || !unbalanced.isEmpty else { return "" }
        let end = figures.period.to.written(.english)
        let scope = "Of the batches harvested in \(figures.period.year), by \(end), "
        guard !unbalanced.isEmpty else {
            let parts = whereabouts.map { "\(weight($0.grams)) \($0.name.en)" }
            return scope + "the harvest of \(weight(harvested)) equals \(parts.joined(separator: ", "))."
        }
        let parts = unbalanced.map { product in
            let difference = product.balance.differenceGrams
            return
                "\(product.name) harvested is \(weight(abs(difference))) \(difference > 0 ? "more" : "less") than is "
                + "accounted for"
        }
        return scope + parts.joined(separator: ", ") + ": the books do not balance, and the reason must be found."
    }

    var tours: String {
        let income = figures.income(.tours)
        let earned = income.this == 0 ? "" : " Study tours brought \(money(income.this))\(trend(income))."
        guard figures.groups.this > 0 else {
            let last = figures.groups.last
            let before =
                last > 0
                ? " (\(count(last, "visit", "visits")) of \(count(figures.visitors.last, "person", "people")) \(lastSpan))"
                : ""
            return "\(span) no group came on a study tour\(before).\(earned)"
        }
        return "\(span) the bases received \(count(figures.groups.this, "group visit", "group visits"))"
            + "\(trend(figures.groups)) of \(count(figures.visitors.this, "person", "people"))"
            + "\(trend(figures.visitors)).\(earned)"
    }

    var visitors: String {
        guard let top = kindsByPeople.first, let busiest = busiestMonth else { return "" }
        let share = LivelihoodRules.share(top.people, of: figures.visitors.this)
        let month = CivilDay.monthNames[busiest.month - 1].en
        return "Most came with a \(top.kind.label.en): \(count(top.people, "person", "people")), "
            + "\(LivelihoodNumbers.percent(share)) of all. The busiest month was \(month) with "
            + "\(count(busiest.people, "person", "people"))."
    }

    var income: String {
        let total = figures.totalIncome
        guard !sourcesByAmount.isEmpty else {
            return total.last == 0
                ? "\(span) no income was registered."
                : "\(span) no income was registered (\(money(total.last)) \(lastSpan))."
        }
        let parts = sourcesByAmount.map { source, fen, share in
            "\(source.label.en) \(money(fen))" + (share.map { " (\(LivelihoodNumbers.percent($0)))" } ?? "")
        }
        return "\(span) income came to \(money(total.this))\(trend(total)): " + parts.joined(separator: ", ") + "."
    }

    var households: String {
        let all = figures.households
        guard all.households > 0 else { return "No household is registered yet." }
        var text =
            "\(count(all.households, "household", "households")) of \(count(all.people, "person", "people")) "
            + "\(all.households == 1 ? "is" : "are") registered, and "
            + "\(count(figures.cooperatives, "cooperative", "cooperatives")). "
            + (all.salesFen == 0
                ? "Nothing of their plots was sold."
                : "What grew on their plots sold for \(money(all.salesFen)), "
                    + "\(money(average(all.salesFen, of: all.households))) a household.")
        if figures.householdGroups.isEmpty {
            text += " They are too few to be shown by class."
        } else if all.salesFen != 0 {
            let parts = figures.householdGroups.map { group in
                "\(LivelihoodWords.classes(group, .english)), \(count(group.households, "household", "households")): "
                    + "\(money(group.salesFen)), \(money(average(group.salesFen, of: group.households))) each"
            }
            text += " By support class: " + parts.joined(separator: "; ") + "."
        }
        return text
    }
}
