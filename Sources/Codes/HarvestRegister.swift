import Batches
import Database
import Kernel
import Orchard
import Postgres
import Registers
import Signing

/// Records 采收登记: each slip becomes a batch with its signed code.
public struct HarvestRegister: RegisterRecorder, Sendable {
    private static let slip = Column("采收单号", also: ["单号"])
    private static let day = Column("采收日期", also: ["日期"])
    private static let cooperative = Column("合作社")
    private static let plot = Column("地块号", also: ["地块"])
    private static let product = Column("产品", also: ["作物"])
    private static let variety = Column("品种")
    private static let grade = Column("等级")
    private static let weight = Column("重量斤", also: ["重量", "数量斤"])
    private static let picker = Column("采收人", also: ["操作人"], required: false)
    public static let columns = [slip, day, cooperative, plot, product, variety, grade, weight, picker]
    public static let numbering: Numbering? = Numbering(slip, within: [cooperative], yearOf: day)
    public static let nameColumns = [variety, grade]

    public static let refusals = [
        HarvestStore.withinCeiling: Refusal(
            .conflict, "over-ceiling", field: "重量斤", zh: "导入期间同一地块另有采收登记，合计超过上限；什么都没有记录，请重试",
            en: "while this ran, other harvests of a plot came in and the sum is over its ceiling: nothing was recorded"
        ),
        "batch_slip_once": Refusal(
            .conflict, "slip-taken", field: "采收单号", zh: "导入期间有采收单号被登记；什么都没有记录，请重试",
            en: "while this ran, a slip number was recorded by someone else: nothing was recorded, try again"),
    ]

    private let signer: CodeSigner
    private let today: CivilDay
    private var context = ImportContext.none
    private var catalogue = Catalogue()
    private var ledger = SeasonLedger()
    /// Signed and not yet written: written while the next rows are read and signed.
    private var pending: HarvestStaging.Rows?
    public var created: [Bilingual] { catalogue.created }

    public init(signer: CodeSigner, today: CivilDay) {
        self.signer = signer
        self.today = today
    }

    /// A row whose names have been found.
    struct Entry: Sendable {
        let row: Int
        let slip: String
        let cooperative: Int
        let plot: Int
        let plotNumber: String
        /// What held of the plot on the day.
        let plotPeriod: Int
        let household: Int
        let ceiling: Weight
        let product: Product
        let varietyName: String
        let gradeName: String
        /// Known once the row has passed, since they may have to be made for it.
        var variety = 0
        var grade = 0
        let day: CivilDay
        let bestBefore: CivilDay?
        let weight: Weight
        let picker: String?

        var recorded: Recorded {
            Recorded(
                plot: plotNumber, variety: varietyName, grade: gradeName, day: day, weight: weight, picker: picker)
        }

        func check(against old: Recorded) throws {
            var row = RecordedRow()
            row.compare(HarvestRegister.day, recorded: old.day, said: day)
            row.compare(HarvestRegister.plot, recorded: old.plot, said: plotNumber)
            row.compare(HarvestRegister.variety, recorded: old.variety, said: varietyName)
            row.compare(HarvestRegister.grade, recorded: old.grade, said: gradeName)
            row.compare(HarvestRegister.weight, recorded: old.weight, said: weight)
            row.compare(HarvestRegister.picker, recorded: old.picker, said: picker)
            try row.check("slip-differs", Bilingual(zh: "采收单号 \(slip.shortened) ", en: "slip \(slip.shortened)"))
        }
    }

    public mutating func record(
        _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
    ) async throws -> [RowOutcome] {
        try await ledger.loadPlots(of: rows.compactMap { try? $0.key(Self.plot) }, transaction, scope)
        var outcomes: [RowOutcome] = []
        var entries: [Entry] = []
        let results = try rows.enumerated().map { index, row in
            try Result(reading: { try read(row, index) })
        }
        let good = results.compactMap { try? $0.get() }
        let known = try await Self.known(good, transaction, scope)
        let numbers = try await Self.numbers(good.count - known.count, transaction, scope)
        let (before, keyID, today) = (pending, signer.keyID, today)
        async let written: Void = HarvestStaging.write(before, transaction, scope, keyID, today)
        // Where each slip's entry stands: cheaper than to keep what it says a second time.
        var places: [SlipKey: Int] = [:]
        try await ledger.loadSeasons(of: good, transaction, scope)
        for result in results {
            do {
                var entry = try result.get()
                let key = SlipKey(cooperative: entry.cooperative, slip: entry.slip, year: entry.day.year)
                if let old = known[key] ?? places[key].map({ entries[$0].recorded }) ?? before?.recorded(key) {
                    try entry.check(against: old)
                    outcomes.append(.already)
                    continue
                }
                try ClosedBooks.check(entry.day, through: context.closedThrough, field: Self.day.name)
                try checkNames(entry)
                try ledger.add(entry)
                entry.variety = try await catalogue.variety(
                    making: entry.varietyName, of: entry.product, transaction, scope)
                entry.grade = try await catalogue.grade(making: entry.gradeName, transaction, scope)
                places[key] = entries.count
                entries.append(entry)
                outcomes.append(.recorded)
            } catch let refused as RowRefused {
                outcomes.append(.refused(refused.refusals))
            } catch let refusal as Refusal {
                outcomes.append(.refused(refusal))
            }
        }
        pending = HarvestStaging.Rows(
            bytes: try await HarvestStaging.sign(entries, numbers: numbers, signer: signer, today: today),
            seasons: ledger.takeWrites(scope),
            entries: entries, places: places)
        try await written
        return outcomes
    }

