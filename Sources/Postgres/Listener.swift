/// Listens for `NOTIFY` on a connection of its own, which it opens again whenever it is lost.
public struct Listener: Sendable {
    public enum Event: Sendable, Equatable {
        /// Notifications come from here on; those sent before are not repeated, so what they tell must be read afresh.
        case connected
        case notification(channel: String, payload: String)
        case disconnected
    }

    private let settings: Settings
    private let channels: [StaticString]

    public init(_ settings: Settings, channels: [StaticString]) {
        self.settings = settings
        self.channels = channels
    }

    /// Starts to listen; each call with a connection of its own. It stops when the task that iterates is cancelled or
    /// the stream is released.
    public func events() -> AsyncStream<Event> {
        AsyncStream { continuation in
            let task = Task { await run(continuation) }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func run(_ events: AsyncStream<Event>.Continuation) async {
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            let connection = Connection(statementTimeout: nil)
            do {
                try await connection.connect(settings, deadline: .now + settings.connectTimeout)
                _ = try await connection.query(channels.map { "LISTEN \(identifier: $0.string)" })
                events.yield(.connected)
                pause = .milliseconds(50)
                try await withTaskCancellationHandler {
                    while true {
                        for (channel, payload) in try await connection.notifications() {
                            events.yield(.notification(channel: channel, payload: payload))
                        }
                    }
                } onCancel: {
                    connection.abort()
                }
            } catch {
                if pause == .milliseconds(50) { events.yield(.disconnected) }
            }
            await connection.close()
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(5))
        }
        events.finish()
    }
}
