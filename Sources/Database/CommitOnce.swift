import Kernel
import Postgres
import Synchronization

extension Database {
    /// Runs `body` in one transaction in `scope`, and commits what it returns to be written last, under a key of its own.
    ///
    /// When the connection breaks at the commit, it is found out whether it was made. It is not made again: `body` may read
    /// a file of a million rows.
    /// - Throws: what `body` throws; a `Refusal` of kind `unavailable`, with the code `nothing-recorded` where the commit
    ///   was not made, and `maybe-recorded` where nobody can tell.
    public func commitOnce<Value: Sendable>(
        _ scope: Scope, _ body: @escaping @Sendable (Transaction) async throws -> (value: Value, last: [SQL])
    ) async throws -> Value {
        let made = Mutex<Value?>(nil)
        let key = Retry.ofItsOwn()
        do {
            return try await importing(scope) { transaction in
                let (value, last) = try await body(transaction)
                made.withLock { $0 = value }
                _ = try await transaction.commit(last + [key.insert(answer: "", by: scope)] + scope.admission)
                return value
            }
        } catch let error as PostgresError where error.constraint == Scope.admitted {
            throw Scope.ended
        } catch let refusal as Refusal where refusal.code == Self.maybeRecorded.code {
            for pause in Self.pauses {
                try await Task.sleep(for: pause)
                // Waits for a commit that is under way still; and none comes after it.
                guard let isFree = try? await transaction(scope, { try await key.claim(in: $0, by: scope) }) else {
                    continue
                }
                if !isFree, let value = made.withLock({ $0 }) { return value }
                throw Self.nothingRecorded
            }
            throw Self.maybeRecordedWhole
        }
    }

    private static let nothingRecorded = Refusal(
        .unavailable, "nothing-recorded", zh: "与数据库的连接在提交时断开，什么都没有记录；请再来一次",
        en: "the connection to the database broke at the commit, and nothing was recorded: do it again")

    /// As `maybeRecorded`, of what finds again what it recorded.
    private static let maybeRecordedWhole = Refusal(
        .unavailable, "maybe-recorded", zh: "与数据库的连接在提交时断开，可能已经全部记录，也可能什么都没有记录；请再来一次，已记录的行会认出来，不会重复",
        en:
            "the connection to the database broke at the commit: all of it may have been recorded, or nothing; do it again, "
            + "and rows that are recorded are found and not recorded twice")
}
