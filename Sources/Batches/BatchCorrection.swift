import Database
import Foundation
import Kernel
import Postgres

/// What was put right of a harvest, with all of it before and after.
public struct BatchCorrection: Sendable {
    public struct State: Sendable, Hashable {
        /// Zero of a void batch.
        public let weight: Weight
        public let grade: String
        public let slip: String?
        public let picker: String?
    }

    public let number: Int64
    /// `correct`, or `void` when the harvest never was.
    public let kind: String
    public let day: CivilDay
    public let reason: String
    public let before: State
    public let after: State
    public let actor: String
    public let at: Date

    static func select(_ batch: Int64, _ scope: Scope) -> SQL {
        """
        SELECT k.id, k.kind, k.day, k.reason, k.grams_before, k.grams_after, b.name AS grade_before,
            a.name AS grade_after, k.slip_before, k.slip_after, k.picker_before, k.picker_after, k.actor, k.at
        FROM batch_correction k
        JOIN grade b ON b.village_id = k.village_id AND b.id = k.grade_before
        JOIN grade a ON a.village_id = k.village_id AND a.id = k.grade_after
        WHERE k.village_id = \(scope.village) AND k.batch_number = \(batch) ORDER BY k.id
        """
    }

    init(_ row: Row) throws {
        number = try row.decode("id")
        kind = try row.decode("kind")
        day = try row.decode("day")
        reason = try row.decode("reason")
        before = State(
            weight: try row.decode("grams_before"), grade: try row.decode("grade_before"),
            slip: try row.decode("slip_before"), picker: try row.decode("picker_before"))
        after = State(
            weight: try row.decode("grams_after"), grade: try row.decode("grade_after"),
            slip: try row.decode("slip_after"), picker: try row.decode("picker_after"))
        actor = try row.decode("actor")
        at = try row.decode("at")
    }
}

/// How a harvest should have been recorded; what is nil was right.
public struct RightHarvest: Sendable {
    public let weight: Weight?
    public let grade: String?
    public let slip: String?
    public let picker: String?

    public init(weight: Weight? = nil, grade: String? = nil, slip: String? = nil, picker: String? = nil) {
        (self.weight, self.grade, self.slip, self.picker) = (weight, grade, slip, picker)
    }
}

extension BatchRules {
    /// A correction is of a day from the one of what it corrects to today, after the books that are closed.
    public static func correctionDay(
        _ day: CivilDay?, of original: CivilDay, closed: CivilDay?, today: CivilDay
    ) throws -> CivilDay {
        let day = day ?? today
        guard day >= original, day <= today else {
            throw Refusal(
                .invalid, "day-out-of-range", field: "day", zh: "更正的日期须在原来的 \(original) 与今天之间",
                en: "a correction's day lies between \(original), the day of what it corrects, and today")
        }
        try ClosedBooks.check(day, through: closed)
        return day
    }

    static let notAHarvest = Refusal(
        .conflict, "not-a-harvest", field: "batch", zh: "只有采收的批次能这样更正",
        en: "only a batch that was harvested can be corrected so")

    static func belowWhatLeft(_ batch: Int64, left: Weight, wanted: Weight) -> Refusal {
        Refusal(
            .conflict, "less-than-left", field: "weight",
            zh: "批次 \(batch) 已出库 \(left)，入库重量不能更正为 \(wanted)；先冲销多登记的销售或出库",
            en:
                "\(left) have left batch \(batch): its weight can't be corrected to \(wanted); first reverse the sales or "
                + "withdrawals that were not")
    }

    static func belowWhatIsLabelled(_ batch: Int64, labelled: Weight, wanted: Weight) -> Refusal {
        Refusal(
            .conflict, "less-than-labelled", field: "weight",
            zh: "批次 \(batch) 已贴标 \(labelled)，入库重量不能更正为 \(wanted)",
            en: "\(labelled) of batch \(batch) are labelled: its weight can't be corrected to \(wanted)")
    }

    static func notVoidable(_ batch: Int64, left: Weight) -> Refusal {
        Refusal(
            .conflict, "not-voidable", field: "batch", zh: "批次 \(batch) 已出库 \(left)，不能作废；先冲销这些销售或出库",
            en: "\(left) have left batch \(batch): it can't be void before those sales or withdrawals are reversed")
    }

    static func nothingChanges(_ batch: Int64) -> Refusal {
        Refusal(
            .conflict, "nothing-changes", field: "batch", zh: "批次 \(batch) 已经是这样登记的",
            en: "batch \(batch) is recorded like that already")
    }
}
