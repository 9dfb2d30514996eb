import Database
import Documents
import Signing
import Foundation
import Hummingbird
import Kernel
import TestSupport
import Testing

@testable import Web

extension SiteTests {
    /// The description of the API against what the server does.
    @Suite struct Truth {
        @Test func everyRouteIsDescribedAndTheOtherWayRound() async throws {
            let village = try Served.village
            var described: Set<String> = []
            for path in try await village.get("/openapi.json")["paths"].members {
                for operation in try path.value.members {
                    described.insert("\(operation.key.uppercased()) \(path.key)")
                }
            }
            let hidden = Set(village.site.endpoints.filter { !$0.isDocumented }.map(\.name))
            #expect(!hidden.contains { $0.contains("/api/") })
            var routes: Set<String> = []
            for (method, path) in makeResponder(ServerSettings(), site: village.site.webSite).routes.all
            where ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(method.rawValue) {
                let target = path.replacing(/\{[a-z]+Id\}/, with: "0000")
                    .replacing(/\{[a-zA-Z]+\}/, with: "4000000000")
                let reply = try await village.send(method.rawValue, target)
                if reply.status != 405 { routes.insert("\(method) \(path)") }
            }
            #expect(routes.subtracting(hidden) == described)
            #expect(routes.count > 25 && hidden.isSubset(of: routes))
        }

        @Test func everyAnswerIsAsItIsDescribed() async throws {
            let village = try Served.village
            for endpoint in village.site.webSite.endpoints {
                let reply = try await village.send(try await village.example(of: endpoint), endpoint)
                let outcome = endpoint.outcomes.first { $0.status == reply.status }
                guard endpoint.isDocumented else {
                    #expect((200...303).contains(reply.status), "\(endpoint.name)")
                    continue
                }
                let told = try #require(outcome, "\(endpoint.name): \(reply.status) \(reply.text)")
                #expect(reply.headers["content-type"] == told.contentType, "\(endpoint.name)")
                #expect(reply.body.isEmpty == (told.contentType == nil), "\(endpoint.name)")
                guard let schema = told.schema else { continue }
                #expect(throws: Never.self, "\(endpoint.name): \(reply.text)") { try schema.validate(reply.json) }
            }
        }

        @Test func sumsBeyondOneAmountAreAsDescribed() async throws {
            let village = try Served.village
            let endpoint = try #require(
                village.site.endpoints.first { $0.path == "/api/v1/income/entries" && $0.method == .post })
            for _ in 0..<3 { _ = try await village.send(try await village.example(of: endpoint), endpoint) }
            let summary = try #require(village.site.endpoints.first { $0.path == "/api/v1/income/summary" })
            let reply = try await village.get("/api/v1/income/summary?from=2019-03-01&to=2019-03-01", as: "auditor")
            #expect(try reply["total"].money.fen >= 3 * Money.limit)
            try summary.outcomes.first?.schema?.validate(reply)
        }

