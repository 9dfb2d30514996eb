/// Whether what is served is ready, found out at most once a second, however many ask.
actor Readiness {
    private let check: @Sendable () async throws -> Void
    private let patience: Duration
    private let memory: Duration
    /// The question under way, or the answer that is remembered.
    private var asked: Task<Bool, Never>?
    /// Whether a check is under way, which may outlive its question: there is never a second one beside it.
    private var isChecking = false
    private var waiting: CheckedContinuation<Bool, Never>?

    /// - Parameters:
    ///   - patience: after so long the answer is no.
    ///   - memory: how long an answer holds.
    ///   - check: throws when it is not ready.
    init(
        patience: Duration = .seconds(2), memory: Duration = .seconds(1),
        check: @escaping @Sendable () async throws -> Void
    ) {
        self.patience = patience
        self.memory = memory
        self.check = check
    }

    func isReady() async -> Bool {
        if let asked { return await asked.value }
        let task = Task { await ask() }
        asked = task
        return await task.value
    }

    private func ask() async -> Bool {
        let answer = isChecking ? false : await firstAnswer()
        Task {
            try? await Task.sleep(for: memory)
            asked = nil
        }
        return answer
    }

    private func firstAnswer() async -> Bool {
        isChecking = true
        let checking = Task {
            let isReady = (try? await check()) != nil
            isChecking = false
            answer(isReady)
        }
        let timing = Task {
            try await Task.sleep(for: patience)
            checking.cancel()
            answer(false)
        }
        defer { timing.cancel() }
        return await withCheckedContinuation { waiting = $0 }
    }

    private func answer(_ isReady: Bool) {
        waiting?.resume(returning: isReady)
        waiting = nil
    }
}
