import Batches
import Kernel
import Orchard
import Registers

/// What a row of 销售流水 says, and all that is wrong with it.
extension SaleRegister {
    public static func identity(of row: RegisterRow) throws -> RowIdentity {
        let day = try row.day(day)
        return RowIdentity(
            number: [CleanText.folded(try row.text(cooperative)), "\(day.year)", try row.key(number)],
            content: [
                (Self.day, "\(day)"), (slip, try row.key(slip)), (weight, "\(try row.weight(weight, unit: 500))"),
                (price, "\(try row.money(price))"), (amount, try row.optionalMoney(amount)?.description),
                (channel, CleanText.folded(try row.text(channel))), (buyer, CleanText.folded(try row.text(buyer))),
                (paidHow, try row.optionalText(paidHow)),
            ])
    }

    /// The cooperative as it is recorded, and the number in a column.
    func key(_ row: RegisterRow, _ column: Column) throws -> Key {
        let name = try row.text(Self.cooperative, max: 60)
        return Key(cooperative: catalogue.cooperatives.recorded(name) ?? name, number: try row.key(column))
    }

    /// All that is wrong with the row, or what it says.
    func read(_ row: RegisterRow, _ sources: Sources) throws -> Entry {
        var faults = RowFaults()
        let number = try faults.reading("") { try row.key(Self.number) }
        let day = try faults.reading { try self.day(row) }
        let sourceKey = try faults.reading { try key(row, Self.slip) }
        if let sourceKey { try Self.cooperative.naming { try catalogue.checkOwn(cooperative: sourceKey.cooperative) } }
        let source = try faults.reading(nil) { try sourceKey.flatMap { try self.source($0, soldOn: day, sources) } }
        if let source {
            try faults.reading(()) { try check(row, day, against: source) }
        }
        let weight = try faults.reading { try row.weight(Self.weight, unit: 500) }
        let price = try faults.reading { try self.price(row) }
        let stated = try faults.reading(nil) { try row.optionalMoney(Self.amount) }
        let channel = try faults.reading("") { try row.text(Self.channel, max: 40) }
        let buyer = try faults.reading("") { try row.text(Self.buyer, max: 200) }
        let paidHow = try faults.reading(nil) { try row.optionalText(Self.paidHow, max: 40) }
        var amount = Money.zero
        if let weight, let price {
            amount = try faults.reading(.zero) { try Self.amount(of: weight, at: price, stated: stated) }
        }
        try faults.check()
        guard let day, let source, let sourceKey, let weight, let price else { throw MissingRow() }
        return Entry(
            key: SaleKey(key: Key(cooperative: sourceKey.cooperative, number: number), year: day.year),
            source: source, day: day, weight: weight, price: price, amount: amount,
            channel: names.meant(.channel, by: channel), buyer: names.meant(.buyer, by: buyer), paidHow: paidHow,
            formerBatches: Set(sources.former[sourceKey]?.map(\.number) ?? []))
    }

    private func day(_ row: RegisterRow) throws -> CivilDay {
        let day = try row.day(Self.day)
        guard day <= today else {
            throw Refusal(
                .invalid, "sale-in-future", field: Self.day.name, zh: "销售日期在今天之后", en: "the day is in the future")
        }
        return day
    }

    private func source(_ key: Key, soldOn day: CivilDay?, _ sources: Sources) throws -> Source {
        guard let source = sources.number(of: key, soldOn: day).flatMap({ sources.batches[$0] }) else {
            throw Refusal(
                .invalid, "unknown-slip", field: Self.slip.name,
                zh: "“\(key.cooperative.shortened)”没有采收单号“\(key.number.shortened)”，请先导入采收登记",
                en: "“\(key.cooperative.shortened)” has no slip “\(key.number.shortened)”: import the harvests first")
        }
        return source
    }

    private func check(_ row: RegisterRow, _ day: CivilDay?, against source: Source) throws {
        if let product = try row.optionalText(Self.product, max: 60), product != source.product,
            CleanText.folded(product) != CleanText.folded(source.product)
        {
            throw Refusal(
                .invalid, "product-mismatch", field: Self.product.name, zh: "这个采收单号是\(source.product)",
                en: "this slip is of \(source.product)")
        }
        if let day, day < source.harvestedOn {
            throw SaleRules.beforeHarvest(batch: source.number, harvested: source.harvestedOn)
                .renamed(field: Self.day.name)
        }
    }

    private func price(_ row: RegisterRow) throws -> Price {
        do {
            return try Price(fen: row.money(Self.price).fen, basis: .jin)
        } catch let refusal as Refusal {
            throw refusal.of(field: Self.price.name)
        }
    }

    private static func amount(of weight: Weight, at price: Price, stated: Money?) throws -> Money {
        let amount: Money
        do {
            amount = try price.amount(for: weight)
        } catch let refusal as Refusal {
            throw refusal.of(field: Self.price.name)
        }
        guard stated == nil || stated == amount else {
            throw Refusal(
                .invalid, "amount-differs", field: Self.amount.name,
                zh: "金额 \(stated ?? amount) 与数量×单价 \(amount) 不符",
                en: "the amount \(stated ?? amount) is not weight × price, \(amount)")
        }
        return amount
    }
}
