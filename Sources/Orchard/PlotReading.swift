import Kernel
import Registers

/// What a row of the register of plots says, beside the households and plots that it names.
extension PlotRegister {
    /// All that is wrong with the row, or what it says.
    static func entry(
        _ row: RegisterRow, _ households: [String: Owner], _ known: [String: Known], _ catalogue: Catalogue,
        _ day: CivilDay
    ) throws -> Entry {
        var faults = RowFaults()
        let said = try PlotRow(row, &faults)
        try cooperative.naming { try catalogue.checkOwn(cooperative: said.cooperative) }
        let owner = try faults.reading(nil) {
            try Self.owner(said, households, known[said.number]?.timeline.value(on: day), catalogue, day)
        }
        let crop = try faults.reading(nil) { try Self.crop(said.product, catalogue) }
        try faults.check()
        guard let owner, let crop else { throw MissingRow() }
        return Entry(
            number: said.number,
            dated: Dated(
                cooperative: owner.cooperative, household: owner.id, householdNumber: said.household, product: crop.id,
                area: said.area),
            undated: Undated(name: said.name, longitude: said.longitude, latitude: said.latitude),
            ownerSince: owner.since)
    }

    /// - Returns: nil when the row does not name both household and cooperative, which it is refused for already.
    private static func owner(
        _ said: PlotRow, _ households: [String: Owner], _ recorded: Dated?, _ catalogue: Catalogue, _ day: CivilDay
    ) throws -> (id: Int, cooperative: Int, since: CivilDay)? {
        guard !said.household.isEmpty else { return nil }
        guard let owner = households[said.household] else {
            throw Refusal(
                .invalid, "unknown-household", field: household.name,
                zh: "没有农户“\(said.household.shortened)”，请先导入农户名册",
                en: "there is no household “\(said.household.shortened)”: import the households first")
        }
        guard let its = owner.cooperatives.value(on: day),
            let since = owner.cooperatives.since(day, { $0 == its })
        else {
            throw OrchardRules.notYet(household: said.household, from: owner.cooperatives.start)
                .renamed(field: household.name)
        }
        guard !said.cooperative.isEmpty else { return nil }
        // A household that changes its cooperative does not take its plots along: they are as they were until told.
        if let recorded, recorded.household == owner.id,
            catalogue.cooperatives[said.cooperative] == recorded.cooperative
        {
            return (owner.id, recorded.cooperative, since)
        }
        guard catalogue.cooperatives[said.cooperative] == its else {
            throw Refusal(
                .invalid, "household-of-another-cooperative", field: household.name,
                zh: "农户“\(said.household.shortened)”不属于“\(said.cooperative.shortened)”",
                en: "household “\(said.household.shortened)” does not belong to “\(said.cooperative.shortened)”")
        }
        return (owner.id, its, since)
    }

    /// - Returns: nil when the row names none, which it is refused for already.
    private static func crop(_ name: String, _ catalogue: Catalogue) throws -> Product? {
        try product.naming { name.isEmpty ? nil : try catalogue.product(named: name) }
    }
}
