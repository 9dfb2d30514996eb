import CoreMetrics
import Synchronization
import Telemetry

/// Asks many questions at once: those that come while others are being asked wait, and then go together. One round trip
/// serves them all under load, and a question that comes alone is asked at once.
///
/// An answer is never older than its question: nobody joins what is on its way already.
public final class Gathering<Question: Sendable, Answer: Sendable>: Sendable {
    private typealias Asked = (question: Question, continuation: CheckedContinuation<Answer, any Error>)

    private struct State {
        var waiting: [Asked] = []
        var running = 0
    }

    private let state = Mutex(State())
    private let width: Int
    private let limit: Int
    private let sizes: Recorder
    private let ask: @Sendable ([Question]) async throws -> [Answer]

    /// - Parameters:
    ///   - name: what is asked, for whoever measures.
    ///   - width: how many gatherings may be on their way at once.
    ///   - limit: how many questions go together at most.
    ///   - ask: answers every question, in their order.
    public init(_ name: String, width: Int, limit: Int, ask: @escaping @Sendable ([Question]) async throws -> [Answer])
    {
        self.width = width
        self.limit = limit
        sizes = Measured.gathered(name)
        self.ask = ask
    }

    /// How many questions wait until others have been asked.
    public var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// - Throws: what `ask` throws, to all whom it asked for.
    public func answer(_ question: Question) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            let starts = state.withLock { state in
                state.waiting.append((question, continuation))
                guard state.running < width else { return false }
                state.running += 1
                return true
            }
            if starts { Task { await work() } }
        }
    }

    private func work() async {
        while let asked = next() {
            do {
                sizes.record(asked.count)
                let answers = try await ask(asked.map(\.question))
                precondition(answers.count == asked.count, "every question has its answer")
                for (asked, answer) in zip(asked, answers) { asked.continuation.resume(returning: answer) }
            } catch {
                for asked in asked { asked.continuation.resume(throwing: error) }
            }
        }
    }

    private func next() -> [Asked]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            let asked = Array(state.waiting.prefix(limit))
            state.waiting.removeFirst(asked.count)
            return asked
        }
    }
}
