import Postgres

/// That something changed in a village which programs remember: its keys, codes, people or names. Every program hears of it
/// when the transaction commits.
public enum News {
    private static let channel: StaticString = "taoyuan_news"

    /// The statement that tells.
    public static func tell(_ scope: Scope) -> SQL {
        "SELECT pg_notify('\(literal: channel)', \(String(scope.village)))"
    }

    /// Of which village there is news; nil when something may have been missed, since the connection is new or lost.
    public static func heard(_ settings: Settings) -> AsyncMapSequence<AsyncStream<Listener.Event>, Int?> {
        Listener(settings, channels: [channel]).events().map { event in
            if case .notification(_, let payload) = event { Int(payload) } else { nil }
        }
    }
}
