import Documents
import Foundation
import Kernel
import Testing

@testable import Web

/// How often a stranger may do what, told apart by the address that a proxy of ours gives.
@Suite(.serialized) struct SiteLimitTests {
    private let forwarded = ["TAOYUAN_TRUSTED_PROXY_HEADER": "X-Forwarded-For"]

    private func lookUp(_ village: ServedVillage, _ reference: String, from address: String) async throws -> Int {
        try await village.send(
            "POST", "/api/v1/tours/booking-lookups", ["reference": .string(reference), "phone": "13900000000"],
            headers: ["X-Forwarded-For": address]
        ).status
    }

    @Test func `a proxy in front leaves each of its clients a limit of its own`() async throws {
        let environment = forwarded.merging([
            "TAOYUAN_VERIFY_PER_MINUTE": "2", "TAOYUAN_BOOK_PER_MINUTE": "1", "TAOYUAN_LOOK_UP_PER_MINUTE": "2",
            "TAOYUAN_SIGN_IN_PER_MINUTE": "1",
        ]) { $1 }
        try await withVillage(environment: environment) { (village) async throws in
            func status(_ method: String, _ path: String, _ address: String, _ body: JSON? = nil) async throws -> Int {
                try await village.send(method, path, body, headers: ["X-Forwarded-For": address]).status
            }
            let code = "/api/v1/codes/\(village.payload)"
            let account: JSON = ["username": "nobody", "password": "a wrong password"]
            // What stands before the proxy's own word is anybody's invention.
            for address in ["192.0.2.1", "6.6.6.6, 192.0.2.1", "7.7.7.7, 192.0.2.1", "192.0.2.2", "2001:db8::1"] {
                let isFirst = address == "192.0.2.2" || address == "2001:db8::1"
                let isThird = address.hasPrefix("7.")
                #expect(try await status("GET", code, address) == (isThird ? 429 : 200), "\(address)")
                let signIn = try await status("POST", "/api/v1/session", address, account)
                #expect(signIn == (isFirst || address == "192.0.2.1" ? 401 : 429), "\(address)")
                let form = try await village.send(
                    "POST", "/tours", bytes: Data("unit=x".utf8), type: "application/x-www-form-urlencoded",
                    headers: ["X-Forwarded-For": address])
                #expect(form.status == (isFirst || address == "192.0.2.1" ? 404 : 429), "\(address)")
            }
            // A /64 is one client.
            #expect(try await status("GET", code, "2001:db8::ffff") == 200)
            #expect(try await status("GET", code, "2001:db8::2") == 429)
            #expect(try await status("GET", code, "2001:db8:0:1::1") == 200)
            let refused = try await village.send("GET", code, headers: ["X-Forwarded-For": "192.0.2.1"])
            #expect((1...30).contains(Int(refused.headers["retry-after"] ?? "") ?? 0))
            for turn in 0..<3 {
                let found = try await lookUp(village, "AAAA-BBBB-CCC\(["D", "E", "F"][turn])", from: "192.0.2.9")
                #expect(found == (turn < 2 ? 404 : 429))
            }
        }
    }

    @Test func `a register that is another one ends early, with a sentence`() async throws {
        try await withVillage { (village) async throws in
            let head = "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤"
            let reply = try await village.importRegister(
                "harvest", head, String(repeating: "a\n", count: 30_000))
            #expect(reply.status == 422)
            let problem = try reply.json
            #expect(try problem["detail"].string.hasPrefix("10000 of the first 10000 rows are wrong"))
            #expect(try problem["report"]["read"].int64 == 10_000)
        }
    }

    @Test func `many clients get no further with one booking than one`() async throws {
        let environment = forwarded.merging(["TAOYUAN_LOOK_UP_PER_MINUTE": "3"]) { $1 }
        try await withVillage(environment: environment) { (village) async throws in
            var statuses: [Int] = []
            for turn in 0..<5 {
                // The same reference, however it is written.
                let reference = turn % 2 == 0 ? "ABCD-EFGH-IJKL" : "abcdefghijkl"
                statuses.append(try await lookUp(village, reference, from: "192.0.2.\(turn)"))
            }
            #expect(statuses == [404, 404, 404, 429, 429])
            #expect(try await lookUp(village, "ABCD-EFGH-IJKM", from: "192.0.2.4") == 404)
            for path in ["/api/v1/tours/booking-changes", "/api/v1/tours/booking-cancellations"] {
                let body: JSON = ["reference": "ABCD-EFGH-IJKL", "phone": "13900000000"]
                let reply = try await village.send("POST", path, body, headers: ["X-Forwarded-For": "192.0.2.77"])
                #expect(reply.status == 429, "\(path): \(reply.text)")
            }
            let form = Data("reference=ABCD-EFGH-IJKL&phone=13900000000".utf8)
            for path in ["/tours/booking", "/tours/ticket"] {
                let page = try await village.send(
                    "POST", path, bytes: form, type: "application/x-www-form-urlencoded",
                    headers: ["X-Forwarded-For": "192.0.2.78"])
                #expect(page.status == 429, "\(path)")
            }
        }
    }

    @Test func `visitors behind a proxy are told apart`() async throws {
        let environment = ["TAOYUAN_TRUSTED_PROXY_HEADER": "X-Real-IP"]
        try await withVillage(environment: environment) { (village) async throws in
            func scan(_ headers: [String: String]) async throws -> JSON {
                try await village.send("POST", "/api/v1/codes/\(village.payload)/scans", [:], headers: headers).json
            }
            #expect(try await scan(["X-Real-IP": "192.0.2.1"]) == ["visitorsToday": 1])
            #expect(try await scan(["X-Real-IP": "192.0.2.2"]) == ["visitorsToday": 2])
            // Another field than the one that the proxy writes is the client's own invention.
            let invented = ["X-Real-IP": "192.0.2.2", "X-Forwarded-For": "192.0.2.3"]
            #expect(try await scan(invented) == ["visitorsToday": 2])
        }
    }

    @Test func `what is asked by those who run the program may have a port of its own`() async throws {
        try await withVillage(environment: ["TAOYUAN_ADMIN_PORT": "1"]) { (village) async throws in
            for path in ["/healthz", "/readyz"] {
                #expect(try await village.send("GET", path).status == 404)
            }
            let site = village.site
            let settings = site.settings(host: "0.0.0.0", port: 0)
            #expect(site.adminServer(settings, quietLogger).count == 1)
            // Not where strangers are, unless that is said.
            #expect(site.adminSettings(settings)?.host == "127.0.0.1")
            try await withServer(endpoints: site.adminEndpoints) { (server) async throws in
                for path in ["/healthz", "/readyz"] { #expect(try await server.send("GET", path).status == 200) }
            }
        }
    }
}