        @Test(
            .enabled("needs Python's openapi_spec_validator") {
                await output("python3", "-c", "import openapi_spec_validator") != nil
            })
        func theDescriptionIsValid() async throws {
            let village = try Served.village
            let file = FileManager.default.temporaryDirectory.appending(path: "openapi-\(UUID()).json")
            defer { try? FileManager.default.removeItem(at: file) }
            try await village.send("GET", "/openapi.json").body.write(to: file)
            #expect(await output("python3", "-m", "openapi_spec_validator", file.path) != nil)
        }
    }

    /// A request that is repeated under its `Idempotency-Key`.
    @Suite struct Retries {
        private func token(_ village: ServedVillage, like person: String) async throws -> (text: String, actor: String)
        {
            let role = person == "other" ? "clerk" : person
            let made = try await village.post(
                "/api/v1/tokens", as: "administrator",
                [
                    "role": .string(role), "name": "retries",
                    "cooperative": role == "clerk" ? .string(ServedVillage.ours) : .null,
                ])
            let text = try made["token"].string
            return (text, try await village.get("/api/v1/me", as: text)["name"].string)
        }

        @Test func tenAtOnceActOnce() async throws {
            let village = try Served.village
            let taking = village.site.endpoints.filter(\.takesIdempotencyKey)
            #expect(taking.count > 12)
            // Strangers have no name by which their effects could be told apart: see the tests of bookings.
            for endpoint in taking where endpoint.isForPeople {
                var example = try await village.example(of: endpoint)
                let (text, actor) = try await token(village, like: try #require(example.person, "\(endpoint.name)"))
                example.person = text
                let key = UUID().uuidString
                let request = example
                let replies = try await withThrowingTaskGroup { group in
                    for _ in 0..<10 { group.addTask { try await village.send(request, endpoint, key: key) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                let again = try await village.send(request, endpoint, key: key)
                let made = replies.filter { $0.status == 201 }
                if endpoint.path == "/api/v1/tokens" {
                    // The secret is shown once; whoever repeats the request is told so.
                    #expect(made.count == 1 && replies.filter { $0.status == 409 }.count == 9)
                    #expect(try again.problem()["type"] == "urn:taoyuan:problem:token-made-already")
                } else {
                    let statuses = replies.map(\.status)
                    #expect(
                        made.count == 10,
                        "\(endpoint.name): \(statuses) \(replies.first { $0.status != 201 }?.text ?? "")")
                    #expect(Set((made + [again]).map(\.body)).count == 1, "\(endpoint.name)")
                }
                let effects = try await village.count("SELECT count(*) AS count FROM event WHERE actor = \(actor)")
                // What a group picked is a sale, and settles what it had booked.
                #expect(effects == (endpoint.path.hasSuffix("/pickings") ? 2 : 1), "\(endpoint.name)")
                var other = try await village.example(of: endpoint)
                if other.path == example.path, other.json == example.json { other.path += "?lang=en" }
                other.person = text
                let refused = try await village.send(other, endpoint, key: key)
                #expect(refused.status == 422, "\(endpoint.name)")
                #expect(try refused.problem()["type"] == "urn:taoyuan:problem:idempotency-key-reused")
            }
        }

        /// All of the stock, so that the second of two would find none left.
        @Test func theLastGramIsSoldOnceAndBothAreTold() async throws {
            let village = try Served.village
            for _ in 0..<10 {
                let (batch, _) = try await village.register(grams: 1000)
                let sale = ServedVillage.sale(batch, grams: 1000, on: village.today)
                let key = ["Idempotency-Key": UUID().uuidString]
                async let one = village.send("POST", "/api/v1/sales", as: "clerk", sale, headers: key)
                async let two = village.send("POST", "/api/v1/sales", as: "clerk", sale, headers: key)
                let (first, second) = try await (one, two)
                #expect(first.status == 201 && second.status == 201, "\(first.text) \(second.text)")
                #expect(first.body == second.body)
                #expect(try await village.stock(batch) == 0)
            }
        }

        @Test func aBrokenConnectionAndARepetition() async throws {
            let village = try Served.village
            let (batch, _) = try await village.register(grams: 1_000_000)
            for turn in 0..<10 {
                let sale = ServedVillage.sale(batch, grams: 1000, on: village.today, number: fresh("B")).bytes
                let key = UUID().uuidString
                let head =
                    "POST /api/v1/sales HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(village.tokens["clerk"] ?? "")\r\n"
                    + "Content-Type: application/json\r\nIdempotency-Key: \(key)\r\nContent-Length: \(sale.count)\r\n\r\n"
                do {
                    let socket = try SocketClient(port: village.server.port)
                    await socket.write(Array(head.utf8) + sale)
                    if turn % 2 == 0 { try await Task.sleep(for: .milliseconds(turn * 3)) }
                }
                let again = try await village.send(
                    "POST", "/api/v1/sales", as: "clerk", bytes: Data(sale), headers: ["Idempotency-Key": key])
                #expect(again.status == 201, "\(again.text)")
            }
            #expect(try await village.stock(batch) == 990_000)
            let sold = try await village.count("SELECT count(*) AS count FROM sale_line WHERE batch_number = \(batch)")
            #expect(sold == 10)
        }

        @Test func aPasswordLeavesNoCheapDigest() async throws {
            let village = try Served.village
            let endpoint = try #require(village.site.endpoints.first { $0.name == "POST /api/v1/accounts" })
            let key = UUID().uuidString
            let example = try await village.example(of: endpoint)
            #expect(try await village.send(example, endpoint, key: key).status == 201)
            let rows = try await village.query("SELECT fingerprint FROM idempotent_answer WHERE key = \(key)")
            let stored: [UInt8] = try #require(rows.first).decode("fingerprint")
            let body = try #require(example.json).bytes
            #expect(stored != Digest.sha256(Array("POST /api/v1/accounts\n".utf8) + body))
            guard case .object(let members) = example.json else { return }
            let changed = members.map { $0.key == "password" ? JSON.Member($0.key, "another one of ten") : $0 }
            var other = example
            other.json = .object(changed)
            #expect(try await village.send(other, endpoint, key: key).status == 422)
        }

        @Test(arguments: ["", "a b", "é", String(repeating: "k", count: 201)])
        func badKeys(key: String) async throws {
            let village = try Served.village
            let reply = try await village.send(
                "POST", "/api/v1/grades", as: "administrator", ["name": "never"], headers: ["Idempotency-Key": key])
            #expect(reply.status == 422, "\(reply.text)")
            #expect(try reply.problem()["field"] == "Idempotency-Key")
        }
    }
}
