import Access
import Codes
import Database
import Foundation
import Kernel
import Orchard
import Signing
import TestSupport
import Testing

@testable import Backend

/// Several villages in one database.
@Suite struct CountyTests {
    private static let other = "laolongwan.example.cn"

    /// Runs `body` with a data folder in which there are two villages.
    private func withTwoVillages(_ body: @Sendable (Configuration) async throws -> Void) async throws {
        try await withDataFolder { path in
            let configuration = try Configuration(environment: [:], dataDirectory: path)
            await (try Backend.open(configuration, founding: .sample)).close()
            let founding = try Founding(village: "老龙湾", brand: "龙湾", origin: Origin(Self.other))
            let added = try await Backend.addVillage(configuration, founding)
            #expect(added == Village(id: 2, name: "老龙湾", brand: "龙湾", origin: Self.other))
            try await body(configuration)
        }
    }

    @Test func `each has its own rows, numbers and keys`() async throws {
        try await withTwoVillages { configuration in
            var payloads: [String] = []
            for name in ["韩村", Self.other] {
                let backend = try await Backend.open(configuration, village: name)
                #expect(try await backend.registerAndVerify() == .genuine)
                let code = try await CodeStore(backend.database, keys: backend.keys)
                    .show(batch: 1, backend.local.scope)
                payloads.append(code.payload)
                #expect(try await OrchardStore(backend.database).households(backend.local.scope).count == 1)
                await backend.close()
            }
            let folders = try FileManager.default.contentsOfDirectory(atPath: configuration.keysFolder)
            #expect(folders.contains("village-2"))

            let county = try await County.open(configuration, for: .command)
            for (village, foreign) in [(1, payloads[1]), (2, payloads[0])] {
                let answer = try await county.backend(of: village).verification.verify(foreign).answer
                #expect([.unknownKey, .forged].contains(answer), "\(answer)")
            }
            await county.close()
        }
    }

    @Test func `a token opens its own village and no other`() async throws {
        try await withTwoVillages { configuration in
            let county = try await County.open(configuration, for: .command)
            let (ours, theirs) = (try await county.backend(of: 1), try await county.backend(of: 2))
            let token = try await county.database.change(
                ours.local.scope,
                TokenStore.create(
                    name: "程序", role: .auditor, cooperative: nil, days: 1, maker: nil, now: county.clock.now()))
            #expect(try await ours.authentication.person(token: token.text).village == 1)
            let refused = try await refusal { try await theirs.authentication.person(token: token.text) }
            #expect(refused?.kind == .unauthenticated)
            await county.close()
        }
    }

    @Test func `a command says which, by name or origin`() async throws {
        try await withTwoVillages { configuration in
            let unsaid = try await refusal { await (try Backend.open(configuration)).close() }
            #expect(unsaid?.code == "which-village" && unsaid?.field == "village")
            #expect(unsaid?.message.zh.contains("韩村") == true && unsaid?.message.en.contains(Self.other) == true)
            let unknown = try await refusal { await (try Backend.open(configuration, village: "无此村")).close() }
            #expect(unknown?.code == "unknown-village")
            for name in ["老龙湾", Self.other] {
                let backend = try await Backend.open(configuration, village: name)
                #expect(backend.village.id == 2)
                await backend.close()
            }
            let taken = try await refusal {
                let founding = try Founding(village: "第三村", brand: "三", origin: Origin(Self.other))
                return try await Backend.addVillage(configuration, founding)
            }
            #expect(taken?.code == "origin-taken")
        }
    }

    @Test func `a village's name and brand are put right, and its codes stay good`() async throws {
        try await withTwoVillages { configuration in
            let before = try await Backend.open(configuration, village: Self.other)
            #expect(try await before.registerAndVerify() == .genuine)
            let payload = try await CodeStore(before.database, keys: before.keys)
                .show(batch: 1, before.local.scope).payload
            await before.close()
            let renamed = try await Backend.rename(
                configuration, name: " 老龙弯 ", brand: nil, village: Self.other)
            #expect(renamed == Village(id: 2, name: "老龙弯", brand: "龙湾", origin: Self.other))
            let branded = try await Backend.rename(configuration, name: nil, brand: "湾", village: "老龙弯")
            #expect(branded == Village(id: 2, name: "老龙弯", brand: "湾", origin: Self.other))
            let after = try await Backend.open(configuration, village: "老龙弯")
            #expect(try await after.verification.verify(payload).answer == .genuine)
            let audit = try await AuditStore(after.database).list(after.local.scope, AuditFilter(kind: "village"))
            #expect(audit.map(\.kind) == ["village.change", "village.change"])
            #expect(audit.map(\.subject) == ["老龙弯", "老龙弯"] && audit.allSatisfy { $0.actor == "local" })
            #expect(audit.last?.figures == #"{"name_before": "老龙湾"}"#)
            #expect(audit.first?.figures == #"{"brand": "湾", "brand_before": "龙湾"}"#)
            await after.close()
            for name in ["", "a\nb"] {
                let refused = try await refusal {
                    try await Backend.rename(configuration, name: name, brand: nil, village: "老龙弯")
                }
                #expect(refused?.kind == .invalid && refused?.field == "name")
            }
        }
    }

    @Test func `a second village of one name is asked about`() async throws {
        try await withTwoVillages { configuration in
            let founding = try Founding(village: "韩村", brand: "另韩", origin: Origin("other.example.cn"))
            let asked = try await refusal { try await Backend.addVillage(configuration, founding) }
            #expect(asked?.code == "village-name-taken" && asked?.message.en.contains("--same-name") == true)
            let renaming = try await refusal {
                try await Backend.rename(configuration, name: "韩村", brand: nil, village: "老龙湾")
            }
            #expect(renaming?.code == "village-name-taken")
            #expect(try await Backend.addVillage(configuration, founding, sharesName: true).id == 3)
            let again = try await Backend.rename(
                configuration, name: "韩村", brand: "韩", village: "other.example.cn")
            #expect(again.brand == "韩", "its own name is no other's")
        }
    }

    @Test func `the host tells whose a request is; where there is one village any does`() async throws {
        try await withDataFolder { path in
            let configuration = try Configuration(environment: [:], dataDirectory: path)
            let county = try await County.open(configuration, for: .command, founding: .sample)
            for host in ["localhost:8080", "10.1.2.3:99", "stranger.example", nil] {
                #expect(try await county.backend(at: host)?.village.id == 1)
            }
            let founding = try Founding(village: "老龙湾", brand: "龙湾", origin: Origin(Self.other))
            _ = try await Backend.addVillage(configuration, founding)
            #expect(try await county.backend(at: Self.other)?.village.id == 2)
            #expect(try await county.backend(at: "LAOLONGWAN.example.cn:443")?.village.id == 2)
            #expect(try await county.backend(at: "localhost:8080")?.village.id == 1)
            #expect(try await county.backend(at: "another.example") == nil)
            #expect(try await county.backend(at: "no host at all") == nil)
            await county.close()
        }
    }

    @Test func `no more villages are kept than there is room for`() async throws {
        try await withTwoVillages { configuration in
            let county = try await County.open(configuration, for: .command)
            let small = County(
                configuration, clock: .system, database: county.database, embedded: nil, logger: .silent, capacity: 2)
            let first = try await small.backend(of: 1)
            #expect(try await small.backend(of: 1) === first)
            // Two generations of one each.
            _ = try await small.backend(of: 2)
            #expect(try await small.backend(of: 1) === first)
            await county.close()
        }
    }
}
