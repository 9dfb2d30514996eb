import Database
import Kernel
import Orchard
import Postgres
import Signing

/// Key records, and the statements that change them.
public struct SigningKeyStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    public func list(village: Int) async throws -> [SigningKey] {
        let rows = try await database.publicQuery(
            """
            SELECT key_id, origin, public_key, created_at, retired_on, compromised_since FROM public_key
            WHERE village_id = \(village) ORDER BY created_at, key_id
            """)
        return try rows.compactMap { row in
            // An older program took in keys that are none; what claims to be signed by one of them has no key.
            guard let key = try? PublicKey(der: row.decode("public_key")) else { return nil }
            return SigningKey(
                id: KeyID(UInt16(truncatingIfNeeded: try row.decode("key_id", as: Int.self))),
                origin: try Origin(row.decode("origin")), publicKey: key,
                createdAt: try row.decode("created_at"), retiredOn: try row.decode("retired_on"),
                compromisedSince: try row.decode("compromised_since"))
        }
    }

    /// Villages by id, each with those keys of its origin that are neither retired nor compromised, the public ones of
    /// others among them.
    /// - Parameter after: the id of the one before the first wanted.
    public func signing(after: Int, limit: Int) async throws -> [(village: Village, keys: [KeyID])] {
        try await database.publicQuery(
            """
            SELECT v.village_id, v.name, v.brand, v.origin, array_remove(array_agg(k.key_id), NULL) AS keys
            FROM (
                SELECT village_id, name, brand, origin FROM public_village WHERE village_id > \(after)
                ORDER BY village_id LIMIT \(limit)) v
            LEFT JOIN public_key k ON k.village_id = v.village_id AND k.origin = v.origin AND k.retired_on IS NULL
                AND k.compromised_since IS NULL
            GROUP BY v.village_id, v.name, v.brand, v.origin ORDER BY v.village_id
            """
        ).map { row in
            let village = Village(
                id: try row.decode("village_id"), name: try row.decode("name"), brand: try row.decode("brand"),
                origin: try row.decode("origin"))
            return (village, try row.decode("keys", as: [Int].self).map { KeyID(UInt16(truncatingIfNeeded: $0)) })
        }
    }

    /// Whether the database has no key at all.
    /// - Parameter connection: of whoever migrates.
    public static func isEmpty(_ connection: Connection) async throws -> Bool {
        let rows = try await connection.query("SELECT FROM public.signing_key LIMIT 1")
        return rows.isEmpty
    }

    /// Registers a key. Its private half, if we hold it, must lie in the key folder already.
    public static func add(_ key: PublicKey, origin: Origin, action: String = "key.create") -> Plan<KeyID> {
        { _, scope in
            let id = key.id(origin: origin)
            return Change(
                id,
                writes: [
                    """
                    INSERT INTO signing_key (village_id, key_id, origin, algorithm, public_key)
                    VALUES (\(scope.village), \(Int(id.value)), \(origin.text), \(key.algorithm.name), \(key.der))
                    """,
                    News.tell(scope),
                ],
                refusals: [
                    "signing_key_pkey": Refusal(
                        .conflict, "key-id-taken", zh: "密钥编号 \(id) 已被占用", en: "key id \(id) is taken")
                ],
                event: Event(action, id.hex, .text("algorithm", key.algorithm.name)))
        }
    }

    public static func retire(_ id: KeyID, today: CivilDay) -> Plan<Void> {
        { transaction, scope in
            try await exists(id, transaction, scope)
            return Change(
                (),
                writes: [
                    end(id, "retired", today, scope),
                    News.tell(scope),
                ],
                event: Event("key.retire", id.hex))
        }
    }

    /// - Parameter day: since when others may hold it; an earlier day replaces a later one.
    public static func compromise(_ id: KeyID, since day: CivilDay, today: CivilDay) -> Plan<Void> {
        { transaction, scope in
            guard day <= today else {
                throw Refusal(
                    .invalid, "day-in-future", field: "since", zh: "日期在今天之后", en: "the day is in the future")
            }
            try await exists(id, transaction, scope)
            return Change(
                (),
                writes: [
                    end(id, "compromised", day, scope),
                    News.tell(scope),
                ],
                event: Event("key.compromise", id.hex, day: day))
        }
    }

    /// The earliest day counts, so that nothing is taken back.
    private static func end(_ id: KeyID, _ kind: StaticString, _ day: CivilDay, _ scope: Scope) -> SQL {
        """
        INSERT INTO signing_key_end (village_id, key_id, kind, day, actor)
        VALUES (\(scope.village), \(Int(id.value)), '\(literal: kind)', \(day), \(scope.actor))
        ON CONFLICT DO NOTHING
        """
    }

    private static func exists(_ id: KeyID, _ transaction: Transaction, _ scope: Scope) async throws {
        let rows = try await transaction.query(
            """
            SELECT key_id FROM signing_key
            WHERE village_id = \(scope.village) AND key_id = \(Int(id.value))
            """)
        guard !rows.isEmpty else { throw unknownKey(id.hex) }
    }

    public static func unknownKey(_ text: String) -> Refusal {
        Refusal(
            .notFound, "unknown-key", field: "keyId", zh: "没有密钥 \(text.shortened)",
            en: "there is no key \(text.shortened)")
    }
}
