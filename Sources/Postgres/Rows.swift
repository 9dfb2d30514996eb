import CPostgres
import Foundation

/// Owns a `PGresult`.
struct ResultHandle: ~Copyable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(pointer)
    }

    var status: ExecStatusType { PQresultStatus(pointer) }

    func field(_ code: Int32) -> String? {
        PQresultErrorField(pointer, code).map { String(cString: $0) }
    }
}

/// What a statement answered: its rows, and how many rows it affected.
public struct Rows: RandomAccessCollection, Sendable {
    /// Shares one result among its rows.
    final class Storage: Sendable {
        // Not isolated, because nobody writes to a finished `PGresult`: threads may share it (libpq, "Threaded Programs").
        nonisolated(unsafe) let result: ResultHandle

        init(_ result: consuming ResultHandle) {
            self.result = result
        }
    }

    let storage: Storage
    public let endIndex: Int

    init(_ result: consuming ResultHandle) {
        endIndex = Int(PQntuples(result.pointer))
        storage = Storage(result)
    }

    public var startIndex: Int { 0 }

    public subscript(position: Int) -> Row {
        precondition(position >= 0 && position < endIndex, "no row \(position)")
        return Row(storage: storage, index: Int32(position))
    }

    /// How many rows were inserted, updated, deleted, copied or returned; 0 for other statements.
    public var affected: Int {
        Int(String(cString: PQcmdTuples(storage.result.pointer))) ?? 0
    }

    /// The name of the command, such as `UPDATE`.
    var command: String {
        String(String(cString: PQcmdStatus(storage.result.pointer)).prefix { $0 != " " })
    }

    /// The names of the columns.
    public var columns: [String] {
        (0..<PQnfields(storage.result.pointer)).map { String(cString: PQfname(storage.result.pointer, $0)) }
    }
}

/// One row of an answer.
public struct Row: Sendable {
    let storage: Rows.Storage
    let index: Int32

    /// The value of the first column with this name; `Type?` reads NULL as nil.
    /// - Throws: a `PostgresError` of kind `decoding`: no such column, NULL, or no value of the type.
    public func decode<Value: PostgresDecodable>(_ column: String, as: Value.Type = Value.self) throws -> Value {
        let result = storage.result.pointer
        let number = column.withCString { name in
            (0..<PQnfields(result)).first { strcmp(PQfname(result, $0), name) == 0 }
        }
        guard let number else { throw PostgresError(.decoding, "there is no column \(column)", column: column) }
        return try Value(cell: Cell(column: column, bytes: bytes(number)))
    }

    /// The value of a column by its place; the first is 0.
    /// - Throws: a `PostgresError` of kind `decoding`: no such column, NULL, or no value of the type.
    public func decode<Value: PostgresDecodable>(_ column: Int, as: Value.Type = Value.self) throws -> Value {
        let result = storage.result.pointer
        guard column >= 0, column < PQnfields(result), let name = PQfname(result, Int32(column)) else {
            throw PostgresError(.decoding, "there is no column at \(column)")
        }
        return try Value(cell: Cell(column: String(cString: name), bytes: bytes(Int32(column))))
    }

    private func bytes(_ column: Int32) -> UnsafeBufferPointer<UInt8>? {
        let result = storage.result.pointer
        guard PQgetisnull(result, index, column) == 0, let value = PQgetvalue(result, index, column) else { return nil }
        let count = Int(PQgetlength(result, index, column))
        return UnsafeBufferPointer(start: UnsafeRawPointer(value).assumingMemoryBound(to: UInt8.self), count: count)
    }
}
