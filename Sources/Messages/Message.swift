import Database
import Kernel
import Postgres

/// A message to whoever booked, waiting in the outbox or sent.
public enum MessageKind: String, Sendable, CaseIterable {
    case requested, waitlisted, held, confirmed, changed, cancelled, expired, reminder
}

/// The way into the outbox, for whoever tells something.
public enum Outbox {
    /// The statement that puts a message into the outbox, in the transaction of what it tells of.
    /// - Parameter key: what makes it one message: the same key is sent once, however often it is put in.
    public static func insert(_ kind: MessageKind, booking: Int64, key: String, _ scope: Scope) -> SQL {
        """
        INSERT INTO message (village_id, key, kind, booking_id)
        VALUES (\(scope.village), \(key), \(kind.rawValue), \(booking))
        ON CONFLICT (village_id, key) DO NOTHING
        """
    }
}