    public mutating func begin(
        _ context: ImportContext, in transaction: Transaction, _ scope: Scope
    ) async throws {
        self.context = context
        catalogue = try await Catalogue.load(transaction, scope)
        let creates = context.choices.creates
        catalogue.expect(.variety, context.names(in: Self.variety), creating: creates)
        catalogue.expect(.grade, context.names(in: Self.grade), creating: creates)
        _ = try await transaction.query(HarvestStaging.create)
    }

    /// - Throws: what is asked of the row's new names, before any of them comes into being.
    private func checkNames(_ entry: Entry) throws {
        var faults = RowFaults()
        if catalogue.recorded(variety: entry.varietyName, of: entry.product.id) == nil {
            try faults.reading(()) {
                do {
                    try catalogue.checkNew(.variety, entry.varietyName)
                } catch let refusal as Refusal {
                    throw refusal.renamed(field: Self.variety.name)
                }
            }
        }
        if catalogue.grades[entry.gradeName] == nil {
            try faults.reading(()) {
                do {
                    try catalogue.checkNew(.grade, entry.gradeName)
                } catch let refusal as Refusal {
                    throw refusal.renamed(field: Self.grade.name)
                }
            }
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
    private func read(_ row: RegisterRow, _ index: Int) throws -> Entry {
        var faults = RowFaults()
        let slip = try faults.reading("") { try row.key(Self.slip) }
        let day = try faults.reading { try harvestDay(row) }
        let number = try faults.reading("") { try row.key(Self.plot) }
        let held = try faults.reading(nil) { try plot(number, on: day) }
        let cooperative = try faults.reading("") { try row.text(Self.cooperative, max: 60) }
        let productName = try faults.reading("") { try row.text(Self.product, max: 60) }
        if let (_, held) = held {
            if !cooperative.isEmpty, catalogue.cooperatives[cooperative] != held.cooperative {
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
            row: index, slip: slip, cooperative: held.cooperative, plot: plot, plotNumber: number,
            plotPeriod: held.period, household: held.household, ceiling: held.ceiling, product: product,
            varietyName: catalogue.recorded(variety: variety, of: product.id) ?? variety,
            gradeName: catalogue.grades.recorded(grade) ?? grade, day: day,
            bestBefore: OrchardRules.bestBefore(harvested: day, days: product.bestBeforeDays), weight: weight,
            picker: picker)
    }

    private func harvestDay(_ row: RegisterRow) throws -> CivilDay {
        let day = try row.day(Self.day)
        do {
            try BatchRules.harvestDay(day, today: today)
        } catch let refusal as Refusal {
            throw refusal.renamed(field: Self.day.name)
        }
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

    struct SlipKey: Hashable, Sendable {
        let cooperative: Int
        let slip: String
        /// Registers begin again at 1 every January.
        let year: Int
    }

    /// What the books hold of a slip.
    struct Recorded: Sendable {
        let plot: String
        let variety: String
        let grade: String
        let day: CivilDay
        let weight: Weight
        let picker: String?
    }

    /// What is recorded already under the rows' slips. LATERAL with LIMIT makes each slip one look into its index: a
    /// table that is being filled has no statistics, and the planner would read all of it instead.
    private static func known(
        _ entries: [Entry], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [SlipKey: Recorded] {
        let (cooperatives, slips) = (entries.map(\.cooperative), entries.map(\.slip))
        let years = entries.map(\.day.year)
        var found: [SlipKey: Recorded] = [:]
        for row in try await transaction.query(
            """
            SELECT b.cooperative_id, b.slip, t.number AS plot, v.name AS variety, g.name AS grade, b.harvested_on,
                b.in_g, b.picker
            FROM unnest(\(cooperatives)::int[], \(slips)::text[], \(years)::int[]) w (cooperative_id, slip, year)
            CROSS JOIN LATERAL (
                SELECT * FROM batch b WHERE b.village_id = \(scope.village) AND b.cooperative_id = w.cooperative_id
                    AND b.slip = w.slip AND b.slip IS NOT NULL
                    AND extract(year FROM b.harvested_on)::int = w.year LIMIT 1) b
            JOIN plot_period t ON t.village_id = \(scope.village) AND t.id = b.plot_period_id
            JOIN variety v ON v.village_id = \(scope.village) AND v.id = b.variety_id
            JOIN grade g ON g.village_id = \(scope.village) AND g.id = b.grade_id
            """)
        {
            let harvested: CivilDay = try row.decode("harvested_on")
            let key = SlipKey(
                cooperative: try row.decode("cooperative_id"), slip: try row.decode("slip"), year: harvested.year)
            found[key] = Recorded(
                plot: try row.decode("plot"), variety: try row.decode("variety"), grade: try row.decode("grade"),
                day: harvested, weight: try row.decode("in_g"), picker: try row.decode("picker"))
        }
        return found
    }

    /// Numbers for as many batches as may come of some rows; those of rows that are refused stay unused.
    private static func numbers(_ count: Int, _ transaction: Transaction, _ scope: Scope) async throws -> [Int64] {
        try await transaction.query(
            """
            SELECT nextval(\(HarvestStore.sequence(scope.village))::regclass) AS number
            FROM generate_series(1, \(count)::int)
            """
        ).map { try $0.decode("number") }
    }

    public mutating func finish(in transaction: Transaction, _ scope: Scope) async throws {
        try await HarvestStaging.write(pending, transaction, scope, signer.keyID, today)
        pending = nil
    }
}
