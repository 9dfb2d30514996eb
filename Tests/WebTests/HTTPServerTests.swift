import Documents
import Foundation
import Kernel
import Logging
import Synchronization
import Testing

@testable import Web

@Suite struct HTTPServerTests {
    @Test func acceptsASale() async throws {
        try await withServer { server in
            let reply = try await server.post(
                "/api/v1/sales", HTTPJSONTests.good.bytes, type: "Application/JSON; charset=utf-8")
            #expect(reply.status == 201)
            #expect(try reply.json == ["buyer": "津小韩", "grams": 500])
            #expect(reply.headers["location"] == "/api/v1/sales/1")
            #expect(reply.headers["cache-control"] == "no-store")
            #expect(reply.headers["x-content-type-options"] == "nosniff")
            #expect(reply.headers["referrer-policy"] == "no-referrer")
            #expect(reply.headers["content-language"] == "en")
            #expect(reply.headers["vary"] == "Accept-Language")
        }
    }

    @Test func badJSON() async throws {
        let bad: [[UInt8]] = [
            [], Array("{".utf8), Array("{\"buyer\":\"".utf8) + [0xFF, 0x22, 0x7D], Array("{\"a\":1,\"a\":1}".utf8),
            Array("[1e400]".utf8), Array("99999999999999999999".utf8),
            [UInt8](repeating: UInt8(ascii: "["), count: 10_000),
            Array("\"\\ud800\"".utf8), Array("{} {}".utf8),
        ]
        try await withServer { server in
            for bytes in bad {
                let reply = try await server.post("/api/v1/sales", bytes)
                #expect(reply.status == 400)
                #expect(try reply.problem()["type"] == "urn:taoyuan:problem:malformed-json")
            }
            let reply = try await server.post("/api/v1/sales", HTTPJSONTests.good("extra", 1).bytes)
            #expect(reply.status == 422)
            #expect(try reply.problem()["field"] == "extra")
            for type in ["text/plain", "application/jsonx", ""] {
                let reply = try await server.post("/api/v1/sales", HTTPJSONTests.good.bytes, type: type)
                #expect(reply.status == 415)
                #expect(try reply.problem()["type"] == "urn:taoyuan:problem:unsupported-media-type")
            }
        }
    }

    @Test(arguments: [
        ("invalid", 422), ("notFound", 404), ("conflict", 409), ("unauthenticated", 401), ("forbidden", 403),
        ("tooMany", 429),
        ("unavailable", 503),
    ]) func refusals(kind: String, status: Int) async throws {
        try await withServer { server in
            let reply = try await server.send("GET", "/api/v1/fail/\(kind)")
            #expect(reply.status == status)
            let problem = try reply.problem()
            #expect(problem["type"] == "urn:taoyuan:problem:for-test")
            #expect(problem["detail"] == "a test")
            #expect(problem["field"] == "place")
            #expect(problem["row"] == 3)
            #expect((reply.headers["retry-after"] != nil) == [429, 503].contains(status))
            #expect((reply.headers["www-authenticate"] == "Bearer") == (status == 401))
            let chinese = try await server.send("GET", "/api/v1/fail/\(kind)?lang=zh")
            #expect(try chinese.problem()["detail"] == "测试")
            #expect(chinese.headers["content-language"] == "zh-CN")
        }
    }

    @Test func faultsAreLoggedAndSaidToNobody() async throws {
        let log = MemoryLog()
        try await withServer(logger: Logger(label: "test") { _ in log }) { server in
            let reply = try await server.send("GET", "/api/v1/fail/other?lang=en", headers: ["X-Secret": "hunter2"])
            #expect(reply.status == 500)
            #expect(try reply.problem()["detail"].orNil == nil)
            #expect(String(decoding: reply.body, as: UTF8.self).contains("secret") == false)
            for path in ["/wp-login.php", "/api/v1/fail/notFound", "/.env", "/page/lost"] {
                #expect(try await server.send("GET", path).status == 404)
            }
        }
        let errors = log.errors
        #expect(errors.count == 1)
        #expect(errors.first?.contains("Unforeseen: the secret cause") == true)
        #expect(errors.first?.contains("/api/v1/fail/{kind}") == true)
        #expect(errors.first?.contains("hunter2") == false)
    }

    @Test func methodsAndUnknownPaths() async throws {
        try await withServer { server in
            let wrong = try await server.send("DELETE", "/api/v1/sales/7")
            #expect(wrong.status == 405)
            #expect(wrong.headers["allow"] == "GET, HEAD, OPTIONS, PUT")
            #expect(try wrong.problem()["type"] == "urn:taoyuan:problem:method-not-allowed")
            let options = try await server.send("OPTIONS", "/api/v1/sales/7")
            #expect(options.status == 204 && options.headers["allow"] == "GET, HEAD, OPTIONS, PUT")
            let head = try await server.send("HEAD", "/api/v1/sales/7")
            #expect(head.status == 200 && head.body.isEmpty && head.headers["content-length"] == "12")
            #expect(try await server.send("HEAD", "/nowhere").status == 404)
            #expect(try await server.send("PROPFIND", "/api/v1/sales").status == 501)
            for path in [
                "/nowhere", "/api/v1/sales/abc", "/api/v1/sales/1000", "/api/v1/sales/%ff", "/api/v1/fail/%00",
            ] {
                let reply = try await server.send("GET", path)
                #expect(reply.status == 404)
                #expect(try reply.problem()["type"] == "urn:taoyuan:problem:no-such-page")
            }
        }
    }

