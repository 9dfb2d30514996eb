import Database
import Kernel
import Postgres
import Signing
import Synchronization

/// What the register says of an issued code.
struct RegisteredCode: Sendable {
    fileprivate let keyID: Int
    fileprivate let issued: CivilDay
    fileprivate let bestBefore: CivilDay?
    let isRevoked: Bool
    let isRecalled: Bool
    let goods: Verdict.Goods

    /// Whether this very body was issued.
    func isIssue(of body: CodeBody) -> Bool {
        keyID == Int(body.keyID.value) && issued == body.issued && bestBefore == body.bestBefore
    }
}

/// Looks codes up in the register, as strangers may see it, many at once.
final class CodeLookup: Sendable {
    /// What tells a code from every other: its village, batch and serial.
    struct Identity: Sendable, Hashable {
        let village: Int
        let batch: Int64
        /// Empty for the batch's own code.
        let serial: [UInt8]

        init(_ body: CodeBody, of village: Int) {
            self.village = village
            batch = Int64(body.batch)
            serial = body.serial ?? []
        }

        fileprivate init(_ row: Row) throws {
            village = try row.decode(12)
            batch = try row.decode(0)
            serial = try row.decode(1)
        }
    }

    /// The names of a village's products, varieties, grades and cooperatives by their ids: few for very many codes.
    private struct Names {
        var product: [Int: String] = [:]
        var variety: [Int: String] = [:]
        var grade: [Int: String] = [:]
        var cooperative: [Int: String] = [:]
        let readAt = ContinuousClock.now

        func goods(_ row: Row) throws -> Verdict.Goods? {
            guard let product = product[try row.decode(8)], let variety = variety[try row.decode(9)],
                let grade = grade[try row.decode(10)], let cooperative = cooperative[try row.decode(11)]
            else { return nil }
            return Verdict.Goods(
                product: product, variety: variety, grade: grade, harvestedOn: try row.decode(7),
                cooperative: cooperative)
        }
    }

    private let database: Database
    /// By village.
    private let names = Mutex(Recent<Int, Names>(capacity: 4000))
    /// A name that is given up is news; this bounds how long it is shown when the telling is broken.
    private static let memory = Duration.seconds(10)

    init(_ database: Database) {
        self.database = database
    }

    func forgetNames(of village: Int) {
        names.withLock { $0[village] = nil }
    }

    /// One statement for all codes. LATERAL with LIMIT makes each one look into the index, whatever the planner believes
    /// of a table whose statistics lag behind.
    /// - Returns: nil for a code that was never issued.
    func find(_ codes: [Identity]) async throws -> [RegisteredCode?] {
        let rows = try await database.publicQuery(
            """
            SELECT c.batch_number, c.serial, c.key_id, c.issued_on, c.best_before, c.revoked, c.recalled, c.harvested_on,
                c.product_id, c.variety_id, c.grade_id, c.cooperative_id, c.village_id
            FROM unnest(\(codes.map(\.village))::int[], \(codes.map(\.batch))::bigint[], \(codes.map(\.serial))::bytea[])
                asked (village, batch, serial)
            CROSS JOIN LATERAL (
                SELECT * FROM public_code c WHERE c.village_id = asked.village AND c.batch_number = asked.batch
                    AND c.serial = asked.serial LIMIT 1) c
            """)
        var found: [Identity: RegisteredCode] = [:]
        let identities = try rows.map(Identity.init)
        var names = try await names(of: Set(identities.map(\.village)), readSince: .now - Self.memory)
        for (identity, row) in zip(identities, rows) {
            var goods = try names[identity.village]?.goods(row)
            if goods == nil {
                // Made after the names were read; every row's names are there now, since ids are never taken back.
                names[identity.village] = try await self.names(of: [identity.village], readSince: .now)[
                    identity.village]
                goods = try names[identity.village]?.goods(row)
            }
            guard let goods else { throw UnknownName() }
            found[identity] = RegisteredCode(
                keyID: try row.decode(2), issued: try row.decode(3), bestBefore: try row.decode(4),
                isRevoked: try row.decode(5), isRecalled: try row.decode(6), goods: goods)
        }
        return codes.map { found[$0] }
    }

    private func names(
        of villages: Set<Int>, readSince limit: ContinuousClock.Instant
    ) async throws -> [Int: Names] {
        var known: [Int: Names] = names.withLock { names in
            var known: [Int: Names] = [:]
            for village in villages {
                if let read = names[village], read.readAt > limit { known[village] = read }
            }
            return known
        }
        let missing = villages.subtracting(known.keys)
        guard !missing.isEmpty else { return known }
        var read = Dictionary(uniqueKeysWithValues: missing.map { ($0, Names()) })
        for row in try await database.publicQuery(
            "SELECT village_id, kind, id, name FROM public_name WHERE village_id = ANY(\(Array(missing))::int[])")
        {
            let (village, id): (Int, Int) = (try row.decode(0), try row.decode(2))
            let name: String = try row.decode(3)
            switch try row.decode(1, as: String.self) {
            case "product": read[village]?.product[id] = name
            case "variety": read[village]?.variety[id] = name
            case "grade": read[village]?.grade[id] = name
            default: read[village]?.cooperative[id] = name
            }
        }
        names.withLock { names in
            for (village, read) in read { names[village] = read }
        }
        known.merge(read) { _, new in new }
        return known
    }
}

/// A batch is of something that has no name: foreign keys forbid it.
private struct UnknownName: Error {}
