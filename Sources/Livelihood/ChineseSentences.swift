import Income
import Kernel

/// In the language of a village's reports. A heading or a sentence never praises: figures that fall must fit it too.
struct ChineseSentences: LivelihoodSentences {
    let figures: LivelihoodFigures

    private func money(_ fen: Int64) -> String { LivelihoodNumbers.roundedMoney(fen, .chinese) }
    private func weight(_ grams: Int64) -> String { LivelihoodNumbers.roundedWeight(grams, .chinese) }
    private func count(_ number: Int64) -> String { LivelihoodNumbers.count(number) }

    private var span: String {
        let (_, month, day) = figures.period.to.components
        return figures.period.isWhole
            ? "\(figures.period.year)年" : "\(figures.period.year)年1月1日至\(month)月\(day)日"
    }

    private var lastSpan: String { figures.period.isWhole ? "上年" : "上年同期" }

    /// `，同比增长16.1%`; with its comma, because there may be nothing to say.
    private func trend(_ value: LivelihoodFigures.Compared) -> String {
        guard let growth = value.growth else {
            return value.last < 0 ? "（\(lastSpan)为负数，不作比较）" : value.this == 0 ? "" : "（\(lastSpan)无此项）"
        }
        if value.change == 0 { return "，与\(lastSpan)持平" }
        if growth == 0 { return value.change > 0 ? "，同比略有增长" : "，同比略有下降" }
        return "，同比\(growth > 0 ? "增长" : "下降")\(LivelihoodNumbers.percent(abs(growth)))"
    }

    var harvest: String {
        let parts = figures.products.compactMap { product -> String? in
            let amount = product.harvestedGrams
            if amount.this == 0 {
                return amount.last > 0 ? "\(product.name)没有采收（\(lastSpan)\(weight(amount.last))）" : nil
            }
            return "采收\(product.name)\(weight(amount.this))\(trend(amount))"
        }
        return parts.isEmpty ? "\(span)，全村没有采收登记。" : "\(span)，全村" + parts.joined(separator: "；") + "。"
    }

    var sales: String {
        let total = figures.income(.sales)
        guard total.this != 0 else {
            return total.last > 0 ? "农产品没有销售收入（\(lastSpan)\(money(total.last))）。" : "农产品没有销售收入。"
        }
        let parts = figures.products.filter { $0.salesFen.this != 0 }
        let details =
            parts.count < 2
            ? "" : "，其中" + parts.map { "\($0.name)\(money($0.salesFen.this))" }.joined(separator: "、")
        return "农产品销售收入\(money(total.this))\(trend(total))\(details)。"
    }

    var brand: String {
        guard figures.batches.this > 0 else { return "“\(figures.brand)”品牌没有登记新的采收批次。" }
        return "“\(figures.brand)”品牌登记采收批次\(count(figures.batches.this))个\(trend(figures.batches))，"
            + "逐批签发溯源码，供消费者扫码查验。"
    }

    var balance: String {
        guard harvested != 0 || !unbalanced.isEmpty else { return "" }
        let end = figures.period.to.written(.chinese)
        let scope = "按\(figures.period.year)年采收的批次核对，截至\(end)，"
        guard !unbalanced.isEmpty else {
            let parts = whereabouts.map { $0.name.zh + weight($0.grams) }
            return scope + "采收\(weight(harvested))，与\(parts.joined(separator: "、"))\(parts.count > 1 ? "之和" : "")相符。"
        }
        let parts = unbalanced.map { product in
            let difference = product.balance.differenceGrams
            return "\(product.name)采收量比去向与库存之和\(difference > 0 ? "多" : "少")\(weight(abs(difference)))"
        }
        return scope + parts.joined(separator: "，") + "，产销不平衡，须查明原因。"
    }

    var tours: String {
        let income = figures.income(.tours)
        let money = income.this == 0 ? "" : "研学收入\(money(income.this))\(trend(income))。"
        guard figures.groups.this > 0 else {
            let last = figures.groups.last
            let before = last > 0 ? "（\(lastSpan)\(count(last))团次、\(count(figures.visitors.last))人次）" : ""
            return "\(span)，没有研学团队到访\(before)。" + money
        }
        return "\(span)，各研学基地接待团队\(count(figures.groups.this))团次\(trend(figures.groups))；"
            + "到访\(count(figures.visitors.this))人次\(trend(figures.visitors))。" + money
    }

    var visitors: String {
        guard let top = kindsByPeople.first, let busiest = busiestMonth else { return "" }
        let share = LivelihoodRules.share(top.people, of: figures.visitors.this)
        return "按单位类别，\(top.kind.label.zh)团队人次最多，为\(count(top.people))人次，占\(LivelihoodNumbers.percent(share))；"
            + "按月份，\(busiest.month)月人次最多，为\(count(busiest.people))人次。"
    }

    var income: String {
        let total = figures.totalIncome
        guard !sourcesByAmount.isEmpty else {
            return total.last == 0 ? "\(span)，没有收入登记。" : "\(span)，没有收入登记（\(lastSpan)\(money(total.last))）。"
        }
        let parts = sourcesByAmount.map { source, fen, share in
            source.label.zh + money(fen) + (share.map { "，占\(LivelihoodNumbers.percent($0))" } ?? "")
        }
        return "\(span)，各项收入合计\(money(total.this))\(trend(total))。其中，" + parts.joined(separator: "；") + "。"
    }

    var households: String {
        let all = figures.households
        guard all.households > 0 else { return "尚未登记农户。" }
        let average = average(all.salesFen, of: all.households)
        var text =
            "全村登记农户\(count(all.households))户、\(count(all.people))人，合作社\(count(figures.cooperatives))个。"
            + (all.salesFen == 0
                ? "农户地块的产品没有销售收入。"
                : "农户地块所产产品销售收入\(money(all.salesFen))，户均\(money(average))。")
        if figures.householdGroups.isEmpty {
            text += "农户不足\(LivelihoodRules.fewestHouseholds)户，不分类列示。"
        } else if all.salesFen != 0 {
            let parts = figures.householdGroups.map { group in
                "\(LivelihoodWords.classes(group, .chinese))\(count(group.households))户，销售收入\(money(group.salesFen))，"
                    + "户均\(money(self.average(group.salesFen, of: group.households)))"
            }
            text += "按帮扶类别，" + parts.joined(separator: "；") + "。"
        }
        return text
    }
}
