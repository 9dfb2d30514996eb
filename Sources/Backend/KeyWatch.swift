import Codes
import Kernel
import Logging
import Orchard
import Signing
import Synchronization
import Telemetry

/// Whether the villages' private keys lie where they belong. It looks at some villages at a time and goes on from there,
/// so that a look costs the same with one village and with ten thousand.
final class KeyWatch: Sendable {
    private static let width = 100
    /// Names that a line of the log has at most.
    private static let named = 20

    private struct State {
        /// The village after which the next look begins.
        var after = 0
        /// How many villages with keys there were in each look, by the village after which it began.
        var seen: [Int: Int] = [:]
        var unable: [Int: (village: Village, why: Refusal)] = [:]
    }

    private let state = Mutex(State())

    /// The villages that can't sign, as far as they were looked at.
    var unable: [(village: Village, why: Refusal)] {
        state.withLock { $0.unable.sorted { $0.key < $1.key }.map(\.value) }
    }

    /// Looks at the next villages that have keys: whether each has the file of one that signs, and whether that of the first
    /// opens, as then all do, which have the same passphrase. An only village has to have a key.
    /// - Returns: whether those were the last.
    /// - Throws: a `Refusal` when the database doesn't answer or has no village.
    func look(_ county: County) async throws -> Bool {
        let after = state.withLock { $0.after }
        let found = try await SigningKeyStore(county.database).signing(after: after, limit: Self.width)
        if after == 0, found.isEmpty { throw Refusal.noVillage() }
        let all = found.filter { !$0.keys.isEmpty || after == 0 && found.count == 1 }
        var now: [Int: (village: Village, why: Refusal)] = [:]
        for (place, (village, keys)) in all.enumerated() {
            let ring = place == 0 ? try await county.backend(of: village.id).keys : nil
            do {
                if let ring {
                    try ring.checkReady()
                } else {
                    let held = try Backend.keyFolder(county.configuration, village).list()
                    guard keys.contains(where: held.contains) else { throw KeyRing.noFile(keys) }
                }
            } catch let refusal as Refusal {
                now[village.id] = (village, refusal)
            }
        }
        let isLast = found.count < Self.width
        let (before, count) = state.withLock { state in
            let before = state.unable.filter { found.map(\.village.id).contains($0.key) }
            for (village, _) in found { state.unable[village.id] = now[village.id] }
            state.seen[after] = all.count
            state.after = isLast ? 0 : found.last?.village.id ?? 0
            return (before, state.unable.count)
        }
        Measured.gauge("taoyuan_villages_unable_to_sign").set(count)
        // Of an only village the service's readiness tells.
        if after == 0, found.count == 1 { return true }
        tell(now.values.filter { before[$0.village.id] == nil }, .error, "villages can't sign", county.logger)
        tell(before.values.filter { now[$0.village.id] == nil }, .notice, "villages can sign again", county.logger)
        return isLast
    }

    private func tell(
        _ some: [(village: Village, why: Refusal)], _ level: Logger.Level, _ message: Logger.Message, _ logger: Logger
    ) {
        guard let first = some.min(by: { $0.village.id < $1.village.id }) else { return }
        let names = some.map(\.village).sorted { $0.id < $1.id }.prefix(Self.named).map { "\($0.name) (\($0.origin))" }
        logger.log(
            level: level, message,
            metadata: [
                "villages": "\(names.joined(separator: ", "))", "count": "\(some.count)", "reason": "\(first.why.code)",
            ])
    }

    /// One village of many is no reason to turn all others away; as many as half of them have lost their folder.
    /// - Throws: a `Refusal` of the first of them.
    func check() throws {
        let (first, isMany) = state.withLock { state in
            let first = state.unable.min { $0.key < $1.key }?.value.why
            return (first, 2 * state.unable.count >= state.seen.values.reduce(0, +))
        }
        if let first, isMany { throw first }
    }
}
