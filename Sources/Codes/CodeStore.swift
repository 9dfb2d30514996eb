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
            let (prepared, refusals) = try await HarvestStore.prepare(harvest, today: today, in: transaction, scope)
            let signer = try keys.signer()
            let signed = try signer.sign(
                batch: UInt32(prepared.number), issued: today, bestBefore: prepared.bestBefore)
            let code = IssuedCode(batch: prepared.number, signed: signed, origin: signer.origin, revoked: false)
            return Change(
                code,
                writes: [
                    HarvestWriter.statement(
                        for: prepared, signature: signed.signature, key: signed.body.keyID, issued: today, scope)
                ],
                refusals: refusals.merging([CodeRules.keySigns: CodeRules.keyEnded]) { $1 },
                event: Event("batch.register", "\(prepared.number)", day: harvest.day, .grams(harvest.weight))
            ).holdingBooks
        }
    }

    /// Voids a batch whose harvest never was; its code is revoked with it, and its slip is free again.
    public static func void(batch: Int64, reason: String, day: CivilDay? = nil, today: CivilDay) -> Plan<Void> {
        { transaction, scope in
            let reason = try CleanText.reason(reason)
            let void = try await BatchStore.void(
                batch, reason: reason, day: day, today: today, in: transaction, scope)
            return Change(
                (),
                writes: [
                    """
                    INSERT INTO code_revocation (village_id, batch_number, serial, cooperative_id, reason, actor)
                    SELECT c.village_id, c.batch_number, '', c.cooperative_id, \(reason), \(scope.actor)
                    FROM code c WHERE c.village_id = \(scope.village) AND c.batch_number = \(batch) AND c.serial = ''
                    ON CONFLICT DO NOTHING
                    """,
                    News.tell(scope),
                ] + void.writes,
                refusals: void.refusals, event: void.event)
        }
    }

    /// The code of a batch, signature and all, as it was issued, and the recall that the batch is under.
    /// - Throws: a `Refusal` of kind `notFound`, for another cooperative's batch too.
    public func show(batch: Int64, _ scope: Scope) async throws -> IssuedCode {
        let answers = try await database.transaction(scope) { transaction in
            try await transaction.query([
                """
                SELECT c.batch_number, c.key_id, c.issued_on, c.best_before, c.signature, k.origin, EXISTS (
                    SELECT FROM code_revocation r
                    WHERE r.village_id = \(scope.village) AND r.batch_number = c.batch_number AND r.serial = '') AS revoked
                FROM code c JOIN signing_key k ON k.village_id = c.village_id AND k.key_id = c.key_id
                WHERE c.village_id = \(scope.village) AND c.batch_number = \(batch) AND c.serial = ''
                """,
                BatchStore.openRecall(over: batch, scope),
            ])
        }
        guard let row = answers[0].first else { throw BatchRules.unknownBatch(batch) }
        var code = try Self.code(row)
        code.recall = try answers[1].first.map(OpenRecall.init)
        return code
    }

    /// The code of a batch for its labels.
    /// - Throws: a `Refusal` also for a batch under recall: nothing is labelled with it.
    public func label(batch: Int64, _ scope: Scope) async throws -> IssuedCode {
        let code = try await show(batch: batch, scope)
        if let recall = code.recall { throw BatchRules.recalled(batch, recall) }
        return code
    }

    /// The batch codes that are neither revoked nor under recall, by ascending batch number.
    /// - Parameter after: the number of the batch before the first one wanted.
    public func export(_ scope: Scope, after: Int64 = 0, limit: Int) async throws -> [IssuedCode] {
        try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                SELECT c.batch_number, c.key_id, c.issued_on, c.best_before, c.signature, k.origin, false AS revoked
                FROM code c JOIN signing_key k ON k.village_id = c.village_id AND k.key_id = c.key_id
                JOIN batch b ON b.village_id = c.village_id AND b.number = c.batch_number
                WHERE c.village_id = \(scope.village) AND c.batch_number > \(after) AND c.serial = '' AND b.recalls = 0
                    AND NOT EXISTS (
                        SELECT FROM code_revocation r
                        WHERE r.village_id = \(scope.village) AND r.batch_number = c.batch_number AND r.serial = '')
                ORDER BY c.batch_number LIMIT \(limit)
                """
            ).map(Self.code)
        }
    }

    /// The batches under recall whose codes `export` therefore leaves out, each with the recall.
    public func leftOut(_ scope: Scope, after: Int64 = 0) async throws -> [(batch: Int64, recall: OpenRecall)] {
        try await database.transaction(scope) { transaction in
            let numbers = try await transaction.query(
                """
                SELECT number FROM batch WHERE village_id = \(scope.village) AND number > \(after) AND recalls > 0
                ORDER BY number
                """
            ).map { try $0.decode("number", as: Int64.self) }
            var found: [(batch: Int64, recall: OpenRecall)] = []
            for number in numbers {
                guard let recall = try await BatchStore.recall(over: number, transaction, scope) else { continue }
                found.append((number, recall))
            }
            return found
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
            let reason = try CleanText.reason(reason)
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
                    News.tell(scope),
                ],
                refusals: [
                    "code_revocation_once": Refusal(
                        .conflict, "already-revoked", field: "batch", zh: "批次 \(batch) 的溯源码早已作废",
                        en: "the codes of batch \(batch) are revoked already")
                ],
                event: Event("code.revoke", "\(batch)", .reason(reason)))
        }
    }
}
