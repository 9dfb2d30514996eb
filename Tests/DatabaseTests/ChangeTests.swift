import Codes
import Database
import Kernel
import Orchard
import Postgres
import Synchronization
import TestSupport
import Testing

/// A change, its audit row and its stored answer are one.
@Suite struct ChangeTests {
    private func audits(_ village: TestVillage) async throws -> Int64 {
        try await village.number("SELECT count(*) FROM event")
    }

    @Test func `the audit row stands in the change's transaction`() async throws {
        try await withVillage { village in
            try await village.change(OrchardStore.addCooperative(name: "东社"))
            let row = try #require(
                try await village.owner.query(
                    """
                    SELECT a.actor, a.kind, a.subject, a.xmin = c.xmin AS together
                    FROM cooperative c, event a WHERE c.name = '东社' AND a.kind = 'cooperative.add'
                    """
                ).first)
            #expect(try row.decode("together") == true)
            #expect(try row.decode("actor") == village.committee.actor)
            #expect(try row.decode("subject") == "东社")
        }
    }

    @Test func `a statement that is cut short, and one that waits too long for a lock, says that the database is busy`()
        async throws
    {
        try await withVillage { village in
            for (setting, statement): (SQL, SQL) in [
                ("SET LOCAL statement_timeout = 20", "SELECT pg_sleep(60)"),
                ("SET LOCAL lock_timeout = 20", "SELECT id FROM village"),
            ] {
                let refusal = await #expect(throws: Refusal.self) {
                    try await village.owner.transaction { owner in
                        _ = try await owner.query("LOCK TABLE village IN ACCESS EXCLUSIVE MODE")
                        try await village.database.transaction(village.committee) { transaction in
                            _ = try await transaction.query(setting)
                            _ = try await transaction.query(statement)
                        }
                    }
                }
                #expect(refusal == Database.busy && refusal?.kind == .unavailable)
            }
        }
    }

    @Test func `a broken constraint leaves nothing, not even the audit row`() async throws {
        try await withVillage { village in
            try await village.change(OrchardStore.addCooperative(name: "东社"))
            let before = try await audits(village)
            let plan: Plan<Void> = { _, scope in
                Change(
                    (),
                    writes: [
                        "INSERT INTO grade (village_id, name) VALUES (\(scope.village), '等外')",
                        "INSERT INTO cooperative (village_id, name) VALUES (\(scope.village), '东社')",
                    ],
                    refusals: ["cooperative_village_id_name_key": Refusal(.conflict, "taken", zh: "有了", en: "taken")],
                    event: Event("test", "test"))
            }
            let found1 = try await refusal { try await village.change(plan) }
            #expect(found1?.code == "taken")
            #expect(try await village.number("SELECT count(*) FROM grade WHERE name = '等外'") == 0)
            #expect(try await audits(village) == before)
        }
    }

    /// Writes a row and then what row-level security turns away.
    private static let unaudited: Plan<Void> = { _, scope in
        let elsewhere = Scope(village: 99, cooperative: nil, actor: "x")
        return Change(
            (),
            writes: [
                "INSERT INTO grade (village_id, name) VALUES (\(scope.village), '等外')",
                Event("test", "test").insert(by: elsewhere),
            ], event: Event("test", "test"))
    }

    @Test func `an audit row that can't be written undoes the change`() async throws {
        try await withVillage { village in
            let error = try await postgresError { try await village.change(Self.unaudited) }
            #expect(error?.sqlState == "42501")
            #expect(try await village.number("SELECT count(*) FROM grade WHERE name = '等外'") == 0)
            #expect(try await audits(village) == village.number("SELECT count(*) FROM signing_key"))
        }
    }

    private func add(_ village: TestVillage, _ name: String, _ retry: Retry, as scope: Scope? = nil) async throws
        -> String
    {
        try await village.database.change(
            scope ?? village.committee, once: retry, render: { "added \($0)" }, OrchardStore.addGrade(name: name))
    }

    @Test func `a repeated request acts once and gets its answer again`() async throws {
        try await withVillage { village in
            let retry = Retry(key: "one", fingerprint: [1, 2])
            let first = try await add(village, "等外", retry)
            let before = try await audits(village)
            #expect(first == "added 等外")
            // The plan would be refused now: the stored answer comes before it.
            #expect(try await add(village, "等外", retry) == first)
            #expect(try await audits(village) == before)
        }
    }

    @Test func `a key used for another request is refused`() async throws {
        try await withVillage { village in
            _ = try await add(village, "等外", Retry(key: "one", fingerprint: [1]))
            let refused = try await refusal { try await add(village, "次果", Retry(key: "one", fingerprint: [2])) }
            #expect(refused?.code == "idempotency-key-reused")
            #expect(refused?.kind == .invalid)
            #expect(try await village.number("SELECT count(*) FROM grade WHERE name = '次果'") == 0)
        }
    }

    @Test func `a key belongs to who used it`() async throws {
        try await withVillage { village in
            let other = Scope(village: village.village.id, cooperative: nil, actor: "account:other")
            _ = try await add(village, "等外", Retry(key: "one", fingerprint: [1]))
            #expect(try await add(village, "次果", Retry(key: "one", fingerprint: [2]), as: other) == "added 次果")
        }
    }

    @Test func `a refused request stores no answer`() async throws {
        try await withVillage { village in
            let retry = Retry(key: "one", fingerprint: [1])
            let refused = try await refusal { try await add(village, "特级", retry) }
            #expect(refused?.code == "name-taken")
            #expect(try await village.number("SELECT count(*) FROM idempotent_answer") == 0)
            #expect(try await add(village, "等外", retry) == "added 等外")
        }
    }

    /// - Returns: the answers of ten requests at once.
    private func tenfold(_ body: @escaping @Sendable () async throws -> String) async throws -> [String] {
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<10 { group.addTask { try await body() } }
            var answers: [String] = []
            for try await answer in group { answers.append(answer) }
            return answers
        }
    }

    @Test func `ten equal requests at once have one effect and ten equal answers`() async throws {
        try await withVillage(poolSize: 10) { village in
            let orchard = try await village.plant()
            let store = CodeStore(village.database, keys: village.keys)
            let answers = try await tenfold {
                try await village.database.change(
                    village.clerk(of: orchard.east), once: Retry(key: "one", fingerprint: [1]), render: \.payload,
                    store.register(village.harvest(), today: village.today))
            }
            #expect(answers.count == 10)
            #expect(Set(answers).count == 1)
            #expect(try await village.number("SELECT count(*) FROM batch") == 1)
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind = 'batch.register'") == 1)
        }
    }

    private final class Turns: Sendable {
        let arrived = Atomic(0)
        let isDone = Atomic(false)
    }

    /// How two equal requests met: both had found no stored answer when the first was carried out.
    enum Meeting: CaseIterable {
        /// The second looked at the stock afterwards.
        case whilePlanning
        /// The second had looked at the stock before, and broke on its limit.
        case whileWriting
    }

    @Test(arguments: Meeting.allCases)
    func `a request whose twin took all there is gets the twin's answer`(meeting: Meeting) async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let real = CodeStore(village.database, keys: village.keys).register(
                village.harvest(grams: TestOrchard.peachCeiling.grams), today: village.today)
            let turns = Turns()
            let plan: Plan<IssuedCode> = { transaction, scope in
                let isFirst = turns.arrived.compareExchange(
                    expected: 0, desired: 1, ordering: .sequentiallyConsistent
                ).exchanged
                if isFirst {
                    try await awaitCondition("the twin") { turns.arrived.load(ordering: .sequentiallyConsistent) == 2 }
                    return try await real(transaction, scope)
                }
                let early = meeting == .whileWriting ? try await real(transaction, scope) : nil
                turns.arrived.store(2, ordering: .sequentiallyConsistent)
                try await awaitCondition("the first answer") { turns.isDone.load(ordering: .sequentiallyConsistent) }
                if let early { return early }
                return try await real(transaction, scope)
            }
            let answers = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        let answer = try await village.database.change(
                            village.committee, once: Retry(key: "one", fingerprint: [1]), render: \.payload, plan)
                        turns.isDone.store(true, ordering: .sequentiallyConsistent)
                        return answer
                    }
                }
                var all: [String] = []
                for try await answer in group { all.append(answer) }
                return all
            }
            #expect(answers.count == 2)
            #expect(Set(answers).count == 1)
            #expect(try await village.number("SELECT count(*) FROM batch") == 1)
        }
    }

    @Test func `ten equal requests that take all there is have one effect and ten equal answers`() async throws {
        try await withVillage(poolSize: 10) { village in
            _ = try await village.plant()
            let store = CodeStore(village.database, keys: village.keys)
            for round in 0..<5 {
                let harvest = village.harvest(
                    day: CivilDay(daysSince2020: 365 * (round + 1)), grams: TestOrchard.peachCeiling.grams)
                let answers = try await tenfold {
                    try await village.database.change(
                        village.committee, once: Retry(key: "round \(round)", fingerprint: [1]), render: \.payload,
                        store.register(harvest, today: village.today))
                }
                #expect(Set(answers).count == 1)
            }
            #expect(try await village.number("SELECT count(*) FROM batch") == 5)
        }
    }
}
