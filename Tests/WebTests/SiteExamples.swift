import Access
import Codes
import Documents
import Foundation
import HTTPTypes
import Kernel
import Orchard
import Registers
import Sales
import Testing

@testable import Web

/// A request that an endpoint accepts.
struct Example: Sendable {
    var path: String
    var person: String?
    var json: JSON?
    var bytes: Data?
    var type = "application/json"

    init(_ path: String, as person: String? = nil, _ json: JSON? = nil) {
        (self.path, self.person, self.json) = (path, person, json)
    }
}

extension Endpoint {
    var name: String { "\(method.rawValue) \(path)" }
}

/// A new name at each call.
func fresh(_ prefix: String) -> String { prefix + UUID().uuidString.prefix(8).lowercased() }

extension ServedVillage {
    /// Makes the accepted request of an endpoint, with what it needs to find in the village. A second call makes
    /// another request.
    func example(of endpoint: Endpoint) async throws -> Example {
        let (clerk, admin, committee) = ("clerk", "administrator", "committee")
        if let example = try await bookingExample(of: endpoint) { return example }
        if let example = try await goodsExample(of: endpoint) { return example }
        switch endpoint.name {
        case "POST /api/v1/codes/{payload}/scans":
            return Example("/api/v1/codes/\(payload)/scans", as: nil, ["place": "天津"])
        case "POST /{payload}":
            var example = Example("/\(payload)")
            (example.bytes, example.type) = (Data("place=".utf8), "application/x-www-form-urlencoded")
            return example
        case "POST /api/v1/batches":
            return Example("/api/v1/batches", as: clerk, Self.harvest(on: today, slip: fresh("C")))
        case "POST /api/v1/sales":
            return Example("/api/v1/sales", as: clerk, Self.sale(batch, grams: 1, on: today, number: fresh("S")))
        case "POST /api/v1/batches/{number}/withdrawals":
            let weight = JSON(Weight(grams: 1))
            return Example(
                "/api/v1/batches/\(batch)/withdrawals", as: clerk,
                ["kind": "gift", "weight": weight, "day": JSON(today), "reason": .string(fresh("r"))])
        case "POST /api/v1/batches/{number}/revocations":
            return Example("/api/v1/batches/\(try await register().batch)/revocations", as: clerk, ["reason": "test"])
        case "POST /api/v1/batches/{number}/recalls":
            return Example(
                "/api/v1/batches/\(try await register().batch)/recalls", as: committee,
                ["step": "open", "reason": "test"])
        case "POST /api/v1/keys": return Example("/api/v1/keys", as: admin, ["algorithm": "sm2"])
        case "POST /api/v1/keys/{keyId}/retirements":
            return Example("/api/v1/keys/\(try await key())/retirements", as: admin, [:])
        case "POST /api/v1/keys/{keyId}/compromises":
            return Example("/api/v1/keys/\(try await key())/compromises", as: admin, ["since": JSON(today)])
        case "POST /api/v1/income/entries":
            return Example(
                "/api/v1/income/entries", as: committee,
                [
                    "day": "2019-03-01", "source": "rent", "memo": .string(fresh("m")),
                    "amount": JSON(Money(fen: Money.limit)),
                ])
        case "POST /api/v1/cooperatives", "POST /api/v1/grades":
            return Example(endpoint.path, as: admin, ["name": .string(fresh("n"))])
        case "POST /api/v1/names/merges":
            let (from, to) = (JSON.string(fresh("n")), JSON.string(fresh("n")))
            for name in [from, to] { _ = try await post("/api/v1/grades", as: admin, ["name": name]) }
            return Example(endpoint.path, as: admin, ["kind": "grade", "from": from, "to": to])
        case "POST /api/v1/products":
            return Example(
                endpoint.path, as: admin,
                ["name": .string(fresh("n")), "bestBeforeDays": 30, "ceilingPerMu": JSON(Weight(grams: 1_000_000))])
        case "POST /api/v1/varieties":
            return Example(endpoint.path, as: admin, ["name": .string(fresh("n")), "product": "红薯"])
        case "POST /api/v1/plots/{plot}/overrides":
            return Example(
                "/api/v1/plots/D02/overrides", as: committee,
                ["season": 2025, "extra": JSON(Weight(grams: Weight.limit)), "reason": .string(fresh("r"))])
        case "POST /api/v1/imports/income":
            var example = Example("/api/v1/imports/income?partial=true", as: committee)
            example.bytes = Data("日期,类别,摘要,金额元\n2019-01-02,出租,\(fresh("m")),5.00\n2019-02-30,出租,x,1".utf8)
            example.type = "text/csv"
            return example
        case "POST /api/v1/imports/households": return emptyRegister(endpoint, HouseholdRegister.columns)
        case "POST /api/v1/imports/plots": return emptyRegister(endpoint, PlotRegister.columns)
        case "POST /api/v1/imports/harvest": return emptyRegister(endpoint, HarvestRegister.columns)
        case "POST /api/v1/imports/sales": return emptyRegister(endpoint, SaleRegister.columns)
        case "POST /api/v1/imports/bookings":
            var example = Example("\(endpoint.path)?partial=true", as: "desk")
            example.bytes = Data("\(Self.bookingColumns)\n,,,,,,,,,,,,,,".utf8)
            example.type = "text/csv"
            return example
        case "POST /api/v1/messages/{id}/retry":
            return Example("/api/v1/messages/\(try await lostMessage())/retry", as: "desk", [:])
        case "POST /api/v1/session":
            let account = try await account()
            return Example(
                endpoint.path, as: nil, ["username": .string(account), "password": "correct horse battery staple"])
        case "DELETE /api/v1/session": return Example(endpoint.path, as: try await session(of: try await account()))
        case "PUT /api/v1/me/password":
            return Example(
                endpoint.path, as: try await session(of: try await account()),
                ["present": "correct horse battery staple", "password": "another one of ten"])
        case "POST /api/v1/tours/unconfirmed-cancellations":
            return Example(endpoint.path, as: "desk", ["phone": "13900000000", "reason": "占位"])
        case "POST /api/v1/tokens":
            return Example(endpoint.path, as: admin, ["role": "auditor", "name": .string(fresh("t")), "days": 1])
        case "POST /api/v1/accounts": return Example(endpoint.path, as: admin, newAccount(fresh("u")))
        case "DELETE /api/v1/accounts/{username}": return Example("/api/v1/accounts/\(try await account())", as: admin)
        case "POST /api/v1/accounts/{username}/enablements":
            let account = try await account()
            _ = try await send("DELETE", "/api/v1/accounts/\(account)", as: admin)
            return Example("/api/v1/accounts/\(account)/enablements", as: admin, [:])
        case "DELETE /api/v1/tokens/{id}":
            let name = JSON.string(fresh("t"))
            _ = try await post("/api/v1/tokens", as: admin, ["role": "auditor", "name": name])
            let tokens = try await get("/api/v1/tokens", as: admin)["items"].array
            let token = try #require(tokens.first { $0["name"] == name })
            return Example("/api/v1/tokens/\(try token["id"].int64)", as: admin)
        case "GET /api/v1/households/{household}": return Example("/api/v1/households/H001", as: clerk)
        case "GET /api/v1/plots/{plot}": return Example("/api/v1/plots/D01", as: clerk)
        case "GET /api/v1/income/summary":
            let query = "from=2019-01-01&to=2199-12-31&by=month,source,product,cooperative,channel,household"
            return Example("\(endpoint.path)?\(query)", as: committee)
        case "GET /api/v1/income/lines":
            return Example("\(endpoint.path)?from=2019-01-01&to=2019-12-31&source=sales", as: "auditor")
        case "GET /api/v1/reports/livelihood": return Example("\(endpoint.path)?year=2019", as: "auditor")
        case "GET /api/v1/reports/livelihood/{id}":
            let report = try await get("/api/v1/reports/livelihood?year=2019", as: committee)["report"].int64
            return Example("/api/v1/reports/livelihood/\(report)", as: "auditor")
        case let name where name.hasPrefix("GET /api/v1/tours/bookings/{id}/ticket"):
            let booking = try await count("SELECT min(id) AS count FROM tour_booking")
            return Example(endpoint.path.replacing("{id}", with: "\(booking)"), as: "desk")
        case "POST /api/v1/tours/tickets":
            let booking = try await groupBooking()
            return Example(
                endpoint.path, as: nil, ["reference": .string(booking.reference), "phone": .string(booking.phone)])
        case "POST /tours/ticket":
            let booking = try await groupBooking()
            var example = Example(endpoint.path)
            let form = "reference=\(booking.reference)&phone=\(booking.phone)"
            (example.bytes, example.type) = (Data(form.utf8), "application/x-www-form-urlencoded")
            return example
        case "POST /api/v1/tours/check-ins":
            let entry: JSON = [
                "code": .string(try await groupBooking().reference), "headcount": 3, "nonce": .string(fresh("nonce-")),
            ]
            return Example(endpoint.path, as: "desk", [entry, entry])
        case "GET /api/v1/tours/gate-list", "GET /api/v1/tours/day-sheet":
            return Example("\(endpoint.path)?day=\(today)", as: "desk")
        case let name where name.contains("/tours/"): return try await tourExample(of: endpoint)
        default:
            // What is left is asked for and found without a body.
            try #require(endpoint.method == .get, "\(endpoint.name) lacks an example")
            let path = endpoint.path.replacing("{number}", with: "\(batch)").replacing("{payload}", with: payload)
            try #require(!path.contains("{"), "\(endpoint.name) lacks an example")
            return Example(path, as: endpoint.roles.isEmpty ? nil : endpoint.roles.contains(.clerk) ? clerk : admin)
        }
    }

