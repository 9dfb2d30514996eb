import Access
import Backend
import Documents
import Foundation
import Hummingbird
import Kernel
import Logging
import Postgres
import ServiceLifecycle
import Signing
import Testing

@testable import Database
@testable import Web

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A village as `taoyuan serve` serves it, on an embedded PostgreSQL of its own in a folder of its own.
struct ServedVillage: Sendable {
    let backend: Backend
    let site: Site
    let server: TestServer
    let folder: String
    /// A token for each role, the clerk's being of 甲合作社; `other` is the clerk of 乙合作社.
    let tokens: [String: String]
    let errors: MemoryLog
    /// In stock, of 甲合作社.
    let batch: Int64
    let payload: String
    /// Open for bookings, at `tourSite`.
    let session: Int64

    static let tourSite = "orchard-1"
    static let tourProgramme = "visit-1"
    static let ours = "甲合作社"
    static let others = "乙合作社"

    var today: CivilDay { backend.clock.today }

    func send(
        _ method: String, _ target: String, as person: String? = nil, _ json: JSON? = nil, bytes: Data? = nil,
        type: String = "application/json", headers: [String: String] = [:]
    ) async throws -> TestServer.Reply {
        var headers = headers
        if let person { headers["Authorization"] = "Bearer \(tokens[person] ?? person)" }
        let body = json.map { Data($0.bytes) } ?? bytes
        if body != nil, headers["Content-Type"] == nil { headers["Content-Type"] = type }
        return try await server.send(method, target, headers: headers, body: body)
    }

    func get(_ target: String, as person: String? = nil) async throws -> JSON {
        let reply = try await send("GET", target, as: person)
        try #require(reply.status == 200, "GET \(target): \(reply.text)")
        return try reply.json
    }

    /// Posts what is expected to be accepted.
    func post(_ target: String, as person: String? = nil, _ json: JSON) async throws -> JSON {
        let reply = try await send("POST", target, as: person, json)
        try #require(reply.status == 201, "POST \(target): \(reply.text)")
        return try reply.json
    }

    func importRegister(_ kind: String, as person: String = "administrator", _ rows: String...) async throws
        -> TestServer.Reply
    {
        try await send(
            "POST", "/api/v1/imports/\(kind)", as: person, bytes: Data(rows.joined(separator: "\n").utf8),
            type: "text/csv")
    }

    static func harvest(
        plot: String = "D01", variety: String = "烟薯25", grams: Int64 = 500_000, on day: CivilDay, slip: String? = nil
    ) -> JSON {
        [
            "plot": .string(plot), "variety": .string(variety), "grade": "特级", "harvestedOn": JSON(day),
            "weight": JSON(Weight(grams: grams)), "slip": slip.map { .string($0) } ?? .null,
        ]
    }

    /// Registers a harvest of 甲合作社, unless told otherwise.
    func register(
        as person: String = "clerk", plot: String = "D01", variety: String = "烟薯25", grams: Int64 = 500_000,
        on day: CivilDay? = nil
    ) async throws -> (batch: Int64, payload: String) {
        let answer = try await post(
            "/api/v1/batches", as: person,
            Self.harvest(plot: plot, variety: variety, grams: grams, on: day ?? today))
        return (try answer["batch"].int64, try answer["code"]["payload"].string)
    }

    static func sale(_ batch: Int64, grams: Int64 = 1000, on day: CivilDay, number: String? = nil) -> JSON {
        [
            "number": number.map(JSON.string) ?? .null, "soldOn": JSON(day), "channel": "批发", "buyer": "津门果行",
            "lines": [
                ["batch": .integer(batch), "weight": JSON(Weight(grams: grams)), "price": ["fen": 850, "per": "jin"]]
            ],
        ]
    }

    func stock(_ batch: Int64) async throws -> Int64 {
        try await get("/api/v1/batches/\(batch)", as: "administrator")["batch"]["stock"].weight.grams
    }

