import Database
import Foundation
import Kernel
import Postgres

/// Trying again what was given up. The message stays the one it was, under its key: whoever receives it can tell that
/// an earlier attempt came through after all, and a message that was sent is never tried again.
extension MessageStore {
    /// Puts a message that was given up back into the outbox, due now and with all its attempts before it.
    /// - Throws: a `Refusal` of kind `notFound`; of kind `conflict` when it is sent or waits.
    public static func retry(_ id: Int64, now: Date) -> Plan<Message> {
        { transaction, scope in
            // Locked, so that of two who retry it one is told that it waits already.
            let rows = try await transaction.query(
                """
                SELECT \(columns) FROM message WHERE village_id = \(scope.village) AND id = \(id) FOR NO KEY UPDATE
                """)
            guard let row = rows.first else {
                throw Refusal(
                    .notFound, "unknown-message", field: "message", zh: "没有消息 \(id)", en: "there is no message \(id)")
            }
            var message = try Self.message(row)
            try MessageRules.checkRetry(message)
            let event = Event(
                "message.retry", "\(id)", .number("attempts", message.attempts), .text("error", message.lastError))
            message.dueAt = now
            message.attempts = 0
            message.givenUpAt = nil
            return Change(message, writes: [again([id], now: now, scope)], event: event)
        }
    }

    /// What became of all that could not be sent.
    public struct Retried: Sendable, Hashable {
        /// How many wait again.
        public let count: Int
        /// How many a server has refused for good: they stay given up, until somebody retries one by its number.
        public let refused: Int
    }

    /// The same for every message that could not be sent, in the order of their numbers. Those that were overtaken stay
    /// given up: there is no point in them any more; so do those that a server has refused for good.
    public static func retryAllFailed(now: Date) -> Plan<Retried> {
        { transaction, scope in
            let failed = try await transaction.query(
                """
                SELECT id, refused FROM message
                WHERE village_id = \(scope.village) AND given_up_at IS NOT NULL AND sent_at IS NULL
                    AND last_error IS DISTINCT FROM \(MessageRules.overtaken)
                ORDER BY id FOR NO KEY UPDATE
                """
            ).map { (id: try $0.decode("id", as: Int64.self), isRefused: try $0.decode("refused", as: Bool.self)) }
            let ids = failed.filter { !$0.isRefused }.map(\.id)
            let retried = Retried(count: ids.count, refused: failed.count - ids.count)
            return Change(
                retried, writes: ids.isEmpty ? [] : [again(ids, now: now, scope)],
                event: Event(
                    "message.retry", "all", .number("messages", retried.count), .number("refused", retried.refused)))
        }
    }

    private static func again(_ ids: [Int64], now: Date, _ scope: Scope) -> SQL {
        """
        UPDATE message SET given_up_at = NULL, due_at = \(now), attempts = 0
        WHERE village_id = \(scope.village) AND id = ANY(\(ids)::bigint[]) AND sent_at IS NULL
        """
    }
}
