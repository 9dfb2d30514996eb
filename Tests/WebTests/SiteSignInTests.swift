import Access
import Documents
import Foundation
import Kernel
import Testing

@testable import Web

/// Signing in and out, in villages of their own: the limits are by address, and all tests have one.
@Suite struct SiteSignInTests {
    private static let password = "correct horse battery staple"

    private func signIn(
        _ village: ServedVillage, _ username: String, _ password: String = password, from address: String = "192.0.2.1"
    ) async throws -> TestServer.Reply {
        try await village.send(
            "POST", "/api/v1/session", ["username": .string(username), "password": .string(password)],
            headers: ["X-Forwarded-For": address])
    }

    private func withProxiedVillage(_ body: (ServedVillage) async throws -> Void) async throws {
        try await withVillage(
            environment: ["TAOYUAN_TRUSTED_PROXY_HEADER": "X-Forwarded-For"], background: false, body)
    }

    @Test func sixtyGuessesFromSixtyAddresses() async throws {
        try await withProxiedVillage { village in
            let name = try await village.account()
            #expect(try await signIn(village, name, from: "198.51.100.7").status == 201)
            var statuses: [Int: Int] = [:]
            for address in 1...60 {
                let reply = try await signIn(village, name, "wrong one \(address)", from: "192.0.2.\(address)")
                statuses[reply.status, default: 0] += 1
                guard reply.status == 429 else { continue }
                let wait = try #require(reply.headers["retry-after"].flatMap { Int($0) })
                #expect((1...900).contains(wait))
                #expect(try reply.problem()["type"] == "urn:taoyuan:problem:too-many-guesses")
            }
            #expect(statuses == [401: 10, 429: 50])
            #expect(try await signIn(village, name, from: "198.51.100.7").status == 201, "its owner is no stranger")
            let told = try await village.count(
                "SELECT count(*) AS count FROM event WHERE kind = 'session.guess' AND subject = \(name)")
            #expect(told == 4, "the first, second, fourth and eighth")
        }
    }

    @Test func oneAddressGuessesFiveTimes() async throws {
        try await withProxiedVillage { village in
            let name = try await village.account()
            let statuses = try await withThrowingTaskGroup { group in
                for _ in 0..<9 { group.addTask { try await signIn(village, name, "a wrong one").status } }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [401: 5, 429: 4])
            #expect(try await signIn(village, name).status == 429, "whoever guesses waits, right or wrong")
            #expect(try await signIn(village, name, from: "192.0.2.9").status == 201)
        }
    }

    /// The present password is asked for with the same patience: a token that was found on a desk opens no account.
    @Test func onesOwnPassword() async throws {
        try await withProxiedVillage { village in
            let name = try await village.account()
            let (here, there) = (try await village.session(of: name), try await village.session(of: name))
            func change(_ present: String, _ password: String) async throws -> TestServer.Reply {
                try await village.send(
                    "PUT", "/api/v1/me/password", as: here,
                    ["present": .string(present), "password": .string(password)])
            }
            let weak = try await change(Self.password, "1234567890")
            #expect(weak.status == 422)
            #expect(try weak.problem()["type"] == "urn:taoyuan:problem:common-password")
            #expect(try await change(Self.password, "\(name) 2025").status == 422)
            #expect(try await change(Self.password, "a new one of many").status == 204)
            #expect(try await village.send("GET", "/api/v1/me", as: here).status == 200)
            #expect(try await village.send("GET", "/api/v1/me", as: there).status == 401)
            #expect(try await signIn(village, name).status == 401)
            #expect(try await signIn(village, name, "a new one of many").status == 201)
            var statuses: [Int] = []
            for _ in 0..<7 { statuses.append(try await change("a wrong one", "a new one of many more").status) }
            #expect(statuses == [401, 401, 401, 401, 401, 429, 429])
            let token = try await village.send(
                "PUT", "/api/v1/me/password", as: "clerk", ["present": "x", "password": "a new one of many"])
            #expect(token.status == 409)
        }
    }

    @Test func signingOut() async throws {
        try await withProxiedVillage { village in
            let name = try await village.account()
            let (here, there) = (try await village.session(of: name), try await village.session(of: name))
            #expect(try await village.send("DELETE", "/api/v1/session", as: here).status == 204)
            #expect(try await village.send("GET", "/api/v1/me", as: here).status == 401)
            #expect(try await village.send("DELETE", "/api/v1/session", as: here).status == 401)
            #expect(try await village.send("GET", "/api/v1/me", as: there).status == 200)
            #expect(try await village.send("DELETE", "/api/v1/session", as: "clerk").status == 409, "no session")
            #expect(try await village.send("GET", "/api/v1/me", as: "clerk").status == 200)
        }
    }

    /// Forty sign-ins wait for the hashing, one with the old password among them, when the password is changed.
    @Test func aQueueDoesNotOutliveAChangeOfPassword() async throws {
        try await withProxiedVillage { village in
            let name = try await village.account()
            let statuses = try await withThrowingTaskGroup { group in
                for number in 0..<40 {
                    group.addTask {
                        let own = number == 20
                        return (
                            own,
                            try await signIn(
                                village, own ? name : "user\(number)", from: "192.0.2.\(number)")
                        )
                    }
                }
                group.addTask {
                    try await Task.sleep(for: .milliseconds(300))
                    let plan = try await AccountStore(village.backend.database, hasher: PasswordHasher())
                        .setPassword(username: name, password: "a new one of many", village: 1)
                    _ = try await village.backend.database.change(village.backend.local.scope, plan)
                    return (false, try await village.send("GET", "/healthz"))
                }
                return try await group.reduce(into: [(Bool, TestServer.Reply)]()) { $0.append($1) }
            }
            let own = try #require(statuses.first { $0.0 }?.1)
            if own.status == 201 {
                let token = try own.json["token"].string
                #expect(try await village.send("GET", "/api/v1/me", as: token).status == 401)
            } else {
                #expect([401, 503].contains(own.status), "\(own.text)")
            }
            for (_, reply) in statuses { #expect([200, 201, 401, 503].contains(reply.status), "\(reply.text)") }
            #expect(village.errors.errors == [])
        }
    }

    /// A body that takes its time: who is shut out while it comes is out.
    @Test func anAccountIsShutWhileItsRequestComes() async throws {
        try await withVillage { village in
            let name = try await village.account()
            let token = try await village.session(of: name)
            let body = ServedVillage.harvest(on: village.today, slip: "C1").bytes
            let socket = try SocketClient(port: village.server.port)
            let head =
                "POST /api/v1/batches HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n"
                + "Content-Type: application/json\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\r\n"
            await socket.write(Array(head.utf8) + body.prefix(20))
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await village.send("DELETE", "/api/v1/accounts/\(name)", as: "administrator").status == 204)
            await socket.write(Array(body.dropFirst(20)))
            let answer = await socket.read(until: "\r\n\r\n")
            #expect(answer.contains("HTTP/1.1 401 "), "\(answer.prefix(200))")
            #expect(try await village.count("SELECT count(*) AS count FROM batch WHERE slip = 'C1'") == 0)
        }
    }
}