    @Test func access() async throws {
        try await withServer { server in
            let body = Data(HTTPJSONTests.good.bytes)
            for (authorization, status) in [
                ("", 401), ("Basic Y2xlcms=", 401), ("Bearer x", 401), ("Bearer committee", 403), ("bearer clerk", 201),
            ] {
                let headers = ["Content-Type": "application/json", "Authorization": authorization]
                let reply = try await server.send("POST", "/api/v1/sales", headers: headers, body: body)
                #expect(reply.status == status)
                if status != 201 { _ = try reply.problem() }
            }
        }
    }

    @Test func pagesAndLanguages() async throws {
        try await withServer { server in
            let page = try await server.send(
                "GET", "/page/%E6%A1%83?from=singlemessage&lang=zh", headers: ["Accept": "text/html"])
            #expect(String(decoding: page.body, as: UTF8.self) == "<p>桃 chinese</p>")
            #expect(page.headers["content-security-policy"]?.contains("style-src 'self'") == true)
            #expect(page.headers["cache-control"] == nil)
            let lost = try await server.send("GET", "/page/lost?lang=zh", headers: ["Accept": "text/html,*/*"])
            #expect(lost.status == 404)
            #expect(lost.headers["content-type"] == "text/html; charset=utf-8")
            #expect(String(decoding: lost.body, as: UTF8.self).contains("没有&lt;它&gt;"))
            let absent = try await server.send("GET", "/wp-login.php", headers: ["Accept": "text/html"])
            #expect(absent.headers["content-type"] == "text/html; charset=utf-8")
            let api = try await server.send("GET", "/api/nowhere", headers: ["Accept": "text/html"])
            #expect(api.headers["content-type"] == "application/problem+json")
            let unspecific = try await server.send("GET", "/page/x", headers: ["Accept-Language": "fr"])
            #expect(unspecific.headers["content-language"] == "zh-CN")
        }
    }

    @Test func listsAndTags() async throws {
        try await withServer { server in
            let headers = ["Authorization": "Bearer clerk"]
            var seen: [JSON] = []
            var target = "/api/v1/sales?limit=4"
            for _ in 0..<3 {
                let page = try await server.send("GET", target, headers: headers).json
                seen += try page["items"].array
                guard let next = try page["next"].orNil?.string else { break }
                target = "/api/v1/sales?limit=4&cursor=\(next)"
            }
            #expect(seen == (0..<10).map { JSON($0) })
            for query in ["limit=0", "limit=501", "limit=x", "cursor=%2A", "limit=1&limit=2", "produt=3", "a=%ff"] {
                let reply = try await server.send("GET", "/api/v1/sales?\(query)", headers: headers)
                #expect(reply.status == (query == "a=%ff" ? 400 : 422))
                _ = try reply.problem()
            }
            let first = try await server.send("GET", "/api/v1/sales/7")
            let tag = try #require(first.headers["etag"])
            let socket = try SocketClient(port: server.port)
            await socket.write(
                "GET /api/v1/sales/7 HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\", W/\(tag)\r\nConnection: close\r\n\r\n"
            )
            let again = await socket.read(until: "never")
            #expect(again.hasPrefix("HTTP/1.1 304 ") && again.contains(tag) && again.hasSuffix("\r\n\r\n"))
            for (match, status) in [("\"v7\"", 204), ("\"v6\"", 412), ("*", 204)] {
                #expect(try await server.send("PUT", "/api/v1/sales/7", headers: ["If-Match": match]).status == status)
            }
        }
    }

    @Test func idempotencyKeys() async throws {
        try await withServer { server in
            for (key, status) in [("abc-1", 200), ("with space", 422), (String(repeating: "k", count: 201), 422)] {
                let headers = ["Content-Type": "text/plain", "Idempotency-Key": key]
                let reply = try await server.send("POST", "/api/v1/echo", headers: headers, body: Data("x".utf8))
                #expect(reply.status == status)
                if status == 200 { #expect(try reply.json["key"] == .string(key)) }
            }
        }
    }

    @Test func rateLimit() async throws {
        try await withServer({ $0.requestsPerMinute = 3 }) { server in
            for _ in 0..<3 { #expect(try await server.send("GET", "/page/a").status == 200) }
            let reply = try await server.send("GET", "/api/v1/sales/1")
            #expect(reply.status == 429)
            #expect(try reply.problem()["type"] == "urn:taoyuan:problem:too-many-requests")
            #expect(Int(reply.headers["retry-after"] ?? "").map { (1...20).contains($0) } == true)
        }
        let proxies = TrustedProxies(field: "X-Forwarded-For", networks: [IPNetwork("127.0.0.0/8")].compactMap(\.self))
        try await withServer({ ($0.requestsPerMinute, $0.proxies) = (1, proxies) }) { server in
            for (address, status) in [("192.0.2.1", 200), ("192.0.2.2", 200), ("2001:db8::1", 200), ("192.0.2.1", 429)]
            {
                let headers = ["X-Forwarded-For": "9.9.9.9, \(address)"]
                let reply = try await server.send("GET", "/page/a", headers: headers)
                #expect(reply.status == status)
            }
        }
    }
}

/// Keeps what is logged at error level.
final class MemoryLog: LogHandler, Sendable {
    private let lines = Mutex<[String]>([])

    var errors: [String] { lines.withLock { $0 } }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }

    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        guard event.level >= .error else { return }
        lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
    }
}
