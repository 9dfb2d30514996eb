import Batches
import Kernel
import Orchard
import Registers

/// What a row of 采收登记 says, and all that is wrong with it.
extension HarvestRegister {
    /// - Throws: what is asked of the row's new names, before any of them comes into being.
    func checkNames(_ entry: Entry) throws {
        var faults = RowFaults()
        if catalogue.recorded(variety: entry.varietyName, of: entry.product.id) == nil {
            try faults.reading(()) { try Self.variety.naming { try catalogue.checkNew(.variety, entry.varietyName) } }
        }
        if catalogue.grades[entry.gradeName] == nil {
            try faults.reading(()) { try Self.grade.naming { try catalogue.checkNew(.grade, entry.gradeName) } }
        }
        try faults.check()
    }

    public static func identity(of row: RegisterRow) throws -> RowIdentity {
        let day = try row.day(day)
        return RowIdentity(
            number: [CleanText.folded(try row.text(cooperative)), "\(day.year)", try row.key(slip)],
            content: [
                (Self.day, "\(day)"), (plot, try row.key(plot)), (product, CleanText.folded(try row.text(product))),
                (variety, CleanText.folded(try row.text(variety))), (grade, CleanText.folded(try row.text(grade))),
                (weight, "\(try row.weight(weight, unit: 500))"), (picker, try row.optionalText(picker)),
            ])
    }

    /// All that is wrong with the row, or what it says.
    func read(_ row: RegisterRow) throws -> Entry {
        var faults = RowFaults()
        let slip = try faults.reading("") { try row.key(Self.slip) }
        let day = try faults.reading { try harvestDay(row) }
        let number = try faults.reading("") { try row.key(Self.plot) }
        let cooperative = try faults.reading("") { try row.text(Self.cooperative, max: 60) }
        // Of another cooperative's row nothing is found, and there is nothing more to say.
        try Self.cooperative.naming { try catalogue.checkOwn(cooperative: cooperative) }
        let held = try faults.reading(nil) { try plot(number, on: day) }
        let productName = try faults.reading("") { try row.text(Self.product, max: 60) }
        if let (_, held) = held {
            if !cooperative.isEmpty, catalogue.cooperatives[cooperative] != held.meant {
                faults.note(
                    Refusal(
                        .invalid, "plot-of-another-cooperative", field: Self.cooperative.name,
                        zh: "地块 \(number) 不属于“\(cooperative.shortened)”",
                        en: "plot \(number) does not belong to “\(cooperative.shortened)”"))
            }
            if !productName.isEmpty, catalogue.products[productName]?.id != held.product {
                faults.note(
                    Refusal(
                        .invalid, "crop-mismatch", field: Self.product.name,
                        zh: "地块 \(number) 种的不是“\(productName.shortened)”",
                        en: "plot \(number) does not grow “\(productName.shortened)”"))
            }
        }
        let variety = try faults.reading("") { try row.text(Self.variety, max: 60) }
        let grade = try faults.reading("") { try row.text(Self.grade, max: 60) }
        let weight = try faults.reading(Weight(grams: 0)) { try row.weight(Self.weight, unit: 500) }
        let picker = try faults.reading(nil) { try row.optionalText(Self.picker, max: 60) }
        try faults.check()
        guard let day, let (plot, held) = held, let product = catalogue.products[productName] else {
            throw MissingRow()
        }
        return Entry(
            row: row.number, slip: slip, cooperative: held.cooperative, plot: plot, plotNumber: number,
            plotPeriod: held.period, household: held.household, ceiling: held.ceiling, product: product,
            varietyName: catalogue.recorded(variety: variety, of: product.id) ?? variety,
            gradeName: catalogue.grades.recorded(grade) ?? grade, day: day,
            bestBefore: OrchardRules.bestBefore(harvested: day, days: product.bestBeforeDays), weight: weight,
            picker: picker)
    }

    private func harvestDay(_ row: RegisterRow) throws -> CivilDay {
        let day = try row.day(Self.day)
        try Self.day.naming { try BatchRules.harvestDay(day, today: today) }
        return day
    }

    /// What held of a plot on a day.
    /// - Returns: nil when the row does not say both, which it is refused for already.
    private func plot(_ number: String, on day: CivilDay?) throws -> (id: Int, held: SeasonLedger.Held)? {
        guard !number.isEmpty else { return nil }
        guard let plot = ledger.plots[number] else {
            throw Refusal(
                .invalid, "unknown-plot", field: Self.plot.name, zh: "没有地块“\(number.shortened)”，请先导入地块",
                en: "there is no plot “\(number.shortened)”: import the plots first")
        }
        guard let day else { return nil }
        guard let held = plot.timeline.value(on: day) else {
            throw OrchardRules.notYet(plot: number, from: plot.timeline.start).renamed(field: Self.plot.name)
        }
        return (plot.id, held)
    }
}