    func query(_ sql: SQL) async throws -> Rows {
        var settings = backend.database.listening
        settings.user = EmbeddedPostgres.superuser
        // Whose numbers new rows take.
        settings.options = "-c taoyuan.village=\(backend.village.id)"
        let connection = try await Connection.open(settings)
        do {
            let rows = try await connection.query(sql)
            await connection.close()
            return rows
        } catch {
            await connection.close()
            throw error
        }
    }

    func count(_ sql: SQL) async throws -> Int {
        try await query(sql).first?.decode("count") ?? -1
    }

    /// Every table with the number and a digest of its rows. Livelihood sections are left out: one is kept when it is asked
    /// for, so that what was handed out can be shown again.
    func contents() async throws -> [String: String] {
        let rows = try await query(
            """
            SELECT relname AS name, (xpath('/row/v/text()', query_to_xml(format(
                'SELECT count(*) || '' '' || coalesce(md5(string_agg(t::text, '','' ORDER BY t::text)), '''') AS v FROM %s t',
                CASE relname WHEN 'event' THEN '(SELECT * FROM event WHERE kind <> ''report.livelihood'')'
                    -- What became of a message is a job's.
                    WHEN 'message' THEN '(SELECT id, kind, about FROM message)'
                    ELSE quote_ident(relname) END), true, true, '')))[1]::text AS state
            FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                AND relname <> 'livelihood_report'
            """)
        return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.decode("name"), try $0.decode("state")) })
    }

    /// What the stock, the seasons and the sums say must be what the rows say.
    func checkBooks(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let wrong = try await query(
            """
            SELECT b.number FROM batch b JOIN stock_movement m ON m.village_id = b.village_id AND m.batch_number = b.number
            GROUP BY b.village_id, b.number, b.in_g, b.out_g
            HAVING sum(m.grams) <> b.in_g - b.out_g
                OR sum(m.grams) FILTER (WHERE m.kind IN ('harvest', 'correction')) <> b.in_g
            """)
        #expect(wrong.isEmpty, sourceLocation: sourceLocation)
        let oversold = try await count("SELECT count(*) AS count FROM batch WHERE out_g > in_g OR out_g < 0")
        #expect(oversold == 0, sourceLocation: sourceLocation)
    }
}

