import Documents
import Foundation
import Kernel
import Livelihood
import TestSupport
import Testing

@testable import Web

extension SiteTests {
    /// Reports over HTTP.
    @Suite struct Livelihood {
        @Test func `committee, administrator and auditor are given reports, others are not`() async throws {
            let village = try Served.village
            let target = "/api/v1/reports/livelihood?year=2025"
            let id = try await village.get(target, as: "committee")["report"].int64
            for (person, status) in [
                ("committee", 200), ("administrator", 200), ("auditor", 200), ("clerk", 403), ("desk", 403), (nil, 401),
            ] as [(String?, Int)] {
                for path in [target, "/api/v1/reports/livelihood/\(id)", "/api/v1/reports"] {
                    let reply = try await village.send("GET", path, as: person)
                    #expect(reply.status == status, "\(person ?? "nobody"): \(path)")
                }
            }
        }

        @Test func `a report keeps its number in every format and when it is asked for again`() async throws {
            let village = try Served.village
            let year = village.today.year
            let drawn = try await village.get("/api/v1/reports/livelihood?year=\(year)", as: "committee")
            let id = try drawn["report"].int64
            for (format, type) in [
                ("json", "application/json"), ("markdown", "text/markdown; charset=utf-8"),
                ("html", "text/html; charset=utf-8"),
            ] {
                let stored = try await village.send(
                    "GET", "/api/v1/reports/livelihood/\(id)?format=\(format)", as: "auditor")
                #expect(stored.status == 200 && stored.headers["content-type"] == type)
                #expect(stored.headers["content-language"] == "zh-CN" && stored.text.contains("第\(id)号"))
                let english = try await village.send(
                    "GET", "/api/v1/reports/livelihood/\(id)?lang=en&format=\(format)", as: "auditor")
                #expect(english.headers["content-language"] == "en" && english.text.contains("report no. \(id)"))
                let policy = try #require(stored.headers["content-security-policy"])
                #expect(policy.contains("default-src 'none'") && policy.contains("style-src") == (format == "html"))
            }
            let preferring = try await village.send(
                "GET", "/api/v1/reports/livelihood/\(id)?format=markdown", as: "auditor",
                headers: ["Accept-Language": "en"])
            #expect(preferring.text.contains("民生篇"))
            let listed = try await village.get("/api/v1/reports", as: "auditor")["items"].array
            #expect(try listed.contains { try $0["report"].int64 == id })
        }

        @Test(arguments: [
            ("/api/v1/reports/livelihood", 422, "year"), ("/api/v1/reports/livelihood?year=1999", 422, "year"),
            ("/api/v1/reports/livelihood?year=2199", 422, "year"), ("/api/v1/reports/livelihood?year=x", 422, "year"),
            ("/api/v1/reports/livelihood?year=2025&format=docx", 422, "format"),
            ("/api/v1/reports/livelihood?year=2025&formt=html", 422, "formt"),
            ("/api/v1/reports/livelihood/999999999", 404, "id"), ("/api/v1/reports/livelihood/x", 404, "id"),
            ("/api/v1/reports/livelihood/9223372036854775807", 404, "id"),
        ])
        func `what can't be reported is refused by its field`(target: String, status: Int, field: String) async throws {
            let reply = try await Served.village.send("GET", target, as: "committee")
            #expect(reply.status == status, "\(reply.text)")
            #expect(try reply.problem()["field"].string == field)
        }

        @Test func `the description tells of every format`() async throws {
            let responses = try await Served.village.get("/openapi.json")["paths"]["/api/v1/reports/livelihood"]["get"][
                "responses"]
            let contents = try responses["200"]["content"].members.map(\.key)
            #expect(Set(contents) == Set(LivelihoodFormat.allCases.map(\.contentType)))
            #expect(try responses.members.filter { $0.key == "200" }.count == 1)
        }
    }
}
