import CoreMetrics
import Database
import Kernel
import Signing
import Telemetry

/// Answers whether a code is genuine, of one village.
public final class Verification: Sendable {
    private let register: CodeRegister
    private let keys: KeyRing
    private let clock: WallClock

    public init(_ register: CodeRegister, keys: KeyRing, clock: WallClock) {
        self.register = register
        self.keys = keys
        self.clock = clock
    }

    /// The first answer that applies, in the order of CODE-FORMAT. Only a good signature costs a question to the
    /// database.
    /// - Throws: a `Refusal` of kind `unavailable` when the database can't be asked.
    public func verify(_ payload: String) async throws -> Verdict {
        let verdict = try await register.verdict(on: payload, of: keys.village.id) { try await look(payload) }
        Self.counters[verdict.answer]?.increment()
        return verdict
    }

    private static let counters = Dictionary(
        uniqueKeysWithValues: Answer.allCases.map { ($0, Measured.verifications[$0.rawValue]) })

    /// Forgets what was answered, because the register has changed.
    public func forget() { register.forget(keys.village.id) }

    private func look(_ payload: String) async throws -> (verdict: Verdict, isRemembered: Bool) {
        let today = clock.today
        guard let code = try? SignedCode(payload: payload) else { return (Verdict(.malformed, today: today), false) }
        guard let key = keys[code.body.keyID] else { return (Verdict(.unknownKey, today: today), false) }
        guard code.isSigned(by: key.publicKey, origin: key.origin) else {
            return (Verdict(.forged, today: today), false)
        }
        return (try await registered(code.body, today: today), true)
    }

    private func registered(_ body: CodeBody, today: CivilDay) async throws -> Verdict {
        guard let code = try await register.code(body, of: keys.village.id), code.isIssue(of: body) else {
            return Verdict(.unregistered, body: body, today: today)
        }
        let answer: Answer = code.isRevoked ? .revoked : code.isRecalled ? .recalled : .genuine
        return Verdict(answer, body: body, goods: code.goods, today: today)
    }
}