extension TestServer.Reply {
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Opens a village, serves it, and takes everything away afterwards.
/// - Parameter background: whether the work beside the server goes on too, such as restarting PostgreSQL.
func withVillage<Result: Sendable>(
    environment: [String: String] = [:], background: Bool = true, change: (inout ServerSettings) -> Void = { _ in },
    _ body: (ServedVillage) async throws -> Result
) async throws -> Result {
    let folder = "/tmp/taoyuan-site-\(UUID().uuidString.prefix(8))"
    // PostgreSQL's user must be able to reach what lies in it.
    try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let settings = [
        "TAOYUAN_VERIFY_PER_MINUTE": "0", "TAOYUAN_OPEN_BOOKINGS": "0", "TAOYUAN_OPEN_SEATS": "0",
        "TAOYUAN_BOOK_PER_MINUTE": "0", "TAOYUAN_LOOK_UP_PER_MINUTE": "0", "TAOYUAN_SIGN_IN_PER_MINUTE": "0",
        "TAOYUAN_CONNECTIONS_PER_CLIENT": "0", "TAOYUAN_POOL_SIZE": "8",
    ].merging(environment) { $1 }
    let backend = try await Backend.open(
        Configuration(environment: settings, dataDirectory: folder + "/data"), for: .serving,
        founding: .sample)
    do {
        let result = try await serve(backend, folder: folder, background: background, change: change, body)
        await backend.close()
        return result
    } catch {
        await backend.close()
        throw error
    }
}

private func serve<Result: Sendable>(
    _ backend: Backend, folder: String, background: Bool, change: (inout ServerSettings) -> Void,
    _ body: (ServedVillage) async throws -> Result
) async throws -> Result {
    let site = try Site(backend)
    let errors = MemoryLog()
    let logger = Logger(label: "test") { _ in errors }
    var settings = site.settings(host: "127.0.0.1", port: 0)
    change(&settings)
    let (ports, ready) = AsyncStream<Int>.makeStream()
    let application = makeApplication(
        settings, site: site.webSite, services: background ? [Background { await backend.county.runBeside() }] : [],
        logger: logger
    ) { ready.yield($0) }
    let fixed = settings
    let group = makeServiceGroup(application, settings: fixed)
    let running = Task { try await run(group, settings: fixed) }
    let stopping = Task {
        _ = await running.result
        ready.finish()
    }
    defer { stopping.cancel() }
    var iterator = ports.makeAsyncIterator()
    guard let port = await iterator.next() else {
        try await running.value
        throw Unforeseen()
    }
    do {
        let server = TestServer(port: port, group: group, running: running)
        let village = try await settle(backend, site, server, folder: folder, errors)
        let result = try await body(village)
        await group.triggerGracefulShutdown()
        _ = await running.result
        return result
    } catch {
        await group.triggerGracefulShutdown()
        _ = await running.result
        throw error
    }
}

/// Two cooperatives with a household and plots each, tokens, a batch, a sale and a booking.
private func settle(
    _ backend: Backend, _ site: Site, _ server: TestServer, folder: String, _ errors: MemoryLog
) async throws -> ServedVillage {
    func village(_ tokens: [String: String], _ batch: Int64 = 0, _ payload: String = "", _ session: Int64 = 0)
        -> ServedVillage
    {
        ServedVillage(
            backend: backend, site: site, server: server, folder: folder, tokens: tokens, errors: errors, batch: batch,
            payload: payload, session: session)
    }
    func token(_ role: Role, of cooperative: String? = nil) async throws -> String {
        let plan = TokenStore.create(
            name: "test", role: role, cooperative: cooperative, days: 1, maker: nil, now: backend.clock.now())
        return try await backend.database.change(backend.local.scope, plan).text
    }
    var tokens = ["administrator": try await token(.administrator)]
    let empty = village(tokens)
    let households = try await empty.importRegister(
        "households", "户号,户主,网格,帮扶类别,合作社,人口", "H001,陈玉梅,一网格,一般户,\(ServedVillage.ours),4",
        "H002,刘丽娟,二网格,困难户,\(ServedVillage.others),2")
    try #require(households.status == 200, "\(households.text)")
    let plots = try await empty.importRegister(
        "plots", "地块号,名称,合作社,户号,作物,面积亩", "D01,东园,\(ServedVillage.ours),H001,红薯,90000",
        "D02,西园,\(ServedVillage.others),H002,红薯,90000", "D03,南园,\(ServedVillage.ours),H001,蟠桃,90000")
    try #require(plots.status == 200, "\(plots.text)")
    for role in Role.allCases where role != .clerk { tokens[role.rawValue] = try await token(role) }
    tokens["clerk"] = try await token(.clerk, of: ServedVillage.ours)
    tokens["other"] = try await token(.clerk, of: ServedVillage.others)
    let (batch, payload) = try await village(tokens).register()
    let session = try await village(tokens).settleTours()
    let settled = village(tokens, batch, payload, session)
    _ = try await settled.post("/api/v1/sales", as: "clerk", ServedVillage.sale(batch, on: backend.clock.today))
    _ = try await settled.booked()
    _ = try await settled.groupBooking()
    return settled
}

/// The village that the tests of a suite share.
enum Served {
    @TaskLocal static var shared: ServedVillage?

    static var village: ServedVillage {
        get throws { try #require(shared, "the suite lacks the trait .served") }
    }
}

struct ServedTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withVillage { village in
            try await Served.$shared.withValue(village) { try await function() }
        }
    }
}

extension Trait where Self == ServedTrait {
    /// Serves one village for the whole suite.
    static var served: Self { ServedTrait() }
}

/// Tests that share a village and so change nothing but what they have made themselves.
@Suite(.served) struct SiteTests {}
