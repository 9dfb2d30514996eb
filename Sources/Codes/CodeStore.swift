import Batches
import Database
import Kernel
import Postgres
import Signing

/// The register of issued codes.
public struct CodeStore: Sendable {
    let database: Database
    let keys: KeyRing

    public init(_ database: Database, keys: KeyRing) {
        self.database = database
        self.keys = keys
    }

    /// Registers a harvest as a batch and issues the batch's code, together or not at all.
    public func register(_ harvest: Harvest, today: CivilDay) -> Plan<IssuedCode> {
        let keys = keys
        return { transaction, scope in
            let prepared = try await HarvestStore.prepare(harvest, today: today, in: transaction, scope)
            let signer = try keys.signer()
            let signed = try signer.sign(
                batch: UInt32(prepared.number), issued: today, bestBefore: prepared.bestBefore)
            let code = IssuedCode(batch: prepared.number, signed: signed, origin: signer.origin, revoked: false)
            return Change(
                code,
                writes: prepared.writes + [Self.insert(signed, cooperative: prepared.cooperative, scope)],
                refusals: prepared.refusals,
                event: Event("batch.register", "\(prepared.number)", day: harvest.day, .grams(harvest.weight)))
        }
    }

    static func insert(_ code: SignedCode, cooperative: Int, _ scope: Scope) -> SQL {
        """
        INSERT INTO code (village_id, batch_number, serial, cooperative_id, key_id, issued_on, best_before, signature)
        VALUES (\(scope.village), \(Int64(code.body.batch)), \(code.body.serial ?? []), \(cooperative),
            \(Int(code.body.keyID.value)), \(code.body.issued), \(code.body.bestBefore), \(code.signature))
        """
    }

    /// The code of a batch, signature and all, as it was issued.
    /// - Throws: a `Refusal` of kind `notFound`, for another cooperative's batch too.
    public func show(batch: Int64, _ scope: Scope) async throws -> IssuedCode {
        let rows = try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                SELECT c.batch_number, c.key_id, c.issued_on, c.best_before, c.signature, k.origin, EXISTS (
                    SELECT FROM code_revocation r
                    WHERE r.village_id = c.village_id AND r.batch_number = c.batch_number AND r.serial = '') AS revoked
                FROM code c JOIN signing_key k ON k.village_id = c.village_id AND k.key_id = c.key_id
                WHERE c.village_id = \(scope.village) AND c.batch_number = \(batch) AND c.serial = ''
                """)
        }
        guard let row = rows.first else { throw BatchRules.unknownBatch(batch) }
        return try Self.code(row)
    }

    /// The batch codes that are not revoked, by ascending batch number.
    /// - Parameter after: the number of the batch before the first one wanted.
    public func export(_ scope: Scope, after: Int64 = 0, limit: Int) async throws -> [IssuedCode] {
        try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                SELECT c.batch_number, c.key_id, c.issued_on, c.best_before, c.signature, k.origin, false AS revoked
                FROM code c JOIN signing_key k ON k.village_id = c.village_id AND k.key_id = c.key_id
                WHERE c.village_id = \(scope.village) AND c.batch_number > \(after) AND c.serial = ''
                    AND NOT EXISTS (
                        SELECT FROM code_revocation r
                        WHERE r.village_id = c.village_id AND r.batch_number = c.batch_number AND r.serial = '')
                ORDER BY c.batch_number LIMIT \(limit)
                """
            ).map(Self.code)
        }
    }

    private static func code(_ row: Row) throws -> IssuedCode {
        let batch: Int64 = try row.decode("batch_number")
        let body = try CodeBody(
            keyID: KeyID(UInt16(truncatingIfNeeded: try row.decode("key_id", as: Int.self))), batch: UInt32(batch),
            issued: row.decode("issued_on"), bestBefore: row.decode("best_before"), serial: nil)
        return IssuedCode(
            batch: batch, signed: SignedCode(body: body, signature: try row.decode("signature")),
            origin: try Origin(row.decode("origin")), revoked: try row.decode("revoked"))
    }

    /// Revokes all codes of a batch, or one item's.
    /// - Parameter serial: 5 bytes of an item's code; nil for the whole batch.
    public static func revoke(batch: Int64, serial: [UInt8]? = nil, reason: String) -> Plan<Void> {
        { transaction, scope in
            let reason = try CodeRules.reason(reason)
            let rows = try await transaction.query(
                """
                SELECT cooperative_id FROM code
                WHERE village_id = \(scope.village) AND batch_number = \(batch) AND serial = \(serial ?? [])
                """)
            guard let row = rows.first else { throw BatchRules.unknownBatch(batch) }
            let cooperative: Int = try row.decode("cooperative_id")
            return Change(
                (),
                writes: [
                    """
                    INSERT INTO code_revocation (village_id, batch_number, serial, cooperative_id, reason, actor)
                    VALUES (\(scope.village), \(batch), \(serial ?? []), \(cooperative), \(reason), \(scope.actor))
                    """,
                    CodeWatch.notify,
                ],
                refusals: [
                    "code_revocation_once": Refusal(
                        .conflict, "already-revoked", field: "batch", zh: "批次 \(batch) 的溯源码早已作废",
                        en: "the codes of batch \(batch) are revoked already")
                ],
                event: Event("code.revoke", "\(batch)", .reason(reason)))
        }
    }

    /// Opens a batch's recall, or ends it.
    public static func recall(batch: Int64, open: Bool, reason: String) -> Plan<Void> {
        { transaction, scope in
            let reason = try CodeRules.reason(reason)
            let rows = try await transaction.query(
                """
                SELECT b.cooperative_id, coalesce((
                    SELECT r.step = 'open' FROM recall r WHERE r.village_id = b.village_id
                        AND r.batch_number = b.number ORDER BY r.id DESC LIMIT 1), false) AS is_open
                FROM batch b WHERE b.village_id = \(scope.village) AND b.number = \(batch)
                """)
            guard let row = rows.first else { throw BatchRules.unknownBatch(batch) }
            guard try row.decode("is_open", as: Bool.self) != open else {
                throw open
                    ? Refusal(
                        .conflict, "recall-open", field: "batch", zh: "批次 \(batch) 已在召回中",
                        en: "batch \(batch) is under recall already")
                    : Refusal(
                        .conflict, "no-recall", field: "batch", zh: "批次 \(batch) 没有召回",
                        en: "batch \(batch) is not under recall")
            }
            let cooperative: Int = try row.decode("cooperative_id")
            return Change(
                (),
                writes: [
                    """
                    INSERT INTO recall (village_id, batch_number, cooperative_id, step, reason, actor)
                    VALUES (\(scope.village), \(batch), \(cooperative), \(open ? "open" : "end"), \(reason),
                        \(scope.actor))
                    """,
                    CodeWatch.notify,
                ],
                event: Event(open ? "recall.open" : "recall.end", "\(batch)", .reason(reason)))
        }
    }
}
