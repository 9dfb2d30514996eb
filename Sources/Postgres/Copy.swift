import CPostgres

/// COPY, which libpq does not allow in a pipeline.
extension Wire {
    func beginCopy(_ sql: SQL, into expected: ExecStatusType) throws {
        guard !isCopying else { throw PostgresError(.misuse, "a COPY is under way on this connection") }
        guard expected == PGRES_COPY_OUT || sql.parameters.isEmpty else {
            throw PostgresError(.misuse, "COPY from here takes no parameters")
        }
        let text = try sql.quoted(by: connection)
        guard !isBroken, PQexitPipelineMode(connection) == 1,
            PQsendQueryParams(connection, text, 0, nil, nil, nil, nil, 0) == 1
        else { throw lost() }
        guard let pointer = try nextResult() else { throw lost() }
        let result = ResultHandle(pointer)
        if result.status == expected {
            isCopying = true
            return
        }
        guard result.status == PGRES_FATAL_ERROR else {
            _ = lost()
            throw PostgresError(.misuse, "the statement is no COPY in this direction")
        }
        let error = failure(result)
        if !isBroken { try leaveCopy() }
        throw error
    }

    func putCopy(_ bytes: [UInt8]) throws {
        guard isCopying, !isBroken else { throw PostgresError(.misuse, "no COPY is under way") }
        // In pieces, because libpq would otherwise hold a second copy of all that the server has not yet taken.
        for start in stride(from: 0, to: bytes.count, by: 1 << 18) {
            let piece = bytes[start..<min(bytes.count, start + 1 << 18)]
            let sent = piece.withUnsafeBytes { PQputCopyData(connection, $0.baseAddress, Int32($0.count)) }
            guard sent == 1 else { throw lost() }
            while PQflush(connection) == 1 {
                guard try exchange(unsent: true) else { throw lost() }
            }
        }
    }

    /// Ends a COPY to the server.
    /// - Parameter reason: when given, the server is told to fail the statement.
    /// - Returns: the rows copied.
    func endCopyIn(failing reason: String? = nil) throws -> Int {
        guard isCopying, !isBroken else { throw PostgresError(.misuse, "no COPY is under way") }
        guard PQputCopyEnd(connection, reason) == 1 else { throw lost() }
        return try finishCopy()
    }

    /// The next bytes of a COPY from the server, of some whole rows; nil at its end.
    func getCopy() throws -> [UInt8]? {
        guard isCopying, !isBroken else { throw PostgresError(.misuse, "no COPY is under way") }
        var chunk: [UInt8] = []
        while chunk.count < 1 << 16, !isCopyRead {
            var row: UnsafeMutablePointer<CChar>?
            let count = Int(PQgetCopyData(connection, &row, 1))
            if count > 0, let row {
                chunk.append(contentsOf: UnsafeRawBufferPointer(start: row, count: count))
                PQfreemem(row)
            } else if count == 0 {
                guard try exchange() else { throw lost() }
            } else if count == -1 {
                isCopyRead = true
            } else {
                throw lost()
            }
        }
        if chunk.isEmpty { _ = try finishCopy() }
        return chunk.isEmpty ? nil : chunk
    }

    private func finishCopy() throws -> Int {
        guard let pointer = try nextResult() else { throw lost() }
        let result = ResultHandle(pointer)
        guard result.status == PGRES_FATAL_ERROR else {
            let affected = Rows(result).affected
            try leaveCopy()
            return affected
        }
        let error = failure(result)
        if !isBroken { try leaveCopy() }
        throw error
    }

    private func leaveCopy() throws {
        while let more = try nextResult() { PQclear(more) }
        isCopying = false
        isCopyRead = false
        guard PQenterPipelineMode(connection) == 1 else { throw lost() }
    }
}
