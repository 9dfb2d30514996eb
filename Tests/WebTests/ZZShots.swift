import Foundation
import Kernel
import Testing
@testable import Web
@Suite struct ZZShots {
    @Test func dump() async throws {
        try await withVillage { (village) async throws in
            let codes = try HostileCodes(village)
            let (revoked, revokedCode) = try await village.register()
            _ = try await village.post("/api/v1/batches/\(revoked)/revocations", as: "clerk", ["reason": "x"])
            let old = try await village.register(plot: "D03", variety: "早露蟠桃", on: JSON.string("2025-06-20").day)
            let (recalled, recalledCode) = try await village.register()
            _ = try await village.post("/api/v1/batches/\(recalled)/recalls", as: "committee", ["step": "open", "reason": "x"])
            for (name, path) in [("genuine-zh", "/\(village.payload)?lang=zh"), ("genuine-en", "/\(village.payload)?lang=en"), ("past-zh", "/\(old.payload)?lang=zh"), ("past-en", "/\(old.payload)?lang=en"), ("forged-zh", "/\(codes.forged)?lang=zh"), ("revoked-zh", "/\(revokedCode)?lang=zh"), ("recalled-en", "/\(recalledCode)?lang=en"), ("malformed-zh", "/hello-world?lang=zh"), ("home-zh", "/?lang=zh"), ("home-en", "/?lang=en"), ("unregistered-zh", "/\(codes.unregistered)?lang=zh"), ("unknown-zh", "/\(codes.unknownKey)?lang=zh")] {
                let reply = try await village.send("GET", path, headers: ["Accept": "text/html"])
                try reply.body.write(to: URL(filePath: "/tmp/shots/\(name).html"))
            }
            let form = try await village.send("POST", "/\(village.payload)?lang=zh", bytes: Data("place=".utf8), type: "application/x-www-form-urlencoded")
            try form.body.write(to: URL(filePath: "/tmp/shots/counted-zh.html"))
            let lost = try await village.send("GET", "/a/b/c?lang=zh", headers: ["Accept": "text/html"])
            try lost.body.write(to: URL(filePath: "/tmp/shots/error-zh.html"))
        }
    }
}
