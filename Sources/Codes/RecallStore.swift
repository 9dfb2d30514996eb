import Batches
import Database
import Kernel
import Postgres

extension CodeStore {
    /// Opens a batch's recall, or ends it. It counts for all that was made from the batch too.
    public static func recall(batch: Int64, open: Bool, reason: String) -> Plan<Void> {
        { transaction, scope in
            let reason = try CleanText.reason(reason)
            let rows = try await transaction.query(
                """
                SELECT coalesce((
                    SELECT r.step = 'open' FROM recall r WHERE r.village_id = \(scope.village)
                        AND r.batch_number = b.number ORDER BY r.id DESC LIMIT 1), false) AS is_open
                FROM batch b WHERE b.village_id = \(scope.village) AND b.number = \(batch)
                """)
            guard let row = rows.first else { throw BatchRules.unknownBatch(batch) }
            let otherwise =
                open
                ? Refusal(
                    .conflict, "recall-open", field: "batch", zh: "批次 \(batch) 已在召回中",
                    en: "batch \(batch) is under recall already")
                : Refusal(
                    .conflict, "no-recall", field: "batch", zh: "批次 \(batch) 没有召回",
                    en: "batch \(batch) is not under recall")
            guard try row.decode("is_open", as: Bool.self) != open else { throw otherwise }
            let line: SQL = """
                WITH RECURSIVE line (number) AS (
                    SELECT \(batch)::bigint
                    UNION
                    SELECT i.child FROM batch_input i JOIN line ON i.parent = line.number
                    WHERE i.village_id = \(scope.village)
                )
                """
            let step: SQL =
                open
                ? "recalls = recalls + 1, frozen_g = coalesce(frozen_g, out_g)"
                : "recalls = recalls - 1, frozen_g = CASE WHEN recalls > 1 THEN frozen_g END"
            let insert: SQL = """
                INSERT INTO recall (village_id, batch_number, cooperative_id, step, reason, actor)
                SELECT b.village_id, b.number, b.cooperative_id, \(open ? "open" : "end"), \(reason), \(scope.actor)
                FROM batch b WHERE b.village_id = \(scope.village) AND b.number = \(batch) AND \(open) <> coalesce((
                    SELECT r.step = 'open' FROM recall r WHERE r.village_id = \(scope.village)
                        AND r.batch_number = b.number ORDER BY r.id DESC LIMIT 1), false)
                """
            return Change(
                (),
                writes: [
                    // In the order of their numbers, as sales do.
                    line + """
                         SELECT FROM batch WHERE village_id = \(scope.village) AND number IN (SELECT number FROM line)
                        ORDER BY number FOR NO KEY UPDATE
                        """,
                    insert.touching(1),
                    line + """
                         UPDATE batch SET \(step)
                        WHERE village_id = \(scope.village) AND number IN (SELECT number FROM line)
                        """,
                    News.tell(scope),
                ],
                refusals: [SQL.rowsTouched: otherwise],
                event: Event(open ? "recall.open" : "recall.end", "\(batch)", .reason(reason)))
        }
    }
}
