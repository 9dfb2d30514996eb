import Kernel
import Postgres

/// Transactions whose statements may take longer than others.
extension Database {
    /// Runs `body` in one transaction that writes nothing and sees the books of one moment, whatever others write
    /// meanwhile. As it may sum them up, its statements may take long.
    /// - Parameter isStreamed: whether rows go to somebody who takes them at leisure; then a statement has no end.
    /// - Throws: what `body` throws; a `Refusal` of kind `unavailable` when the database can't be reached.
    public func snapshot<Value: Sendable>(
        _ scope: Scope, isStreamed: Bool = false, _ body: @escaping @Sendable (Transaction) async throws -> Value
    ) async throws -> Value {
        try await noticing {
            try await self.service.transaction(
                local: scope.settings + [Self.limit("statement_timeout", isStreamed ? .zero : self.patience * 12)],
                isolation: .repeatableRead, readOnly: true, body)
        }
    }

    /// Runs `body` in one transaction of a register's import, which waits for whom it finds at work.
    func importing<Value: Sendable>(
        _ scope: Scope, _ body: @escaping @Sendable (Transaction) async throws -> Value
    ) async throws -> Value {
        let settings = [Self.limit("statement_timeout", patience * 100), Self.limit("lock_timeout", patience * 12)]
        return try await noticing { try await self.service.transaction(local: scope.settings + settings, body) }
    }

    private static func limit(_ name: StaticString, _ time: Duration) -> LocalSetting {
        LocalSetting(name, Int(time / .milliseconds(1)))
    }
}
