import Database
import Kernel
import Signing
import Synchronization

/// What the register says of codes, of all villages that a process serves: questions that come together are asked
/// together, whichever village's they are.
public final class CodeRegister: Sendable {
    private struct Remembered {
        let verdict: Verdict
        let until: ContinuousClock.Instant
    }

    private struct Memory {
        /// By village and payload.
        var verdicts: [Int: [String: Remembered]] = [:]
        var count = 0
        /// Counts the changes, so that an answer read before one is not remembered after it.
        var generation = 0
    }

    private let gathering: Gathering<CodeLookup.Identity, RegisteredCode?>
    private let lookup: CodeLookup
    private let remembered = Mutex(Memory())
    /// A label that many people scan is asked of the register once a second.
    private let memory: Duration
    private let capacity = 10_000

    public init(_ database: Database, memory: Duration = .seconds(1)) {
        let lookup = CodeLookup(database)
        self.lookup = lookup
        gathering = Gathering("codes", width: 1, limit: 64, ask: lookup.find)
        self.memory = memory
    }

    /// - Returns: nil when it was never issued.
    /// - Throws: a `Refusal` of kind `unavailable` when the database can't be asked.
    func code(_ body: CodeBody, of village: Int) async throws -> RegisteredCode? {
        try await gathering.answer(CodeLookup.Identity(body, of: village))
    }

    /// The verdict on a payload, as it was told a moment ago or as `find` tells it.
    func verdict(
        on payload: String, of village: Int, find: () async throws -> (verdict: Verdict, isRemembered: Bool)
    ) async throws -> Verdict {
        let now = ContinuousClock.now
        let (known, generation) = remembered.withLock { ($0.verdicts[village]?[payload], $0.generation) }
        if let known, known.until > now { return known.verdict }
        let (verdict, isRemembered) = try await find()
        guard isRemembered else { return verdict }
        remembered.withLock { remembered in
            guard remembered.generation == generation else { return }
            if remembered.count >= capacity {
                remembered.verdicts.removeAll(keepingCapacity: true)
                remembered.count = 0
            }
            let before = remembered.verdicts[village, default: [:]].updateValue(
                Remembered(verdict: verdict, until: now + memory), forKey: payload)
            if before == nil { remembered.count += 1 }
        }
        return verdict
    }

    /// Forgets what was told of a village's codes, because something of them has changed.
    public func forget(_ village: Int) {
        lookup.forgetNames(of: village)
        remembered.withLock { remembered in
            remembered.count -= remembered.verdicts.removeValue(forKey: village)?.count ?? 0
            remembered.generation += 1
        }
    }
}
