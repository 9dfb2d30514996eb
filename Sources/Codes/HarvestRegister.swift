import Batches
import Database
import Kernel
import Orchard
import Postgres
import Registers
import Signing

/// Records 采收登记: each slip becomes a batch with its signed code.
public struct HarvestRegister: RegisterRecorder, Sendable {
    static let slip = Column("采收单号", also: ["单号"])
    static let day = Column("采收日期", also: ["日期"])
    static let cooperative = Column("合作社")
    static let plot = Column("地块号", also: ["地块"])
    static let product = Column("产品", also: ["作物"])
    static let variety = Column("品种")
    static let grade = Column("等级")
    static let weight = Column("重量斤", also: ["重量", "数量斤"])
    static let picker = Column("采收人", also: ["操作人"], required: false)
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
        CodeRules.keySigns: CodeRules.keyEnded,
    ]

    private let signer: CodeSigner
    let today: CivilDay
    var context = ImportContext.none
    var catalogue = Catalogue()
    var ledger = SeasonLedger()
    private var unnumbered = UnnumberedHarvests()
    /// Signed and not yet written: written while the next rows are checked and signed.
    private var pending: HarvestStaging.Rows?
    public var created: [Bilingual] { catalogue.created }
    public internal(set) var changed: [ChangedRow] = []

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
        /// What the plot may give in the season.
        var allowed = Weight(grams: 0)
        let day: CivilDay
        let bestBefore: CivilDay?
        let weight: Weight
        let picker: String?

        var recorded: Recorded {
            Recorded(
                batch: nil, slip: slip, plot: plotNumber, variety: varietyName, grade: gradeName, day: day,
                weight: weight,
                picker: picker)
        }

        func prepared(number: Int64) -> PreparedHarvest {
            PreparedHarvest(
                number: number, cooperative: cooperative, plot: plot, plotPeriod: plotPeriod, household: household,
                product: product.id, variety: variety, grade: grade, day: day, bestBefore: bestBefore, weight: weight,
                slip: slip, picker: picker, allowed: allowed)
        }

        var key: SlipKey { SlipKey(cooperative: cooperative, slip: slip, year: day.year) }

        func says(_ old: Recorded) -> Bool { beside(old).isSame }

        /// What it says beside what is recorded.
        func beside(_ old: Recorded) -> RecordedRow {
            var row = RecordedRow()
            row.compare(HarvestRegister.day, recorded: old.day, said: day)
            row.compare(HarvestRegister.plot, recorded: old.plot, said: plotNumber)
            row.compare(HarvestRegister.variety, recorded: old.variety, said: varietyName)
            row.compare(HarvestRegister.grade, recorded: old.grade, said: gradeName)
            row.compare(HarvestRegister.weight, recorded: old.weight, said: weight)
            row.compare(HarvestRegister.picker, recorded: old.picker, said: picker)
            return row
        }
    }

    public mutating func record(
        _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
    ) async throws -> [RowOutcome] {
        try await ledger.loadPlots(of: rows.compactMap { try? $0.key(Self.plot) }, transaction, scope)
        let results = try rows.map { row in try Result(reading: { try read(row) }) }
        let good = results.compactMap { try? $0.get() }
        let slips = Set(good.map(\.key))
        // A batch whose slip was corrected is the row with the slip that it has now, and not one with that of before too.
        func isInPart(_ past: Recorded, _ entry: Entry) -> Bool {
            guard let slip = past.slip, slip != entry.slip else { return false }
            return slips.contains(SlipKey(cooperative: entry.cooperative, slip: slip, year: entry.day.year))
        }
        var known = try await Self.known(good, transaction, scope)
        let new = good.count - known.values.count { $0.present != nil }
        let numbers = try await Self.numbers(new, transaction)
        try await ledger.loadSeasons(of: good, transaction, scope)
        try await unnumbered.load(for: good, transaction, scope)
        // After the last question: one behind it in the connection would wait for it, and with it what is to be signed.
        let (before, keyID, today) = (pending, signer.keyID, today)
        async let written: Void = HarvestStaging.write(before, transaction, scope, keyID, today)
        var outcomes: [RowOutcome] = []
        var entries: [Entry] = []
        // Where each slip's entry stands: cheaper than to keep what it says a second time.
        var places: [SlipKey: Int] = [:]
        for result in results {
            do {
                var entry = try result.get()
                let key = entry.key
                let past = known[key]?.past.last { entry.says($0) && !isInPart($0, entry) }
                if let past {
                    if context.choices.changed == .correct {
                        try checkIsPresent(entry, past, known[key]?.present)
                    }
                    outcomes.append(.already)
                    continue
                }
                if let old = known[key]?.present ?? places[key].map({ entries[$0].recorded }) ?? before?.recorded(key) {
                    outcomes.append(try await settle(entry, beside: old, &known[key], transaction, scope))
                    continue
                }
                if context.choices.changed != .new, let batch = unnumbered.take(entry) {
                    outcomes.append(try await number(batch, as: entry, transaction, scope))
                    continue
                }
                try checkIsOpen(entry, known[key]?.past.last)
                try checkNames(entry)
                entry.allowed = try ledger.add(entry)
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
        _ = try await transaction.query(HarvestWriter.createStaging)
    }

    struct SlipKey: Hashable, Sendable {
        let cooperative: Int
        let slip: String
        /// Registers begin again at 1 every January.
        let year: Int
    }

    /// What the books hold of a slip.
    struct Recorded: Sendable {
        /// nil of one that is being written.
        let batch: Int64?
        /// The batch's slip now; nil of one without.
        let slip: String?
        let plot: String
        let variety: String
        let grade: String
        let day: CivilDay
        let weight: Weight
        let picker: String?
        /// Of what was corrected since: the day of that, and whether the harvest never was.
        var correctedOn: CivilDay?
        var isVoid = false
    }

    /// What the books hold under a slip: nothing any more, if its batch is void or its number was corrected. A row that
    /// says what was recorded before a correction is the row that was recorded.
    struct Known {
        var present: Recorded?
        var past: [Recorded] = []
    }

    /// What is recorded already under the rows' slips. LATERAL with LIMIT makes each slip one look into its index: a
    /// table that is being filled has no statistics, and the planner would read all of it instead. A slip is looked for
    /// under every spelling of its cooperative's name.
    private static func known(
        _ entries: [Entry], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [SlipKey: Known] {
        let (cooperatives, slips) = (entries.map(\.cooperative), entries.map(\.slip))
        let years = entries.map(\.day.year)
        var found: [SlipKey: Known] = [:]
        for row in try await transaction.query(
            """
            SELECT w.cooperative_id, w.slip, t.number AS plot, coalesce(vm.name, v.name) AS variety,
                coalesce(gm.name, g.name) AS grade, b.harvested_on, b.number, b.grams, b.picker, b.slip_now, b.is_present,
                b.corrected_on, b.voided
            FROM unnest(\(cooperatives)::int[], \(slips)::text[], \(years)::int[]) w (cooperative_id, slip, year)
            JOIN cooperative n ON n.village_id = \(scope.village) AND n.id = w.cooperative_id
            \(Catalogue.spellings)
            CROSS JOIN LATERAL (
                (SELECT number, plot_period_id, variety_id, grade_id, harvested_on, in_g AS grams, picker, slip AS slip_now,
                    true AS is_present, NULL::date AS corrected_on, false AS voided
                FROM batch b WHERE b.village_id = \(scope.village) AND b.cooperative_id = c.id
                    AND b.slip = w.slip AND b.slip IS NOT NULL AND NOT b.voided
                    AND extract(year FROM b.harvested_on)::int = w.year LIMIT 1)
                UNION ALL
                SELECT b.number, b.plot_period_id, b.variety_id, k.grade_before, b.harvested_on, k.grams_before,
                    k.picker_before, b.slip, false, k.day, b.voided
                FROM batch_correction k JOIN batch b ON b.village_id = k.village_id AND b.number = k.batch_number
                WHERE k.village_id = \(scope.village) AND k.cooperative_id = c.id AND k.slip_before = w.slip
                    AND k.slip_before IS NOT NULL AND extract(year FROM b.harvested_on)::int = w.year
                    AND EXISTS (SELECT FROM batch_correction WHERE slip_before IS NOT NULL)
            ) b
            JOIN plot_period t ON t.village_id = \(scope.village) AND t.id = b.plot_period_id
            JOIN variety v ON v.village_id = \(scope.village) AND v.id = b.variety_id
            JOIN grade g ON g.village_id = \(scope.village) AND g.id = b.grade_id
            LEFT JOIN variety vm ON vm.village_id = v.village_id AND vm.id = v.merged_into
            LEFT JOIN grade gm ON gm.village_id = g.village_id AND gm.id = g.merged_into
            """)
        {
            let harvested: CivilDay = try row.decode("harvested_on")
            let key = SlipKey(
                cooperative: try row.decode("cooperative_id"), slip: try row.decode("slip"), year: harvested.year)
            let recorded = Recorded(
                batch: try row.decode("number"), slip: try row.decode("slip_now"), plot: try row.decode("plot"),
                variety: try row.decode("variety"), grade: try row.decode("grade"), day: harvested,
                weight: try row.decode("grams"), picker: try row.decode("picker"),
                correctedOn: try row.decode("corrected_on"), isVoid: try row.decode("voided"))
            if try row.decode("is_present", as: Bool.self) {
                found[key, default: Known()].present = recorded
            } else {
                found[key, default: Known()].past.append(recorded)
            }
        }
        return found
    }

    /// Numbers for as many batches as may come of some rows; those of rows that are refused stay unused.
    private static func numbers(_ count: Int, _ transaction: Transaction) async throws -> [Int64] {
        try await transaction.query(
            "SELECT own_number('batch') AS number FROM generate_series(1, \(count)::int)"
        ).map { try $0.decode("number") }
    }

    public mutating func finish(in transaction: Transaction, _ scope: Scope) async throws {
        try await HarvestStaging.write(pending, transaction, scope, signer.keyID, today)
        pending = nil
        if let seasons = ledger.added(scope) { _ = try await transaction.query(seasons) }
    }
}
