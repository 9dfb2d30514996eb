import Database
import Postgres

/// Keeps what this process remembers of keys and codes true while other processes change them.
public struct CodeWatch: Sendable {
    /// The statement that tells every process, when its transaction commits.
    static let notify: SQL = "SELECT pg_notify('taoyuan_codes', '')"

    let settings: Settings
    let keys: KeyRing
    let verification: Verification

    public init(_ database: Database, keys: KeyRing, verification: Verification) {
        self.settings = database.listening
        self.keys = keys
        self.verification = verification
    }

    /// Runs until its task is cancelled.
    public func run() async {
        // A new connection may have missed something, so it counts as news too.
        for await _ in Listener(settings, channels: ["taoyuan_codes"]).events() {
            verification.forget()
            // When the database is away the next event, which is its return, reads the keys.
            try? await keys.reload()
            verification.forget()
        }
    }
}
