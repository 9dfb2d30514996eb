import CPostgres

/// Statements sent together and answered together: one round trip, and one transaction unless one is open already.
extension Wire {
    private enum Step {
        case discard(name: String)
        case prepare(SQL, name: String, statement: Int)
        case execute(SQL, statement: Int)
    }

    /// Runs the statements; after the first that fails the server skips the rest.
    /// - Throws: the error of the first statement that failed, with its place in `statement`.
    func run(_ batch: [SQL]) throws -> [Rows] {
        guard !isBroken else { throw lost() }
        guard !isCopying else { throw PostgresError(.misuse, "a COPY is under way on this connection") }
        if batch.isEmpty { return [] }
        for sql in batch { try ParameterBlock.check(sql) }
        var steps: [Step] = []
        steps.reserveCapacity(batch.count + 1)
        var fresh: [[String]: String] = [:]
        for (index, sql) in batch.enumerated() {
            try send(sql, index, &steps, &fresh)
        }
        guard PQpipelineSync(connection) == 1 else { throw lost() }
        return try receive(steps, count: batch.count)
    }

    private func send(_ sql: SQL, _ index: Int, _ steps: inout [Step], _ fresh: inout [[String]: String]) throws {
        let connection = connection
        var name = statements.name(of: sql) ?? fresh[sql.segments]
        if name == nil, StatementCache.canPrepare(sql) {
            try discardStatements(&steps)
            let newName = statements.newName()
            guard PQsendPrepare(connection, newName, sql.description, 0, nil) == 1 else { throw lost() }
            steps.append(.prepare(sql, name: newName, statement: index))
            fresh[sql.segments] = newName
            name = newName
        }
        let sent = parameters.with(sql.parameters) { count, values, lengths, formats in
            if let name {
                PQsendQueryPrepared(connection, name, count, values, lengths, formats, 0)
            } else {
                PQsendQueryParams(connection, sql.description, count, nil, values, lengths, formats, 0)
            }
        }
        guard sent == 1 else { throw lost() }
        steps.append(.execute(sql, statement: index))
    }

    private func discardStatements(_ steps: inout [Step]) throws {
        for name in statements.discarded {
            if steps.contains(where: { if case .discard(name) = $0 { true } else { false } }) { continue }
            guard PQsendQueryParams(connection, "DEALLOCATE " + name, 0, nil, nil, nil, nil, 0) == 1 else {
                throw lost()
            }
            steps.append(.discard(name: name))
        }
    }

    private func receive(_ steps: [Step], count: Int) throws -> [Rows] {
        var rows: [Rows] = []
        rows.reserveCapacity(count)
        var failed: PostgresError?
        for step in steps {
            guard let pointer = try nextResult() else { throw lost() }
            let result = ResultHandle(pointer)
            switch (result.status, step) {
            case (PGRES_COMMAND_OK, .discard(let name)):
                statements.forget(discarded: name)
            case (PGRES_COMMAND_OK, .prepare(let sql, let name, _)):
                statements.insert(sql, name: name)
            case (PGRES_COMMAND_OK, .execute), (PGRES_TUPLES_OK, .execute), (PGRES_EMPTY_QUERY, .execute):
                rows.append(Rows(result))
            case (PGRES_PIPELINE_ABORTED, _):
                break
            case (PGRES_FATAL_ERROR, _):
                var error = failure(result)
                switch step {
                case .discard(let name): if error.sqlState == "26000" { statements.forget(discarded: name) }
                case .prepare(_, _, let statement): error.statement = statement
                case .execute(let sql, let statement):
                    error.statement = statement
                    // The plan's columns have changed, or somebody has deallocated the statement.
                    if error.isStalePlan { statements.remove(sql, isGone: error.sqlState == "26000") }
                }
                if isBroken { throw failed ?? error }
                failed = failed ?? error
            default:
                // A COPY that was sent as a query: the pipeline cannot be brought back into step.
                _ = lost()
                throw PostgresError(.misuse, "COPY is not a query; use copyIn or copyOut")
            }
            while let more = try nextResult() { PQclear(more) }
        }
        guard let sync = try nextResult() else { throw lost() }
        guard ResultHandle(sync).status == PGRES_PIPELINE_SYNC else { throw lost() }
        if let failed { throw failed }
        return rows
    }

    /// Runs a text of several statements; for migrations, which have no parameters.
    func run(script: String) throws {
        guard !isCopying else { throw PostgresError(.misuse, "a COPY is under way on this connection") }
        guard !script.utf8.contains(0) else { throw PostgresError(.encoding, "the script contains a zero byte") }
        guard !isBroken, PQexitPipelineMode(connection) == 1, PQsendQuery(connection, script) == 1 else { throw lost() }
        var failed: PostgresError?
        while let pointer = try nextResult() {
            let result = ResultHandle(pointer)
            switch result.status {
            case PGRES_FATAL_ERROR:
                failed = failed ?? failure(result, isScript: true)
                if isBroken { throw failed ?? lost() }
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                _ = lost()
                throw PostgresError(.misuse, "a script cannot contain COPY with the client")
            default: break
            }
        }
        guard PQenterPipelineMode(connection) == 1 else { throw lost() }
        if let failed { throw failed }
    }
}
