import Foundation
import HTTPTypes
import Hummingbird
import Kernel
import NIOCore
import Synchronization
import Testing

import func TestSupport.awaitCondition

@testable import Web

/// What one caller can do to a server, and what the others notice of it.
@Suite struct HTTPBoundsTests {
    private let get = "GET /api/v1/sales/7 HTTP/1.1\r\nHost: a\r\n\r\n"
    private let again = "GET /api/v1/sales/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    private let sale = "{\"number\":7}"

    /// An endpoint that answers when it is let go.
    private final class Gate: Sendable {
        private let arrivals = AsyncStream<Void>.makeStream()
        private let permissions = AsyncStream<Void>.makeStream()

        var endpoint: Endpoint {
            Endpoint(.get, "/held", "Answers when it may", access: .anyone) { [self] _ in
                arrivals.continuation.yield()
                for await _ in permissions.stream { break }
                return .json(["done": true])
            }
        }

        func isEntered() async { for await _ in arrivals.stream { break } }
        func open() { permissions.continuation.yield() }
    }

    private let held = "GET /held HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test(arguments: [(3, 0), (100, 3)])
    func `a new connection takes the place of the one that has been idle longest`(all: Int, each: Int) async throws {
        try await withServer({ ($0.connections, $0.connectionsPerClient) = (all, each) }) { server in
            var sockets: [SocketClient] = []
            for _ in 0..<3 {
                let socket = try SocketClient(port: server.port)
                await socket.write(get)
                #expect(await socket.read(until: sale).contains("HTTP/1.1 200 "))
                sockets.append(socket)
            }
            // The first has been used again since.
            await sockets[0].write(get)
            #expect(await sockets[0].read(until: sale).contains("HTTP/1.1 200 "))
            let late = try SocketClient(port: server.port)
            await late.write(get)
            #expect(await late.read(until: sale).contains("HTTP/1.1 200 "))
            #expect(await sockets[1].read(until: "never").isEmpty)
            for place in [0, 2] {
                await sockets[place].write(get)
                #expect(await sockets[place].read(until: sale).contains("HTTP/1.1 200 "))
            }
        }
    }

    @Test func `a request that is only coming makes room for a new connection`() async throws {
        try await withServer({ $0.connections = 1 }) { server in
            let slow = try SocketClient(port: server.port)
            await slow.write(
                "POST /api/v1/echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\n"
                    + "Content-Length: 9\r\n\r\n")
            #expect(await slow.read(until: "\r\n\r\n").contains("100 Continue"))
            let late = try SocketClient(port: server.port)
            await late.write(get)
            #expect(await late.read(until: sale).contains("HTTP/1.1 200 "))
            #expect(await slow.read(until: "never").contains("HTTP/1.1 503 "))
        }
    }

    @Test func `a request that goes on coming is not pushed out by who sends nothing`() async throws {
        try await withServer({ $0.connections = 3 }) { server in
            let upload = try SocketClient(port: server.port)
            await upload.write(
                "POST /api/v1/echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n")
            var idle: [SocketClient] = []
            for _ in 0..<5 {
                for _ in 0..<2 {
                    let late = try SocketClient(port: server.port)
                    await late.write(get)
                    #expect(await late.read(until: sale).contains("HTTP/1.1 200 "))
                    idle.append(late)
                }
                await upload.write("x")
                // The server is to see the one before the next.
                try await Task.sleep(for: .milliseconds(300))
            }
            #expect(await upload.read(until: "size").hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test(arguments: [(2, 0), (100, 2)])
    func `where every connection is at work a new one is refused`(all: Int, each: Int) async throws {
        let gate = Gate()
        try await withServer(
            { ($0.connections, $0.connectionsPerClient) = (all, each) }, endpoints: sampleEndpoints + [gate.endpoint]
        ) { server in
            let busy = [try SocketClient(port: server.port), try SocketClient(port: server.port)]
            for socket in busy {
                await socket.write(held)
                await gate.isEntered()
            }
            let refused = await (try SocketClient(port: server.port)).read(until: "never")
            #expect(refused.hasPrefix("HTTP/1.1 503 ") && refused.contains("Retry-After: "))
            #expect(refused.contains("too-many-connections") && refused.contains("Connection: close"))
            for _ in busy { gate.open() }
            for socket in busy { #expect(await socket.read(until: "done").contains("HTTP/1.1 200 ")) }
            let late = try SocketClient(port: server.port)
            await late.write(get)
            #expect(await late.read(until: sale).contains("HTTP/1.1 200 "))
        }
    }

    @Test func `a proxy of ours may have more connections than one client`() async throws {
        let gate = Gate()
        try await withServer(
            {
                $0.connectionsPerClient = 1
                $0.proxies = TrustedProxies(
                    field: "X-Forwarded-For", networks: [IPNetwork("127.0.0.1")].compactMap(\.self))
            }, endpoints: sampleEndpoints + [gate.endpoint]
        ) { server in
            let busy = try SocketClient(port: server.port)
            await busy.write(held)
            await gate.isEntered()
            #expect(try await server.send("GET", "/api/v1/sales/7").status == 200)
            gate.open()
            #expect(await busy.read(until: "done").contains("HTTP/1.1 200 "))
        }
    }

    @Test func `a head that comes too slowly is not waited for`() async throws {
        try await withServer({ $0.patience.head = .milliseconds(300) }) { server in
            let socket = try SocketClient(port: server.port)
            await socket.write("GET /api/v1/sales/7 HTTP/1.1\r\nHost: ")
            #expect(await socket.read(until: "never").isEmpty)
            #expect(!socket.hasTimedOut)
        }
    }

    @Test func `a body that comes too slowly is not waited for`() async throws {
        try await withServer({ $0.patience.stall = .milliseconds(300) }) { server in
            let socket = try SocketClient(port: server.port)
            await socket.write(
                "POST /api/v1/echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\nab")
            let reply = await socket.read(until: "never")
            #expect(reply.hasPrefix("HTTP/1.1 408 ") && reply.contains("body-too-slow"))
            #expect(!socket.hasTimedOut)
        }
    }

    @Test func `large bodies together take no more than their room`() async throws {
        let (arrivals, arrived) = AsyncStream<Void>.makeStream()
        let (permissions, permitted) = AsyncStream<Void>.makeStream()
        let upload = Endpoint(
            .post, "/upload", "Keeps what is large", access: .anyone, body: .bytes(["text/plain"], limit: 20 << 20)
        ) { call in
            if call.bytes.readableBytes > 1000 {
                arrived.yield()
                for await _ in permissions { break }
            }
            return .json(["done": true])
        }
        try await withServer({ $0.bodiesLimit = 3 << 20 }, endpoints: [upload]) { server in
            let send = { @Sendable (size: Int) in
                try await server.send(
                    "POST", "/upload", headers: ["Content-Type": "text/plain"], body: Data(count: size)
                ).status
            }
            async let first = send(2 << 20)
            for await _ in arrivals { break }
            let second = try SocketClient(port: server.port)
            await second.write(
                "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 2097152\r\n\r\n")
            await second.write([UInt8](repeating: 0x20, count: 2 << 20))
            let refused = await second.read(until: "never")
            #expect(refused.hasPrefix("HTTP/1.1 503 ") && refused.contains("Retry-After: "))
            #expect(try await send(1000) == 200, "what is small has room")
            permitted.yield()
            #expect(try await first == 200)
            permitted.yield()
            #expect(try await send(2 << 20) == 200)
        }
    }

    @Test func `a client that does not read its answer is left`() async throws {
        let (endings, ended) = AsyncStream<Bool>.makeStream()
        let large = Endpoint(.get, "/large", "Much", access: .anyone) { _ in
            Answer(
                body: .stream(
                    ResponseBody { writer in
                        do {
                            for _ in 0..<64 { try await writer.write(ByteBuffer(repeating: 0x61, count: 1 << 20)) }
                            ended.yield(false)
                            try await writer.finish(nil)
                        } catch {
                            ended.yield(true)
                            throw error
                        }
                    }))
        }
        try await withServer({ $0.patience.stall = .milliseconds(300) }, endpoints: [large]) { server in
            let socket = try SocketClient(port: server.port)
            await socket.write("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            for await wasLeft in endings {
                #expect(wasLeft)
                break
            }
            #expect(await socket.count() < 64 << 20)
        }
    }

    /// More than the system takes for a client that does not read.
    private static let megabytes = Endpoint(.get, "/megabytes", "Much", access: .anyone) { _ in
        .bytes([UInt8](repeating: 0x61, count: 8 << 20), "text/plain")
    }

    @Test(arguments: [(2, 0, ""), (100, 2, ""), (2, 0, "Connection: close\r\n")])
    func `who does not read makes room for a new connection`(all: Int, each: Int, fields: String) async throws {
        try await withServer(
            { ($0.connections, $0.connectionsPerClient) = (all, each) }, endpoints: sampleEndpoints + [Self.megabytes]
        ) { server in
            let greedy = [try SocketClient(port: server.port), try SocketClient(port: server.port)]
            for socket in greedy {
                // The second request waits for the first answer to be taken.
                await socket.write(
                    "GET /megabytes HTTP/1.1\r\nHost: a\r\n\r\nGET /megabytes HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
                #expect(await socket.read(until: "aaaa").hasPrefix("HTTP/1.1 200 "))
            }
            for _ in 0..<2 {
                let late = try SocketClient(port: server.port)
                await late.write(get)
                #expect(await late.read(until: sale).contains("HTTP/1.1 200 "))
            }
            #expect(await greedy[0].count() < 16 << 20)
        }
    }

    @Test func `no request begins before the answers before it have been taken`() async throws {
        let begun = Atomic(0)
        let counted = Endpoint(.get, "/counted", "Much", access: .anyone) { _ in
            begun.add(1, ordering: .relaxed)
            return .bytes([UInt8](repeating: 0x61, count: 8 << 20), "text/plain")
        }
        try await withServer(endpoints: sampleEndpoints + [counted]) { server in
            let socket = try SocketClient(port: server.port, seconds: 60)
            let request = "GET /counted HTTP/1.1\r\nHost: a\r\n\r\n"
            await socket.write(String(repeating: request, count: 4) + again)
            #expect(await socket.read(until: "aaaa").hasPrefix("HTTP/1.1 200 "))
            // As long as others are answered, nothing else is begun for it.
            for _ in 0..<50 { #expect(try await server.send("GET", "/api/v1/sales/7").status == 200) }
            // One that is begun before the answer to the one before it is written can't know that nobody takes that.
            #expect(begun.load(ordering: .relaxed) <= 2)
            #expect(await socket.count() > 31 << 20)
            #expect(begun.load(ordering: .relaxed) == 4)
        }
    }

    @Test func `a connection ends with the last of the requests that may be sent ahead`() async throws {
        try await withServer { server in
            let socket = try SocketClient(port: server.port)
            let slow = "GET /api/v1/slow HTTP/1.1\r\nHost: a\r\n\r\n"
            await socket.write(slow + String(repeating: get, count: 100))
            let replies = await socket.read(until: "never")
            #expect(replies.split(separator: "HTTP/1.1 200 ").count == 64)
            #expect(replies.split(separator: "Connection: close").count == 2)
        }
    }

    @Test func `whoever has said all gets all of a large answer`() async throws {
        let size = 16 << 20
        let large = Endpoint(.get, "/large", "Much", access: .anyone) { _ in
            .bytes([UInt8](repeating: 0x61, count: size), "text/plain")
        }
        for fields in ["", "Connection: close\r\n"] {
            try await withServer(endpoints: [large]) { server in
                let socket = try SocketClient(port: server.port)
                await socket.write("GET /large HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
                socket.finishWriting()
                #expect(await socket.count() > size)
            }
        }
    }

    @Test func `whoever wants no more than one answer need not wait for the end`() async throws {
        try await withServer({ $0.patience.farewell = .minutes(10) }) { server in
            let socket = try SocketClient(port: server.port)
            await socket.write("GET /api/v1/sales/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(await socket.read(until: "never").contains(sale) && !socket.hasTimedOut)
        }
    }

    @Test(arguments: [
        ("POST /api/v1/sales HTTP/1.1\r\nContent-Type: application/json\r\n", 401),
        ("POST /api/v1/sales HTTP/1.1\r\nAuthorization: Bearer clerk\r\nContent-Type: application/json\r\n", 413),
        ("POST /api/v1/sales/7 HTTP/1.1\r\n", 405), ("POST /nowhere HTTP/1.1\r\n", 404),
        ("POST /api/v1/echo HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n", 415),
    ])
    func `an answer that needs no body does not wait for it, and ends the connection`(head: String, status: Int)
        async throws
    {
        try await withServer({ $0.patience.farewell = .milliseconds(300) }) { server in
            for close in ["", "Connection: close\r\n"] {
                let socket = try SocketClient(port: server.port)
                await socket.write(head + "Host: a\r\n\(close)Content-Length: 67108864\r\n\r\n")
                // It stops where the server does: the rest is never taken.
                let sent = await socket.write([UInt8](repeating: 0x20, count: 67_108_864))
                let reply = await socket.read(until: "never")
                #expect(reply.hasPrefix("HTTP/1.1 \(status) ") && reply.contains("Connection: close"))
                #expect(sent < 67_108_864 && !socket.hasTimedOut)
            }
        }
    }

    @Test func `an endpoint that takes too long is cancelled and said to be busy`() async throws {
        let (endings, ended) = AsyncStream<Bool>.makeStream()
        let endless = Endpoint(.get, "/endless", "Never answers", access: .anyone) { _ in
            do {
                try await Task.sleep(for: .seconds(600))
            } catch {
                ended.yield(error is CancellationError)
                throw error
            }
            return .noContent
        }
        let long = Endpoint(.get, "/long", "May take long", access: .anyone, patience: .minutes(10)) { _ in
            try await Task.sleep(for: .seconds(2))
            return .json(["done": true])
        }
        try await withServer({ $0.patience.answer = .milliseconds(1500) }, endpoints: [endless, long]) { server in
            let reply = try await server.send("GET", "/endless", headers: ["X-Request-Id": "proxy-1"])
            #expect(reply.status == 503 && reply.headers["retry-after"] != nil)
            #expect(reply.headers["x-request-id"] == "proxy-1")
            #expect(try reply.problem()["type"] == "urn:taoyuan:problem:took-too-long")
            for await wasCancelled in endings {
                #expect(wasCancelled)
                break
            }
            #expect(try await server.send("GET", "/long").status == 200)
            // On the same connection the next request has the usual time again.
            let socket = try SocketClient(port: server.port)
            await socket.write("GET /long HTTP/1.1\r\nHost: a\r\n\r\nGET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            let replies = await socket.read(until: "took-too-long")
            #expect(replies.contains("HTTP/1.1 200 ") && replies.contains("HTTP/1.1 503 "))
        }
    }

    @Test func `work ends with the client for whom it is done`() async throws {
        let (arrivals, arrived) = AsyncStream<Void>.makeStream()
        let (endings, ended) = AsyncStream<Void>.makeStream()
        let endless = Endpoint(.get, "/endless", "Never answers", access: .anyone) { _ in
            arrived.yield()
            defer { ended.yield() }
            try await Task.sleep(for: .seconds(600))
            return .noContent
        }
        try await withServer({ $0.patience.orphan = .milliseconds(50) }, endpoints: [endless]) { server in
            var socket: SocketClient? = try SocketClient(port: server.port)
            await socket?.write("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            for await _ in arrivals { break }
            socket?.breakOff()
            socket = nil
            for await _ in endings { break }
        }
    }
}

/// Heads that other servers understand otherwise, or that ask for something.
@Suite struct HTTPHeadTests {
    @Test(arguments: [
        ("GET /api/v1/sales/7 HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("POST /api/v1/echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("GET //api//v1//sales//7 HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        ("GET /api/v1//sales/7 HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        ("GET /api/v1/sales/7?x=//&lang=en HTTP/1.1\r\nHost: a\r\n\r\n", 422),
        ("GET /page/a?x=// HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        (
            "POST /api/v1/echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
                + "1\r\nx\r\n0\r\n\r\n", 400
        ),
        (
            "POST /api/v1/echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n"
                + "Content-Length: 1\r\n\r\nx", 415
        ),
        (
            "POST /api/v1/echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Encoding: identity\r\n"
                + "Content-Length: 1\r\n\r\nx", 200
        ),
    ])
    func `a head means one thing`(text: String, status: Int) async throws {
        try await withServer { server in
            let socket = try SocketClient(port: server.port)
            await socket.write(text)
            #expect(await socket.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 \(status) "))
        }
    }

    @Test func `nothing of a request that means two things reaches an endpoint, nor what follows it`() async throws {
        let calls = Atomic(0)
        let counted = Endpoint(.get, "/counted", "Counts", access: .anyone) { _ in
            calls.add(1, ordering: .relaxed)
            return .json(["done": true])
        }
        try await withServer(endpoints: [counted]) { server in
            let socket = try SocketClient(port: server.port)
            let good = "GET /counted HTTP/1.1\r\nHost: a\r\n\r\n"
            await socket.write(good + "GET /counted HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + good)
            let replies = await socket.read(until: "never")
            #expect(replies.hasPrefix("HTTP/1.1 200 ") && replies.contains("Connection: close"))
            #expect(calls.load(ordering: .relaxed) == 1)
        }
    }

    @Test func `whoever waits to be asked for the body is asked once it is wanted`() async throws {
        try await withServer({ $0.patience.farewell = .milliseconds(300) }) { server in
            let socket = try SocketClient(port: server.port)
            await socket.write(
                "POST /api/v1/echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\n"
                    + "Content-Length: 3\r\n\r\n")
            #expect(await socket.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            await socket.write("abc")
            #expect(await socket.read(until: "\"size\":3").hasPrefix("HTTP/1.1 200 "))
            let stranger = try SocketClient(port: server.port)
            await stranger.write(
                "POST /api/v1/sales HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                    + "Content-Length: 3\r\n\r\n")
            #expect(await stranger.read(until: "never").hasPrefix("HTTP/1.1 401 "))
        }
    }

    @Test func `a client of HTTP 1.0 gets one answer`() async throws {
        try await withServer { server in
            let socket = try SocketClient(port: server.port)
            await socket.write("GET /api/v1/sales/7 HTTP/1.0\r\n\r\n")
            let reply = await socket.read(until: "never")
            #expect(reply.contains("Connection: close") && reply.contains("{\"number\":7}") && !socket.hasTimedOut)
        }
    }
}
