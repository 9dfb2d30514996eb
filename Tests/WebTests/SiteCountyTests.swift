import Backend
import Foundation
import Kernel
import Signing
import Testing

@testable import Web

/// One server for several villages, each under its own host.
@Suite(.serialized) struct SiteCountyTests {
    private func get(_ village: ServedVillage, _ path: String, host: String, token: String? = nil) async throws
        -> String
    {
        let socket = try SocketClient(port: village.server.port)
        let signedIn = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        await socket.write("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\(signedIn)Connection: close\r\n\r\n")
        return await socket.read(until: "never")
    }

    @Test func `each host is its village's, and a host of nobody is told so`() async throws {
        try await withVillage { (village) async throws in
            let code = "/api/v1/codes/\(village.payload)"
            #expect(try await get(village, code, host: "stranger.example").contains("\"genuine\""))
            let founding = try Founding(village: "老龙湾", brand: "龙湾", origin: Origin("laolongwan.example.cn"))
            _ = try await Backend.addVillage(village.backend.configuration, founding)

            let own = village.backend.village.origin
            #expect(try await get(village, code, host: own).contains("\"genuine\""))
            let foreign = try await get(village, code, host: "laolongwan.example.cn")
            #expect(foreign.hasPrefix("HTTP/1.1 200 ") && !foreign.contains("\"genuine\""))
            #expect(try await get(village, "/tours", host: "laolongwan.example.cn").contains("龙湾"))

            for path in [code, "/tours", "/api/v1/me"] {
                let nobody = try await get(village, path, host: "nobody.example")
                #expect(nobody.hasPrefix("HTTP/1.1 421 "), "\(nobody.prefix(200))")
            }
            for path in ["/healthz", "/readyz", "/openapi.json"] {
                #expect(try await get(village, path, host: "nobody.example").hasPrefix("HTTP/1.1 200 "), "\(path)")
            }

            let token = village.tokens["administrator"]
            #expect(try await get(village, "/api/v1/me", host: own, token: token).hasPrefix("HTTP/1.1 200 "))
            let elsewhere = try await get(village, "/api/v1/me", host: "laolongwan.example.cn", token: token)
            #expect(elsewhere.hasPrefix("HTTP/1.1 401 "))
        }
    }
}
