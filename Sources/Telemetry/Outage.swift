import Logging
import Synchronization

/// Tells once that something is out of order and once that it is well again, however many meet it meanwhile.
public final class Outage: Sendable {
    private struct State {
        var reason: String?
        var since = ContinuousClock.now
        var last = ContinuousClock.now
        var count = 0
    }

    private let what: String
    private let logger: Logger
    /// What works again must have gone well for so long: of a server that answers now and then there is one line.
    private let quiet: Duration
    private let isOn = Atomic(false)
    private let state = Mutex(State())

    /// - Parameter what: what is out of order, such as `the database`.
    public init(_ what: String, _ logger: Logger, quiet: Duration = .seconds(5)) {
        self.what = what
        self.logger = logger
        self.quiet = quiet
    }

    /// Whether something is out of order, and what.
    public var reason: String? { isOn.load(ordering: .relaxed) ? state.withLock { $0.reason } : nil }

    /// - Parameters:
    ///   - reason: what is wrong; the first one is told.
    ///   - detail: more of it, for the log alone.
    public func failed(_ reason: String, detail: String? = nil) {
        let isNews = state.withLock { state in
            let now = ContinuousClock.now
            let isNews = state.reason == nil
            if isNews {
                state.since = now
                state.count = 0
                state.reason = reason
                isOn.store(true, ordering: .relaxed)
            }
            state.last = now
            state.count += 1
            return isNews
        }
        guard isNews else { return }
        var facts: Logger.Metadata = ["reason": "\(reason)"]
        if let detail { facts["detail"] = "\(detail)" }
        logger.error("\(what) is out of order", metadata: facts)
    }

    /// Costs next to nothing while all is well.
    public func succeeded() {
        guard isOn.load(ordering: .relaxed) else { return }
        let over = state.withLock { state -> (since: ContinuousClock.Instant, count: Int)? in
            guard state.reason != nil, ContinuousClock.now - state.last >= quiet else { return nil }
            state.reason = nil
            isOn.store(false, ordering: .relaxed)
            return (state.since, state.count)
        }
        guard let over else { return }
        let seconds = (ContinuousClock.now - over.since).components.seconds
        logger.notice("\(what) is well again", metadata: ["seconds": "\(seconds)", "failures": "\(over.count)"])
    }
}
