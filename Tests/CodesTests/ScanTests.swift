import Codes
import Database
import Kernel
import Postgres
import TestSupport
import Testing

/// Scans are counted, and nobody who scanned is known.
@Suite struct ScanTests {
    private let address = "203.0.113.77"

    private func scan(_ village: TestVillage, _ code: IssuedCode, by visitor: String, place: String? = nil) async throws
        -> Int
    {
        try await ScanStore(village.database, village: village.village.id).count(
            code.signed.body, visitor: visitor, place: place, today: village.today)
    }

    @Test func `a visitor counts once a day`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            let other = try await village.register(village.harvest())
            for _ in 0..<3 { #expect(try await scan(village, code, by: address) == 1) }
            #expect(try await scan(village, code, by: "198.51.100.3") == 2)
            #expect(try await scan(village, other, by: address) == 1)
            village.clock.advance(seconds: 86_400)
            #expect(try await scan(village, code, by: address) == 1)
            #expect(try await village.number("SELECT count(*) FROM scan") == 4)
        }
    }

    @Test func `visitors at once are all counted`() async throws {
        try await withVillage(poolSize: 10) { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            let visitors = (0..<20).map { "visitor \($0 / 2)" }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for visitor in visitors { group.addTask { _ = try await scan(village, code, by: visitor) } }
                try await group.waitForAll()
            }
            #expect(try await village.number("SELECT count(*) FROM scan") == 10)
            #expect(try await village.number("SELECT count(*) FROM scan_key") == 1)
        }
    }

    @Test func `another day's hash of the same visitor is another one, and the old key is gone`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            var keys: [[UInt8]] = []
            for _ in 0..<3 {
                _ = try await scan(village, code, by: address)
                let row = try #require(
                    try await village.owner.query("SELECT day, key, count(*) OVER () AS kept FROM scan_key").first)
                #expect(try row.decode("day") == village.today)
                #expect(try row.decode("kept") == 1)
                keys.append(try row.decode("key"))
                village.clock.advance(seconds: 86_400)
            }
            #expect(Set(keys).count == 3)
            #expect(try await village.number("SELECT count(DISTINCT visitor) FROM scan") == 3)
        }
    }

    @Test func `neither the address nor the time of day is kept`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            _ = try await scan(village, code, by: "\(address) Mozilla/5.0", place: " 天津 ")
            let row = try #require(try await village.owner.query("SELECT * FROM scan").first)
            #expect(try row.decode("place") == "天津")
            #expect(try row.decode("day") == village.today)
            #expect(try row.decode("visitor", as: [UInt8].self).count == 16)
            #expect(try await village.holds(address) == [])
            #expect(try await village.holds("Mozilla") == [])
            let times = try await village.number(
                """
                SELECT count(*) FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                WHERE a.attrelid = 'scan'::regclass AND t.typname LIKE 'time%'
                """)
            #expect(times == 0)
        }
    }

    @Test(arguments: ["", " ", "a\nb", String(repeating: "天", count: 41)])
    func `a place is short`(place: String) async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            let refused = try await refusal { try await scan(village, code, by: address, place: place) }
            #expect(refused?.code == "bad-place")
            #expect(try await village.number("SELECT count(*) FROM scan") == 0)
        }
    }

    @Test func `a code that we never issued is not counted`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let signer = try village.keys.signer()
            let body = try signer.sign(batch: 77, issued: village.today).body
            let error = try await postgresError {
                try await ScanStore(village.database, village: 1).count(
                    body, visitor: address, place: nil, today: village.today)
            }
            #expect(error?.sqlState == "23503")
        }
    }
}
