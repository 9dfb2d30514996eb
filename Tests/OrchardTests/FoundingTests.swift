import Database
import Kernel
import Orchard
import Postgres
import TestSupport
import Testing

@Suite struct FoundingTests {
    @Test func `an empty database becomes the village that was asked for`() async throws {
        try await withVillage { village in
            #expect(village.village.name == "试村")
            #expect(village.village.brand == "试品")
            let store = OrchardStore(village.database)
            let products = try await store.products(village.committee)
            #expect(products.map(\.name) == ["蟠桃", "红薯"])
            #expect(products.map(\.bestBeforeDays) == [7, 180])
            #expect(products.map(\.ceilingPerMu.grams) == [2_500_000, 3_000_000])
            #expect(products[0].varieties.map(\.name) == ["早露蟠桃", "124蟠桃", "瑞蟠21号"])
            #expect(products[1].varieties.map(\.name) == ["烟薯25", "西瓜红", "普薯32"])
            #expect(try await store.grades(village.committee).map(\.name) == ["特级", "一级", "二级"])
        }
    }

    private func counts(_ village: TestVillage) async throws -> [Int64] {
        var counts: [Int64] = []
        for table in ["village", "product", "variety", "grade"] {
            counts.append(try await village.number("SELECT count(*) FROM \(identifier: table)"))
        }
        return counts
    }

    @Test func `founding again changes nothing`() async throws {
        try await withVillage { village in
            try await VillageStore.found(name: "别村", brand: "别品", origin: "other.cn", owner: village.owner)
            #expect(try await counts(village) == [1, 2, 6, 3])
            #expect(try await VillageStore.find(nil, village.database) == village.village)
        }
    }

    @Test func `founding at the same time makes one village`() async throws {
        let server = try await Template.shared.value
        let name = "founding_test"
        try await server.createEmpty(name)
        let settings = server.server.settings(database: name)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<4 {
                group.addTask {
                    _ = try await Migrator.ofThisProgram().migrate(using: settings)
                    let owner = Pool(settings, size: 1)
                    try await VillageStore.found(
                        name: "村\(number)", brand: "品\(number)", origin: "v\(number).cn", owner: owner)
                    try await VillageStore.prepareScanMonths(from: TestVillage.firstDay, owner: owner)
                    await owner.close()
                }
            }
            try await group.waitForAll()
        }
        let owner = Pool(settings, size: 1)
        let row = try #require(
            try await owner.query(
                "SELECT (SELECT count(*) FROM village) AS v, (SELECT count(*) FROM variety) AS y, right(name, 1) = right(brand, 1) AS same FROM village"
            ).first)
        #expect(try row.decode("v") == 1)
        #expect(try row.decode("y") == 6)
        #expect(try row.decode("same") == true)
        await owner.close()
        try await server.drop(name)
    }

    @Test func `a database without a village says what to do`() async throws {
        try await withVillage { village in
            let server = try await Template.shared.value
            try await server.createEmpty("unfounded_test")
            let settings = server.server.settings(database: "unfounded_test")
            _ = try await Migrator.ofThisProgram().migrate(using: settings)
            let database = Database(service: settings, open: settings, size: 1)
            let refused = try await refusal { try await VillageStore.first(database) }
            #expect(refused?.code == "no-village")
            await database.close()
            try await server.drop("unfounded_test")
        }
    }

    @Test func `names are kept trimmed and once`() async throws {
        try await withVillage { village in
            #expect(try await village.change(OrchardStore.addCooperative(name: " 东社　")) == "东社")
            #expect(try await village.change(OrchardStore.addGrade(name: "等外")) == "等外")
            #expect(try await village.change(OrchardStore.addVariety(name: "新品", product: "蟠桃")) == "新品")
            let weight = Weight(grams: 1000)
            let product = OrchardStore.addProduct(name: "核桃", bestBeforeDays: nil, ceilingPerMu: weight)
            #expect(try await village.change(product) == "核桃")
            let again: [Plan<String>] = [
                OrchardStore.addCooperative(name: "东社"), OrchardStore.addGrade(name: "等外"),
                OrchardStore.addVariety(name: "新品", product: "蟠桃"), product,
            ]
            for plan in again {
                let taken = try await refusal { try await village.change(plan) }
                #expect(taken?.code == "name-taken")
            }
            // Two products may have a variety of one name.
            #expect(try await village.change(OrchardStore.addVariety(name: "新品", product: "红薯")) == "新品")
            for name in ["", " ", "a\nb", String(repeating: "桃", count: 61)] {
                let refused = try await refusal { try await village.change(OrchardStore.addCooperative(name: name)) }
                #expect(refused?.code == "bad-name")
            }
            let orphan = try await refusal {
                try await village.change(OrchardStore.addVariety(name: "新品", product: "苹果"))
            }
            #expect(orphan?.code == "unknown-product")
        }
    }

    @Test(arguments: [(0, 1000), (3651, 1000), (7, 100_000_001), (7, 0), (7, -5)])
    func `a product's figures have limits`(days: Int, ceiling: Int64) async throws {
        try await withVillage { village in
            let refused = try await refusal {
                try await village.change(
                    OrchardStore.addProduct(
                        name: "核桃", bestBeforeDays: days, ceilingPerMu: Weight(grams: ceiling)))
            }
            #expect(refused?.code == "out-of-range")
        }
    }

    @Test func `a clerk's lists are the cooperative's`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let store = OrchardStore(village.database)
            let clerk = village.clerk(of: orchard.west)
            #expect(try await store.cooperatives(clerk).map(\.name) == [TestOrchard.westName])
            #expect(try await store.cooperatives(village.committee).count == 2)
            #expect(try await store.households(clerk).map(\.number) == ["HW"])
            #expect(try await store.plots(clerk).map(\.number) == ["W1", "W2"])
            #expect(try await store.plots(village.committee).map(\.number) == ["E1", "E2", "W1", "W2"])
            #expect(try await store.plots(village.committee, after: "E1", limit: 2).map(\.number) == ["E2", "W1"])
            #expect(try await store.households(village.committee, after: "HE").map(\.number) == ["HW"])
        }
    }
}
