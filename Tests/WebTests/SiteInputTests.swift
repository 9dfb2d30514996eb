import Access
import Documents
import Foundation
import Kernel
import Testing

@testable import Web

/// What is wrong with a request is said with a 4xx, and nothing comes of it. All endpoints are taken from the table.
@Suite(.served) struct SiteInputTests {
    private struct Attempt: Sendable {
        let endpoint: Endpoint
        let what: String
        var path: String
        var person: String?
        var body: Data?
        var type = "application/json"
        var statuses: ClosedRange<Int> = 400...499
    }

    /// A path of the right form that names nothing in the village.
    private func path(of endpoint: Endpoint, _ name: String = "", _ value: String = "") -> String {
        var path = endpoint.path
        for parameter in endpoint.pathParameters {
            var text = value
            if parameter.name != name {
                switch parameter.schema.unnamed {
                case .integer(let range): text = "\(min(range.upperBound, 4_000_000_000))"
                case .enumeration(let names): text = names.first ?? ""
                case .string(let length, _): text = String(repeating: "f", count: max(4, length.lowerBound))
                default: text = "x"
                }
            }
            path = path.replacing("{\(parameter.name)}", with: text)
        }
        let needed = endpoint.query.filter { $0.isRequired && $0.name != name }.map { parameter in
            "\(parameter.name)=\((try? Fault.good(parameter.schema).string) ?? "1")"
        }
        return needed.isEmpty ? path : path + "?" + needed.joined(separator: "&")
    }

    private func person(for endpoint: Endpoint) -> String? {
        endpoint.roles.first?.rawValue
    }

    private func attempt(_ endpoint: Endpoint, _ what: String, path: String? = nil, body: [UInt8]? = nil) -> Attempt {
        var attempt = Attempt(
            endpoint: endpoint, what: what, path: path ?? self.path(of: endpoint), person: person(for: endpoint))
        switch endpoint.body {
        case .json(let schema): attempt.body = Data(body ?? Fault.good(schema).bytes)
        case .bytes(let types, _): (attempt.body, attempt.type) = (Data(body ?? Array("place=x".utf8)), types[0])
        case nil: break
        }
        return attempt
    }

    /// Sends them all and expects a problem document of each, and in the end the same rows in every table.
    private func expectRefused(_ attempts: [Attempt], sourceLocation: SourceLocation = #_sourceLocation) async throws {
        #expect(!attempts.isEmpty)
        let village = try Served.village
        let before = try await village.contents()
        #expect(before.count > 20)
        try await withThrowingTaskGroup { group in
            for lane in 0..<8 {
                group.addTask {
                    for place in stride(from: lane, to: attempts.count, by: 8) {
                        try await self.expectRefused(attempts[place], village, sourceLocation)
                    }
                }
            }
            try await group.waitForAll()
        }
        let after = try await village.contents()
        #expect(Self.changed(before, after) == [], sourceLocation: sourceLocation)
        #expect(village.errors.errors == [], sourceLocation: sourceLocation)
    }

    private static func changed(_ before: [String: String], _ after: [String: String]) -> [String] {
        Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted()
    }

