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
    /// What tells a code from every other: its batch and serial.
    struct Identity: Sendable, Hashable {
        let batch: Int64
        /// Empty for the batch's own code.
        let serial: [UInt8]

        init(_ body: CodeBody) {
            batch = Int64(body.batch)
            serial = body.serial ?? []
        }

        fileprivate init(_ row: Row) throws {
            batch = try row.decode(0)
            serial = try row.decode(1)
        }
    }

    /// The names of products, varieties, grades and cooperatives by their ids: few for very many codes.
    private struct Names {
        var product: [Int: String] = [:]
        var variety: [Int: String] = [:]
        var grade: [Int: String] = [:]
        var cooperative: [Int: String] = [:]
        var readAt: ContinuousClock.Instant?

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
    private let village: Int
    private let names = Mutex(Names())

    init(_ database: Database, village: Int) {
        self.database = database
        self.village = village
    }

    /// One statement for all codes. LATERAL with LIMIT makes each one look into the index, whatever the planner believes
    /// of a table whose statistics lag behind.
    /// - Returns: nil for a code that was never issued.
    func find(_ codes: [Identity]) async throws -> [RegisteredCode?] {
        let rows = try await database.publicQuery(
            """
            SELECT c.batch_number, c.serial, c.key_id, c.issued_on, c.best_before, c.revoked, c.recalled, c.harvested_on,
                c.product_id, c.variety_id, c.grade_id, c.cooperative_id
            FROM unnest(\(codes.map(\.batch))::bigint[], \(codes.map(\.serial))::bytea[]) asked (batch, serial)
            CROSS JOIN LATERAL (
                SELECT * FROM public_code c WHERE c.village_id = \(village) AND c.batch_number = asked.batch
                    AND c.serial = asked.serial LIMIT 1) c
            """)
        var found: [Identity: RegisteredCode] = [:]
        var names = try await names(readSince: .now - .seconds(1))
        for row in rows {
            var goods = try names.goods(row)
            if goods == nil {
                // Made after the names were read; every row's names are there now, since ids are never taken back.
                names = try await self.names(readSince: .now)
                goods = try names.goods(row)
            }
            guard let goods else { throw UnknownName() }
            found[try Identity(row)] = RegisteredCode(
                keyID: try row.decode(2), issued: try row.decode(3), bestBefore: try row.decode(4),
                isRevoked: try row.decode(5), isRecalled: try row.decode(6), goods: goods)
        }
        return codes.map { found[$0] }
    }

    private func names(readSince limit: ContinuousClock.Instant) async throws -> Names {
        let known = names.withLock { $0 }
        if let readAt = known.readAt, readAt > limit { return known }
        var read = Names(readAt: .now)
        for row in try await database.publicQuery(
            "SELECT kind, id, name FROM public_name WHERE village_id = \(village)")
        {
            let (id, name) = (try row.decode(1, as: Int.self), try row.decode(2, as: String.self))
            switch try row.decode(0, as: String.self) {
            case "product": read.product[id] = name
            case "variety": read.variety[id] = name
            case "grade": read.grade[id] = name
            default: read.cooperative[id] = name
            }
        }
        names.withLock { $0 = read }
        return read
    }
}

/// A batch is of something that has no name: foreign keys forbid it.
private struct UnknownName: Error {}
