import Access
import Documents
import Foundation
import Hummingbird
import Kernel
import Logging
import ServiceLifecycle
import Testing

@testable import Web

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

struct TestPerson: Caller {
    let name: String
    let role: Role
    var parties: [Places.Party] { [.init(role.rawValue, share: 0.5)] }
}

struct Unforeseen: Error, CustomStringConvertible {
    let description = "the secret cause"
}

/// The real application on a free port, for as long as the closure runs.
func withServer<Result: Sendable>(
    _ change: (inout ServerSettings) -> Void = { _ in }, endpoints: [Endpoint] = sampleEndpoints,
    logger: Logger = quietLogger, _ body: (TestServer) async throws -> Result
) async throws -> Result {
    var settings = ServerSettings()
    settings.port = 0
    settings.shutdownSeconds = 5
    // Nobody is given up for a machine that is busy with others; tests of a patience shorten that one.
    settings.patience.head = .minutes(2)
    settings.patience.answer = .minutes(2)
    settings.patience.stall = .minutes(2)
    change(&settings)
    let site = WebSite(endpoints: endpoints, authenticate: testAuthenticator)
    let (ports, ready) = AsyncStream<Int>.makeStream()
    let application = makeApplication(settings, site: site, logger: logger) { ready.yield($0) }
    let group = makeServiceGroup(application, settings: settings)
    let running = Task { try await run(group, settings: settings) }
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
        let result = try await body(TestServer(port: port, group: group, running: running))
        await group.triggerGracefulShutdown()
        try await running.value
        return result
    } catch {
        await group.triggerGracefulShutdown()
        throw error
    }
}

let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

@Sendable func testAuthenticator(_ token: String) async throws -> any Caller {
    guard let role = Role(rawValue: token) else {
        throw Refusal(.unauthenticated, "token-unknown", zh: "令牌无效", en: "the token is unknown")
    }
    return TestPerson(name: "Li", role: role)
}

struct TestServer: Sendable {
    struct Reply {
        let status: Int
        let headers: [String: String]
        let body: Data

        var json: JSON {
            get throws { try JSON(parsing: Array(body)) }
        }

        func problem() throws -> JSON {
            #expect(headers["content-type"] == "application/problem+json")
            let document = try json
            try Problem.schema.validate(document)
            #expect(document["status"] == .integer(Int64(status)))
            // The id is another for each request.
            #expect(document["requestId"] == headers["x-request-id"].map { .string($0) } ?? .null)
            return .object(try document.members.filter { $0.key != "requestId" })
        }
    }

    private static let session: URLSession = {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = 32
        configuration.urlCache = nil
        return URLSession(configuration: configuration)
    }()

    let port: Int
    let group: ServiceGroup
    let running: Task<Void, any Error>

    func send(
        _ method: String = "GET", _ target: String, headers: [String: String] = [:], body: Data? = nil
    ) async throws -> Reply {
        let url = try #require(URL(string: "http://127.0.0.1:\(port)\(target)"))
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.httpBody = body
        request.setValue("en", forHTTPHeaderField: "Accept-Language")
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await Self.session.data(for: request)
        let answer = try #require(response as? HTTPURLResponse)
        var fields: [String: String] = [:]
        for (name, value) in answer.allHeaderFields { fields["\(name)".lowercased()] = "\(value)" }
        return Reply(status: answer.statusCode, headers: fields, body: data)
    }

    /// Posts bytes as JSON, as the clerk.
    func post(_ target: String, _ bytes: [UInt8], type: String = "application/json") async throws -> Reply {
        try await send(
            "POST", target, headers: ["Content-Type": type, "Authorization": "Bearer clerk"], body: Data(bytes))
    }
}

let lineSchema = Schema.named("Line", .object([Field("batch", .string(1...10)), Field("weight", .weight())]))
let saleSchema = Schema.named(
    "NewSale",
    .object([
        Field("buyer", .string(1...20), "Who buys"), Field("day", .day), Field("amount", .money()),
        Field("channel", .enumeration(["shop", "market"])), Field("lines", .array(of: lineSchema, 1...3)),
        .optional("note", .string(0...40)), .optional("paid", .boolean), .optional("at", .instant),
        .optional("boxes", .integer(1...Int64.max)),
    ]))

let sampleEndpoints: [Endpoint] = [
    Endpoint(
        .post, "/api/v1/sales", "Records a sale", access: .whoMay(.recordSales), body: .json(saleSchema),
        outcomes: [
            .init(201, "The sale", .object([Field("buyer", .string()), Field("grams", .integer(1...1_000_000))]))
        ]
    ) { call in
        let grams = try call.body["lines"].array.map { try $0["weight"].weight.grams }.reduce(0, +)
        return .created(["buyer": call.body["buyer"], "grams": .integer(grams)], at: "/api/v1/sales/1")
    },
    Endpoint(
        .get, "/api/v1/sales", "Lists sales", query: PageRequest.parameters,
        outcomes: [.init(200, "A page", .page(of: .integer(0...99)))]
    ) { call in
        let page = try call.page()
        let start = Int(page.after ?? "0") ?? 0
        let end = min(10, start + page.limit)
        return .page((start..<end).map { JSON($0) }, next: end < 10 ? String(end) : nil)
    },
    Endpoint(
        .get, "/api/v1/sales/{number}", "One sale", access: .anyone,
        pathParameters: [.init("number", .integer(1...999), "Its number")],
        outcomes: [.init(200, "The sale", .object([Field("number", .integer(1...999))]))]
    ) { call in Answer.json(["number": call.path["number"]]).tagged(for: call) },
    Endpoint(
        .put, "/api/v1/sales/{number}", "Changes a sale", access: .anyone,
        pathParameters: [.init("number", .integer(1...999), "Its number")], outcomes: [.init(204, "Done")]
    ) { call in
        try call.requireMatch(EntityTag(version: 7))
        return .noContent
    },
    Endpoint(
        .post, "/api/v1/echo", "Gives back the key and the size", access: .anyone,
        body: .bytes(["text/plain"], limit: 20 << 20), outcomes: [.init(200, "Both", .object([]))]
    ) { call in
        .json(["size": JSON(call.bytes.readableBytes), "key": call.idempotencyKey.map { .string($0) } ?? .null])
    },
    Endpoint(
        .get, "/api/v1/fail/{kind}", "Fails", access: .anyone,
        pathParameters: [.init("kind", .string(), "A kind of refusal, or other")], outcomes: [.init(200, "Never")]
    ) { call in
        guard let kind = Refusal.Kind(rawValue: try call.path["kind"].string) else { throw Unforeseen() }
        throw Refusal(kind, "for-test", field: "place", row: 3, zh: "测试", en: "a test")
    },
    Endpoint(
        .get, "/page/{name}", "A page", access: .anyone, pathParameters: [.init("name", .string(), "")],
        isDocumented: false
    ) { call in
        guard try call.path["name"].string != "lost" else {
            throw Refusal(.notFound, "lost", zh: "没有<它>", en: "no <it>")
        }
        return .html("<p>\(try call.path["name"].string) \(call.language)</p>")
    },
    Endpoint(.get, "/api/v1/slow", "Takes its time", access: .anyone, outcomes: [.init(200, "Late")]) { _ in
        try await Task.sleep(for: .milliseconds(1500))
        return .json(["done": true])
    },
]
