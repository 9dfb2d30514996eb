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
            let codes = [try await village.register(village.harvest()), try await village.register(village.harvest())]
            // As two servers would count them.
            let stores = (0..<2).map { _ in ScanStore(village.database, village: village.village.id) }
            let told = try await withThrowingTaskGroup(of: Int.self, returning: [Int].self) { group in
                for number in 0..<200 {
                    group.addTask {
                        try await stores[number % 2].count(
                            codes[number / 2 % 2].signed.body, visitor: "visitor \(number % 50)", place: nil,
                            today: village.today)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(told.max() == 50 && told.allSatisfy { (1...50).contains($0) })
            #expect(try await village.number("SELECT count(*) FROM scan") == 100)
            #expect(try await village.number("SELECT count(*) FROM scan_key") == 1)
            let counts = try await village.owner.query("SELECT visitors FROM scan_count ORDER BY batch_number")
            #expect(try counts.map { try $0.decode("visitors", as: Int.self) } == [50, 50])
        }
    }

    @Test func `counts of past days are gone, the scans are not`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            for day in 1...2 {
                for visitor in 0..<day { #expect(try await scan(village, code, by: "\(visitor)") == visitor + 1) }
                let kept = try await village.owner.query("SELECT day, visitors FROM scan_count")
                #expect(try kept.map { try $0.decode("day") } == [village.today])
                #expect(try kept.first?.decode("visitors") == day)
                village.clock.advance(seconds: 86_400)
            }
            #expect(try await village.number("SELECT count(*) FROM scan") == 3)
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
