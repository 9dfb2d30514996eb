import CoreMetrics
import Database
import Kernel
import Signing
import Synchronization
import Telemetry

/// Answers whether a code is genuine, against the register.
public final class Verification: Sendable {
    private struct Remembered {
        let verdict: Verdict
        let until: ContinuousClock.Instant
    }

    private struct Memory {
        var verdicts: [String: Remembered] = [:]
        /// Counts the changes of the register, so that an answer read before one is not remembered after it.
        var generation = 0
    }

    private let register: Gathering<CodeLookup.Identity, RegisteredCode?>
    private let keys: KeyRing
    private let clock: WallClock
    private let remembered = Mutex(Memory())
    /// A label that many people scan is asked of the register once a second.
    private let memory: Duration
    private let capacity = 10_000

    public init(_ database: Database, keys: KeyRing, clock: WallClock, memory: Duration = .seconds(1)) {
        let lookup = CodeLookup(database, village: keys.village.id)
        register = Gathering("codes", width: 1, limit: 64, ask: lookup.find)
        self.keys = keys
        self.clock = clock
        self.memory = memory
    }

    /// The first answer that applies, in the order of CODE-FORMAT. Only a good signature costs a question to the
    /// database.
    /// - Throws: a `Refusal` of kind `unavailable` when the database can't be asked.
    public func verify(_ payload: String) async throws -> Verdict {
        let verdict = try await verdict(on: payload)
        Self.counters[verdict.answer]?.increment()
        return verdict
    }

    private static let counters = Dictionary(
        uniqueKeysWithValues: Answer.allCases.map { ($0, Measured.verifications[$0.rawValue]) })

    private func verdict(on payload: String) async throws -> Verdict {
        let now = ContinuousClock.now
        let (known, generation) = remembered.withLock { ($0.verdicts[payload], $0.generation) }
        if let known, known.until > now { return known.verdict }
        let today = clock.today
        guard let code = try? SignedCode(payload: payload) else { return Verdict(.malformed, today: today) }
        guard let key = keys[code.body.keyID] else { return Verdict(.unknownKey, today: today) }
        guard code.isSigned(by: key.publicKey, origin: key.origin) else { return Verdict(.forged, today: today) }
        let verdict = try await registered(code.body, today: today)
        remembered.withLock { remembered in
            guard remembered.generation == generation else { return }
            if remembered.verdicts.count >= capacity { remembered.verdicts.removeAll(keepingCapacity: true) }
            remembered.verdicts[payload] = Remembered(verdict: verdict, until: now + memory)
        }
        return verdict
    }

    /// Forgets what was answered, because the register has changed.
    public func forget() {
        remembered.withLock { remembered in
            remembered.verdicts.removeAll(keepingCapacity: true)
            remembered.generation += 1
        }
    }

    private func registered(_ body: CodeBody, today: CivilDay) async throws -> Verdict {
        guard let code = try await register.answer(CodeLookup.Identity(body)), code.isIssue(of: body) else {
            return Verdict(.unregistered, body: body, today: today)
        }
        let answer: Answer = code.isRevoked ? .revoked : code.isRecalled ? .recalled : .genuine
        return Verdict(answer, body: body, goods: code.goods, today: today)
    }
}
