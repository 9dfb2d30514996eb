import Foundation
import Kernel
import Testing

import func TestSupport.awaitCondition

@testable import Web

@Suite struct HTTPConnectionTests {
    private let again = "GET /api/v1/sales/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    private func post(_ path: String, _ headers: String) -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer clerk\r\nContent-Type: application/json\r\n\(headers)\r\n"
    }

    @Test func `ten megabytes in chunks are too many`() async throws {
        try await withServer({ $0.patience.farewell = .milliseconds(300) }) { server in
            let socket = try SocketClient(port: server.port)
            await socket.write(post("/api/v1/sales", "Transfer-Encoding: chunked\r\n"))
            let chunk = Array("10000\r\n".utf8) + [UInt8](repeating: 0x20, count: 65_536) + Array("\r\n".utf8)
            for _ in 0..<160 { await socket.write(chunk) }
            await socket.write("0\r\n\r\n")
            #expect(await socket.read(until: "never").contains("HTTP/1.1 413 "))
        }
    }

    @Test func tenMegabytesWhereTheyAreWelcome() async throws {
        try await withServer { server in
            let body = Data(count: 10_485_760)
            let reply = try await server.send(
                "POST", "/api/v1/echo", headers: ["Content-Type": "text/plain"], body: body)
            #expect(try reply.json["size"] == 10_485_760)
        }
    }

    @Test func aBodyThatEndsEarlyIsNotTaken() async throws {
        try await withServer { server in
            let socket = try SocketClient(port: server.port)
            await socket.write(
                "POST /api/v1/echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nabc")
            socket.finishWriting()
            let reply = await socket.read(until: "never")
            #expect(reply.isEmpty || reply.hasPrefix("HTTP/1.1 400 "))
        }
    }

    @Test(arguments: [
        "GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /api/v1/sales/7 HTTP/1.1\r\nHost a\r\n\r\n",
        "POST /api/v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        "POST /api/v1/echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
    func malformedHTTP(text: String) async throws {
        try await withServer { server in
            let socket = try SocketClient(port: server.port)
            await socket.write(text)
            let reply = await socket.read(until: "\r\n\r\n")
            #expect(reply.hasPrefix("HTTP/1.1 400 "))
            #expect(try await server.send("GET", "/api/v1/sales/7").status == 200)
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await withServer { server in
            let socket = try SocketClient(port: server.port)
            await socket.write("GET /api/v1/slow HTTP/1.1\r\nHost: a\r\n\r\n" + again)
            let replies = await socket.read(until: "never")
            let slow = try #require(replies.range(of: "done"))
            let fast = try #require(replies.range(of: "number"))
            #expect(slow.lowerBound < fast.lowerBound)
        }
    }

    @Test func idleConnectionsAreClosed() async throws {
        try await withServer({ $0.patience.idle = .seconds(1) }) { server in
            let socket = try SocketClient(port: server.port, seconds: 120)
            await socket.write("GET /api/v1/sales/7 HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await socket.read(until: "{\"number\":7}").contains("HTTP/1.1 200 "))
            let start = ContinuousClock.now
            #expect(await socket.read(until: "never").isEmpty)
            // The default is a minute.
            #expect(start.duration(to: .now) < .seconds(50))
        }
    }

    @Test func shutdownFinishesWhatRuns() async throws {
        let (arrivals, arrived) = AsyncStream<Void>.makeStream()
        let (permissions, permitted) = AsyncStream<Void>.makeStream()
        let held = Endpoint(.get, "/held", "Answers when it may", access: .anyone) { _ in
            arrived.yield()
            for await _ in permissions { break }
            return .json(["done": true])
        }
        try await withServer({ $0.shutdownSeconds = 120 }, endpoints: [held]) { server in
            let idle = try SocketClient(port: server.port)
            async let running = server.send("GET", "/held")
            for await _ in arrivals { break }
            await server.group.triggerGracefulShutdown()
            try await awaitCondition("the end of new connections") { SocketClient.isRefused(port: server.port) }
            permitted.yield()
            #expect(try await running.json == ["done": true])
            let start = ContinuousClock.now
            try await server.running.value
            // The idle connection is not waited for: it would hold the end up for a minute.
            #expect(start.duration(to: .now) < .seconds(50))
            #expect(await idle.read(until: "never").isEmpty)
        }
    }

    @Test func shutdownHasADeadline() async throws {
        let (arrivals, arrived) = AsyncStream<Void>.makeStream()
        let endless = Endpoint(.get, "/endless", "Never answers", access: .anyone) { _ in
            arrived.yield()
            try await Task.sleep(for: .seconds(600))
            return .noContent
        }
        try await withServer({ $0.shutdownSeconds = 1 }, endpoints: [endless]) { server in
            let socket = try SocketClient(port: server.port)
            await socket.write("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            for await _ in arrivals { break }
            let start = ContinuousClock.now
            await server.group.triggerGracefulShutdown()
            _ = await server.running.result
            #expect(start.duration(to: .now) < .seconds(300))
        }
    }

    @Test(arguments: ["192.0.2.1", "no-such-host.invalid"])
    func addressNotHere(host: String) async throws {
        let refusal = await #expect(throws: Refusal.self) { try await withServer({ $0.host = host }) { _ in } }
        #expect(refusal?.code == "address-not-here")
    }

    @Test func portInUse() async throws {
        try await withServer { server in
            let refusal = await #expect(throws: Refusal.self) {
                try await withServer({ $0.port = server.port }) { _ in }
            }
            #expect(refusal?.code == "port-in-use")
            #expect(refusal?.kind == .unavailable)
            #expect(refusal?.message.zh.contains(String(server.port)) == true)
        }
    }
}