    static let bookingColumns = "预约日期,场次日期,时间,基地,课程,场次容量,单位名称,单位类别,预约人数,实到人数,带队人,联系电话,单价元每人,费用元,状态"

    private func emptyRegister(_ endpoint: Endpoint, _ columns: [Column]) -> Example {
        var example = Example("\(endpoint.path)?partial=true", as: "administrator")
        let row = String(repeating: ",", count: columns.count - 1)
        (example.bytes, example.type) = (Data("\(columns.map(\.name).joined(separator: ","))\n\(row)".utf8), "text/csv")
        return example
    }

    /// Makes a message that was given up, and gives its number.
    func lostMessage() async throws -> Int64 {
        let booking = try await booked()["booking"].int64
        let rows = try await query(
            """
            UPDATE message SET given_up_at = now(), attempts = 10, last_error = 'http 503'
            WHERE about = \("booking:\(booking)") RETURNING id
            """)
        return try #require(rows.first).decode("id")
    }

    private func key() async throws -> String {
        try await post("/api/v1/keys", as: "administrator", ["algorithm": "ed25519"])["keyId"].string
    }

    private func newAccount(_ name: String) -> JSON {
        [
            "username": .string(name), "password": "correct horse battery staple", "role": "clerk",
            "cooperative": .string(Self.ours),
        ]
    }

    func account() async throws -> String {
        let name = fresh("u")
        _ = try await post("/api/v1/accounts", as: "administrator", newAccount(name))
        return name
    }

    /// The token of a session that is opened past the limits of one address.
    func session(of username: String) async throws -> String {
        let accounts = AccountStore(backend.database, hasher: backend.hasher)
        let credential = try #require(
            try await accounts.authenticate(
                username: username, password: "correct horse battery staple", village: backend.village.id))
        let plan = TokenStore.open(for: credential, hours: 1, now: backend.clock.now())
        return try await backend.database.change(credential.person.scope, plan).text
    }

    func send(_ example: Example, _ endpoint: Endpoint, key: String? = nil) async throws -> TestServer.Reply {
        try await send(
            endpoint.method.rawValue, example.path, as: example.person, example.json, bytes: example.bytes,
            type: example.type, headers: key.map { ["Idempotency-Key": $0] } ?? [:])
    }
}