    private func expectRefused(
        _ attempt: Attempt, _ village: ServedVillage, _ sourceLocation: SourceLocation
    ) async throws {
        let reply = try await village.send(
            attempt.endpoint.method.rawValue, attempt.path, as: attempt.person, bytes: attempt.body, type: attempt.type)
        let place = "\(attempt.endpoint.name): \(attempt.what): \(reply.status) \(reply.text.prefix(300))"
        #expect(attempt.statuses.contains(reply.status), "\(place)", sourceLocation: sourceLocation)
        #expect(
            reply.headers["content-type"] == "application/problem+json", "\(place)", sourceLocation: sourceLocation)
        let problem = try? reply.json
        for member in ["type", "title", "status"] {
            #expect(problem?[member].orNil != nil, "\(place)", sourceLocation: sourceLocation)
        }
        #expect(problem?["status"] == .integer(Int64(reply.status)), "\(place)", sourceLocation: sourceLocation)
        for secret in ["SELECT", "INSERT", "taoyuan_", ".swift", "/tmp/", "libpq", "PostgresError"] {
            #expect(!reply.text.contains(secret), "\(place)", sourceLocation: sourceLocation)
        }
    }

    @Test func everyFieldOfEveryBody() async throws {
        let village = try Served.village
        var attempts: [Attempt] = []
        for endpoint in village.site.endpoints {
            guard case .json(let schema) = endpoint.body else { continue }
            // The generated body itself must be good, or the faults would hide behind each other.
            #expect(throws: Never.self) { try schema.validate(Fault.good(schema)) }
            attempts += Fault.all(of: schema).map { attempt(endpoint, $0.what, body: $0.bytes) }
        }
        #expect(attempts.count > 800)
        try await expectRefused(attempts)
    }

    @Test func bodiesThatAreNoBodies() async throws {
        let village = try Served.village
        var attempts: [Attempt] = []
        let bodies: [(String, [UInt8])] = [
            ("empty", []), ("no JSON", Array("hello".utf8)), ("truncated", Array("{\"a\":".utf8)),
            ("invalid UTF-8", Array("{\"name\":\"".utf8) + [0xFF, 0xFE] + Array("\"}".utf8)),
            ("array", Array("[]".utf8)),
            ("null", Array("null".utf8)), ("two values", Array("{}{}".utf8)), ("BOM", [0xEF, 0xBB, 0xBF, 0x7B, 0x7D]),
            ("twice the same field", Array("{\"name\":\"a\",\"name\":\"b\"}".utf8)),
            ("deep", [UInt8](repeating: UInt8(ascii: "["), count: 100_000)),
        ]
        for endpoint in village.site.endpoints {
            guard case .json(let schema) = endpoint.body else { continue }
            attempts += bodies.map { attempt(endpoint, $0.0, body: $0.1) }
            for type in [
                "text/plain", "", "application/jsonx", "multipart/form-data", "application/x-www-form-urlencoded",
            ] {
                var wrong = attempt(endpoint, "type \(type)", body: Fault.good(schema).bytes)
                (wrong.type, wrong.statuses) = (type, 415...415)
                attempts.append(wrong)
            }
        }
        try await expectRefused(attempts)
    }

    @Test func tenMegabytes() async throws {
        let village = try Served.village
        var attempts: [Attempt] = []
        let spaces = [UInt8](repeating: 0x20, count: 10 << 20)
        for endpoint in village.site.endpoints where endpoint.body != nil {
            var large = attempt(endpoint, "10 MB", body: spaces)
            if case .bytes(_, let limit?) = endpoint.body, limit > 10 << 20 {
                // 10 MB are welcome there, but these are no register.
                large.statuses = 422...422
            } else {
                large.statuses = 413...413
            }
            attempts.append(large)
        }
        try await expectRefused(attempts)
    }

    @Test func everyValueOfEveryPathAndQuery() async throws {
        let village = try Served.village
        var attempts: [Attempt] = []
        for endpoint in village.site.webSite.endpoints {
            for parameter in endpoint.pathParameters {
                for text in Fault.texts(of: parameter.schema) {
                    var wrong = attempt(endpoint, "\(parameter.name)", path: path(of: endpoint, parameter.name, text))
                    wrong.statuses = 404...404
                    attempts.append(wrong)
                }
            }
            let path = path(of: endpoint)
            let mark = path.contains("?") ? "&" : "?"
            for parameter in endpoint.query {
                for text in Fault.texts(of: parameter.schema) {
                    let path = self.path(of: endpoint, parameter.name)
                    let mark = path.contains("?") ? "&" : "?"
                    let query = "\(mark)\(parameter.name)=\(text)"
                    attempts.append(attempt(endpoint, query, path: path + query))
                }
                if parameter.isRequired {
                    attempts.append(
                        attempt(endpoint, "no \(parameter.name)", path: self.path(of: endpoint, parameter.name)))
                }
                let twice = "\(parameter.name)=2025-01-01&\(parameter.name)=2025-01-01"
                attempts.append(attempt(endpoint, twice, path: "\(endpoint.path)?\(twice)"))
            }
            guard endpoint.isDocumented, !endpoint.path.hasSuffix("{payload}") else { continue }
            for query in ["nonesuch=1", "%FF=1", "=", "%00", "limit[]=1"] {
                let what = attempt(endpoint, query, path: path + mark + query.replacing("[]", with: "%5B%5D"))
                attempts.append(what)
            }
        }
        try await expectRefused(attempts)
    }

    @Test func nobodyAndTheWrongPeople() async throws {
        let village = try Served.village
        var attempts: [Attempt] = []
        for endpoint in village.site.endpoints {
            guard endpoint.isForPeople else { continue }
            let strangers = [
                nil, "taoyuan_" + String(repeating: "A", count: 43), "x", "'; DROP TABLE api_token; --",
                String(repeating: "t", count: 8000),
            ]
            for stranger in strangers {
                var nobody = attempt(endpoint, "token \(stranger?.prefix(12) ?? "none")")
                (nobody.person, nobody.statuses) = (stranger, 401...401)
                attempts.append(nobody)
            }
            for role in Role.allCases where !endpoint.roles.contains(role) {
                var wrong = attempt(endpoint, "as \(role)")
                (wrong.person, wrong.statuses) = (role.rawValue, 403...403)
                attempts.append(wrong)
            }
        }
        #expect(attempts.count > 150)
        try await expectRefused(attempts)
    }

    @Test(arguments: [
        ("households", ""), ("households", "户号\nH9"), ("plots", "\u{0}\u{0}\u{0}"), ("sales", "{\"a\":1}"),
        ("harvest", "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤\nC1,2025-02-30,甲合作社,D01,红薯,烟薯25,特级,1"),
        ("harvest", "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤\nC1,2025-08-03,乙合作社,D02,红薯,烟薯25,特级,1"),
        ("households", "户号,户主,网格,帮扶类别,合作社,人口\nH901,某,一网格,一般户,乙合作社,2"),
        ("households", "户号,户主,网格,帮扶类别,合作社,人口\nH002,某,一网格,一般户,甲合作社,2"),
        ("households", "户号,户主,网格,帮扶类别,合作社,人口\nH901,某,一网格,一般户,甲合作社,99999999999999999999"),
        ("plots", "地块号,名称,合作社,户号,作物,面积亩\nD02,东园,甲合作社,H001,红薯,1"),
        ("plots", "地块号,名称,合作社,户号,作物,面积亩\nD99,东园,乙合作社,H002,红薯,1"),
        ("income", "日期,类别,摘要,金额元\n2024-01-15,出租,冷库,1.00"),
    ])
    func registersOfAClerk(kind: String, text: String) async throws {
        let village = try Served.village
        let before = try await village.contents()
        let reply = try await village.importRegister(kind, as: "clerk", text)
        #expect((400...499).contains(reply.status), "\(reply.status) \(reply.text)")
        #expect(reply.headers["content-type"] == "application/problem+json")
        let endpoint = try #require(village.site.endpoints.first { $0.path == "/api/v1/imports/\(kind)" })
        let schema = try #require(endpoint.outcomes.first { $0.status == 422 }?.schema)
        #expect(throws: Never.self, "\(reply.text)") { try schema.validate(reply.json) }
        #expect(Self.changed(before, try await village.contents()) == [])
        #expect(village.errors.errors == [])
    }

    @Test func askingChangesNothing() async throws {
        let village = try Served.village
        let before = try await village.contents()
        for endpoint in village.site.webSite.endpoints where endpoint.method == .get {
            for method in ["GET", "HEAD", "GET"] {
                let example = try await village.example(of: endpoint)
                let reply = try await village.send(method, example.path, as: example.person)
                #expect(reply.status == 200, "\(endpoint.name)")
            }
        }
        #expect(Self.changed(before, try await village.contents()) == [])
    }

    @Test(arguments: ["/api/v1/batches", "/api/v1/sales"], ["eHg", "!!", "LTk5OTk5OTk5OTk5OTk5OTk5OTk5", "AA"])
    func cursorsThatNoAnswerGave(path: String, cursor: String) async throws {
        let reply = try await Served.village.send("GET", "\(path)?cursor=\(cursor)", as: "auditor")
        #expect(reply.status == 422)
        #expect(try reply.problem()["field"] == "cursor")
    }
}
