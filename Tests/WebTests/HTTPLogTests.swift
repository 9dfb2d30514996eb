import Documents
import Foundation
import InMemoryLogging
import Kernel
import Logging
import Telemetry
import Testing

@testable import Web

@Suite struct HTTPLogTests {
    private func logged(
        _ body: (TestServer) async throws -> Void
    ) async throws -> [InMemoryLogHandler.Entry] {
        let log = InMemoryLogHandler()
        try await withServer(logger: Logger(label: "test", factory: { _ in log })) { try await body($0) }
        return log.entries.filter { "\($0.message)" == "request" }
    }

    @Test func everyRequestHasALineThatTellsNothingOfItsContent() async throws {
        let lines = try await logged { server in
            _ = try await server.post("/api/v1/sales", HTTPJSONTests.good.bytes)
            _ = try await server.send(
                "GET", "/api/v1/fail/conflict?phone=13812345678", headers: ["X-Secret": "hunter2"])
            _ = try await server.send("GET", "/hunter2/13812345678")
            _ = try await server.send("DELETE", "/api/v1/sales/7", headers: ["Authorization": "Bearer hunter2"])
            _ = try await server.send("GET", "/api/v1/fail/tooMany")
        }
        func facts(_ name: String) -> [String] { lines.map { $0.metadata[name].map { "\($0)" } ?? "" } }
        #expect(facts("method") == ["POST", "GET", "GET", "DELETE", "GET"])
        #expect(
            facts("route") == [
                "/api/v1/sales", "/api/v1/fail/{kind}", "none", "/api/v1/sales/{number}", "/api/v1/fail/{kind}",
            ])
        #expect(facts("status") == ["201", "422", "404", "405", "429"])
        #expect(facts("role") == ["clerk", "", "", "", ""])
        #expect(facts("code") == ["", "unknown-parameter", "no-such-page", "method-not-allowed", "for-test"])
        #expect(Set(facts("id")).count == 5 && !facts("ms").contains(""))
        #expect(lines.map(\.level) == [.info, .info, .info, .info, .notice])
        for line in lines {
            let text = "\(line.message) \(line.metadata)"
            for secret in ["hunter2", "13812345678", "津小韩", "127.0.0.1"] { #expect(!text.contains(secret), "\(text)") }
        }
    }

    @Test(arguments: [("127.0.0.0/8", 0), ("10.0.0.0/8", 1)])
    func `a proxy that was forgotten in the settings is told, once`(trusted: String, times: Int) async throws {
        let log = InMemoryLogHandler()
        let network = try #require(IPNetwork(trusted))
        let proxies = TrustedProxies(field: "X-Forwarded-For", networks: [network])
        try await withServer({ $0.proxies = proxies }, logger: Logger(label: "test", factory: { _ in log })) { server in
            _ = try await server.send("GET", "/page/a")
            #expect(!log.entries.contains { $0.level == .warning })
            for address in ["192.0.2.1", "192.0.2.2"] {
                _ = try await server.send("GET", "/page/a", headers: ["X-Forwarded-For": address])
            }
        }
        let warnings = log.entries.filter { $0.level == .warning }
        #expect(warnings.count == times)
        for line in warnings {
            let text = "\(line.message) \(line.metadata)"
            #expect(text.contains("TAOYUAN_TRUSTED_PROXIES") && text.contains("127.0.0.1"), "\(text)")
            #expect(!text.contains("192.0.2."))
        }
    }

    @Test func theIdOfARequestIsTakenOverOrMade() async throws {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        let given: [([String: String], String?)] = [
            (["X-Request-Id": "a-B_9.z"], "a-B_9.z"), (["traceparent": "00-\(trace)-00f067aa0ba902b7-01"], trace),
            (["X-Request-Id": "mine", "traceparent": "00-\(trace)-00f067aa0ba902b7-01"], "mine"),
            (["X-Request-Id": "two words"], nil), (["X-Request-Id": String(repeating: "x", count: 65)], nil),
            (["X-Request-Id": "a\"}"], nil), (["traceparent": "00-\(trace)-01"], nil),
            (["traceparent": "00-00000000000000000000000000000000-00f067aa0ba902b7-01"], nil), ([:], nil),
        ]
        let lines = try await logged { server in
            for (headers, id) in given {
                let reply = try await server.send("GET", "/api/v1/fail/conflict", headers: headers)
                let told = try #require(reply.headers["x-request-id"])
                if let id { #expect(told == id) } else { #expect(told.count == 15) }
                #expect(try reply.json["requestId"] == .string(told))
            }
        }
        #expect(Set(lines.map { "\($0.metadata["id"] ?? "")" }).count == given.count)
    }

    @Test func aLineIsJSONThatReadsAsItIsMeant() async throws {
        let pipe = Pipe()
        let output = LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        let handler = LineLog(output, level: .info)
        try await withServer(logger: Logger(label: "test", factory: { _ in handler })) { server in
            _ = try await server.send("GET", "/api/v1/fail/conflict", headers: ["X-Request-Id": "r1"])
        }
        output.flush()
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let line = try #require(text.split(separator: "\n").first { $0.contains("\"request\"") })
        let read = try JSON(parsing: Array(line.utf8))
        #expect(read["route"] == "/api/v1/fail/{kind}" && read["status"] == 409 && read["id"] == "r1")
        #expect(read["code"] == "for-test" && read["method"] == "GET")
    }

    @Test func requestsAreCountedByRouteAndStatus() async throws {
        let route = Endpoint(
            .get, "/api/v1/counted/{number}", "For the test", access: .anyone,
            pathParameters: [.init("number", .integer(1...9), "Any")],
            outcomes: [.init(204, "Nothing")]
        ) { _ in .noContent }
        try await withServer(endpoints: [route]) { server in
            for number in [1, 2, 77] { _ = try await server.send("GET", "/api/v1/counted/\(number)") }
        }
        let page = Registry.shared.page
        let labels = "method=\"GET\",route=\"/api/v1/counted/{number}\""
        #expect(page.contains("taoyuan_http_requests_total{\(labels),status=\"204\"} 2\n"))
        #expect(page.contains("taoyuan_http_requests_total{\(labels),status=\"404\"} 1\n"))
        #expect(page.contains("taoyuan_http_request_seconds_count{\(labels)} 3\n"))
        #expect(!page.contains("/api/v1/counted/1"))
    }
}

extension SiteTests {
    @Suite struct Seen {
        @Test func whatIsMeasuredIsForThisMachineAlone() async throws {
            let village = try Served.village
            _ = try await village.get("/api/v1/codes/\(village.payload)")
            let page = try await village.send("GET", "/metrics")
            #expect(page.status == 200 && page.headers["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            for line in [
                "taoyuan_verifications_total{answer=\"genuine\"} ", "taoyuan_recorded_total{kind=\"batch.register\"} ",
                "taoyuan_pool_connections{pool=\"service\",state=\"in use\"} ",
                "taoyuan_bookings{state=\"confirmed\"} ",
                "taoyuan_outbox_waiting ", "process_resident_memory_bytes ",
                "taoyuan_gathered_bucket{of=\"codes\",le=\"1\"} ",
            ] {
                #expect(page.text.contains("\n" + line), "\(line)")
            }
            for name in ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"] {
                let reply = try await village.send("GET", "/metrics", headers: [name: "192.0.2.1"])
                #expect(reply.status == 404, "\(name)")
            }
        }
    }
}
