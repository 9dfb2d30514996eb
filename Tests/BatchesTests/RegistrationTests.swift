import Batches
import Codes
import Database
import Kernel
import Orchard
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite struct RegistrationTests {
    @Test func `a harvest becomes a batch with its code and its movement`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let code = try await village.register(village.harvest(grams: 1_250_000))
            let shown = try await BatchStore(village.database).show(code.batch, village.committee)
            let (batch, movements) = (shown.batch, shown.movements)
            #expect(batch.number.value == code.batch)
            #expect(batch.kind == .harvest)
            #expect(batch.cooperative == TestOrchard.eastName)
            #expect(batch.plot == "E1")
            #expect(batch.product == "蟠桃")
            #expect(batch.variety == "瑞蟠21号")
            #expect(batch.grade == "特级")
            #expect(batch.harvestedOn == village.today)
            #expect(batch.picker == "张三")
            #expect(batch.weightIn == Weight(grams: 1_250_000))
            #expect(batch.stock == batch.weightIn)
            #expect(movements.map(\.kind) == ["harvest"])
            #expect(movements.map(\.grams) == [1_250_000])
            #expect(movements.map(\.actor) == [village.committee.actor])
            #expect(code.signed.body.batch == UInt32(code.batch))
            #expect(code.signed.body.bestBefore == village.today.adding(days: 7))
            #expect(code.url == "https://trace.example.cn/\(code.payload)")
            let stored = try await CodeStore(village.database, keys: village.keys).show(
                batch: code.batch, village.clerk(of: orchard.east))
            #expect(stored.payload == code.payload)
        }
    }

    @Test func `numbers rise and are never used again`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let first = try await village.register(village.harvest())
            // A refused registration may leave a gap.
            let tooMuch = village.harvest(grams: TestOrchard.peachCeiling.grams + 1)
            _ = try await refusal { try await village.register(tooMuch) }
            let second = try await village.register(village.harvest())
            #expect(second.batch > first.batch)
            let batches = try await BatchStore(village.database).list(village.committee)
            #expect(batches.map(\.number.value) == [second.batch, first.batch])
        }
    }

    @Test func `an unknown plot is refused with those that one may know`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let unknown = village.harvest(plot: "X")
            let refused = try await refusal { try await village.register(unknown) }
            #expect(refused?.kind == .notFound && refused?.field == "plot")
            #expect(refused?.message.zh == "没有地块“X”；已有：E1、E2、W1、W2")
            let clerk = village.clerk(of: orchard.east)
            let theirs = try await refusal { try await village.register(unknown, as: clerk) }
            #expect(theirs?.message.en == "there is no plot “X”; there are: E1, E2")
            let foreign = try await refusal { try await village.register(village.harvest(plot: "W1"), as: clerk) }
            #expect(foreign?.message.zh == "没有地块“W1”；已有：E1、E2", "another cooperative's plot is none of theirs")
        }
    }

    @Test func `a registration that is held open keeps nobody waiting`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let held = CodeStore(village.database, keys: village.keys).register(village.harvest(), today: village.today)
            let (scope, today) = (village.committee, village.today)
            let open = Mutex<Int64?>(nil)
            let registering = Mutex(false)
            let writer = Task {
                try await village.database.transaction(scope) { transaction in
                    let change = try await held(transaction, scope)
                    _ = try await transaction.query(change.statements(by: scope))
                    open.withLock { $0 = change.known?.batch }
                    try await awaitCondition("the other registration") { registering.withLock { $0 } }
                }
            }
            try await awaitCondition("the open registration") { open.withLock { $0 } != nil }
            let other = try await village.register(village.harvest(plot: "W1"))
            #expect(other.batch > open.withLock { $0 } ?? .max)
            #expect(try await village.number("SELECT count(*) FROM batch") == 1, "the first is not committed yet")
            registering.withLock { $0 = true }
            try await writer.value
            #expect(today == village.today)
            #expect(try await village.number("SELECT count(*) FROM batch") == 2)
        }
    }

    @Test(
        arguments: [
            ("X9", nil, "瑞蟠21号", "特级", "unknown-plot", "plot"), ("E1", nil, "无名", "特级", "unknown-variety", "variety"),
            ("E1", nil, "瑞蟠21号", "超级", "unknown-grade", "grade"), ("E1", nil, "烟薯25", "特级", "crop-mismatch", "product"),
            ("E1", "红薯", "烟薯25", "特级", "crop-mismatch", "product"),
            ("E1", "苹果", "瑞蟠21号", "特级", "unknown-product", "product"),
            ("E1", "红薯", "瑞蟠21号", "特级", "variety-of-another-product", "variety"),
        ] as [(String, String?, String, String, String, String)])
    func `what is not known is named`(
        plot: String, product: String?, variety: String, grade: String, code: String, field: String
    ) async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let harvest = village.harvest(plot: plot, product: product, variety: variety, grade: grade)
            let refused = try await refusal { try await village.register(harvest) }
            #expect(refused?.code == code)
            #expect(refused?.field == field)
            #expect(try await village.number("SELECT count(*) FROM batch") == 0)
        }
    }

    @Test func `a variety that two products share is the plot's`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            for product in ["蟠桃", "红薯"] {
                try await village.change(OrchardStore.addVariety(name: "同名", product: product))
            }
            for (plot, product) in [("E1", "蟠桃"), ("E2", "红薯")] {
                let code = try await village.register(village.harvest(plot: plot, variety: "同名"))
                let batch = try await BatchStore(village.database).show(code.batch, village.committee).batch
                #expect(batch.product == product)
            }
        }
    }

    @Test func `another cooperative's plot and batch are not there for a clerk`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let clerk = village.clerk(of: orchard.west)
            let east = try await village.register(village.harvest())
            let registered = try await refusal { try await village.register(village.harvest(), as: clerk) }
            #expect(registered?.code == "unknown-plot")
            #expect(registered?.kind == .notFound)
            let store = BatchStore(village.database)
            let shown = try await refusal { try await store.show(east.batch, clerk) }
            #expect(shown?.kind == .notFound)
            let codes = CodeStore(village.database, keys: village.keys)
            let code = try await refusal { try await codes.show(batch: east.batch, clerk) }
            #expect(code?.kind == .notFound)
            let withdrawal = BatchStore.withdraw(
                .loss, batch: east.batch, weight: Weight(grams: 1), day: village.today, reason: nil,
                today: village.today)
            let taken = try await refusal { try await village.change(withdrawal, as: clerk) }
            #expect(taken?.kind == .notFound)
            #expect(try await store.list(clerk).isEmpty)
        }
    }

    @Test func `a harvest is of today or of the past that codes can tell`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let tomorrow = village.harvest(day: village.today.adding(days: 1))
            let future = try await refusal { try await village.register(tomorrow) }
            #expect(future?.code == "harvest-in-future")
            #expect(future?.field == "harvestedOn")
            let tooOld = village.harvest(day: CivilDay(daysSince2020: -1))
            let past = try await refusal { try await village.register(tooOld) }
            #expect(past?.code == "harvest-too-old")
            try await village.register(village.harvest(day: CivilDay(daysSince2020: 0)))
            try await village.register(village.harvest())
            // A second before midnight in Shanghai, tomorrow has not come.
            village.clock.set(village.today, hour: 24, seconds: -1)
            #expect(try await refusal { try await village.register(tomorrow) } != nil)
            village.clock.advance(seconds: 1)
            try await village.register(tomorrow)
        }
    }

    @Test func `pages go on where the last one ended`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            var numbers: [Int64] = []
            for _ in 0..<5 { numbers.insert(try await village.register(village.harvest()).batch, at: 0) }
            let store = BatchStore(village.database)
            let first = try await store.list(village.committee, limit: 2).map(\.number.value)
            let rest = try await store.list(village.committee, before: first[1]).map(\.number.value)
            #expect(first + rest == numbers)
            try await village.change(
                BatchStore.withdraw(
                    .loss, batch: numbers[0], weight: Weight(grams: 100_000), day: village.today, reason: nil,
                    today: village.today))
            let left = try await store.list(village.committee, inStock: true).map(\.number.value)
            #expect(left == Array(numbers.dropFirst()))
        }
    }
}
