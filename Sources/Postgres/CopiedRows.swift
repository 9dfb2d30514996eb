import CPostgres

/// A row whose columns are read by their places.
public protocol PlacedRow {
    /// The value of a column by its place; the first is 0.
    /// - Throws: a `PostgresError` of kind `decoding`: no such column, NULL, or no value of the type.
    func decode<Value: PostgresDecodable>(_ column: Int, as: Value.Type) throws -> Value
}

extension PlacedRow {
    public func decode<Value: PostgresDecodable>(_ column: Int) throws -> Value {
        try decode(column, as: Value.self)
    }
}

extension Row: PlacedRow {}

/// The rows of a piece of what `Transaction.copyOut` hands over, in the text format of COPY.
public struct CopiedRows: Sequence, Sendable {
    public struct Row: PlacedRow, Sendable {
        /// Shared by the rows of one piece.
        fileprivate let bytes: [UInt8]
        /// Where its values are; nil is NULL.
        fileprivate let fields: [Range<Int>?]

        public func decode<Value: PostgresDecodable>(_ column: Int, as: Value.Type) throws -> Value {
            guard fields.indices.contains(column) else {
                throw PostgresError(.decoding, "there is no column at \(column)")
            }
            return try bytes.withUnsafeBufferPointer { all in
                try Value(
                    cell: Cell(
                        column: String(column),
                        bytes: fields[column].map { UnsafeBufferPointer(rebasing: all[$0]) }))
            }
        }
    }

    /// Without the escapes, so that values can be read where they stand.
    private var plain: [UInt8] = []
    private var rows: [[Range<Int>?]] = []

    /// - Parameter piece: whole rows.
    public init(_ piece: [UInt8]) {
        plain.reserveCapacity(piece.count)
        var fields: [Range<Int>?] = []
        var start = 0
        var isEscaped = false
        var isNull = false
        for byte in piece {
            if isEscaped {
                isEscaped = false
                switch byte {
                case UInt8(ascii: "N"): isNull = true
                case UInt8(ascii: "b"): plain.append(8)
                case UInt8(ascii: "t"): plain.append(9)
                case UInt8(ascii: "n"): plain.append(10)
                case UInt8(ascii: "v"): plain.append(11)
                case UInt8(ascii: "f"): plain.append(12)
                case UInt8(ascii: "r"): plain.append(13)
                default: plain.append(byte)
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\\"): isEscaped = true
            case UInt8(ascii: "\t"), UInt8(ascii: "\n"):
                fields.append(isNull ? nil : start..<plain.count)
                isNull = false
                start = plain.count
                if byte == UInt8(ascii: "\n") {
                    rows.append(fields)
                    fields.removeAll(keepingCapacity: true)
                }
            default: plain.append(byte)
            }
        }
    }

    public func makeIterator() -> AnyIterator<Row> {
        var place = 0
        return AnyIterator {
            guard place < rows.count else { return nil }
            defer { place += 1 }
            return Row(bytes: plain, fields: rows[place])
        }
    }
}

extension SQL {
    /// With its parameters as literals in the text, written by libpq: for COPY, which takes no parameters.
    func quoted(by connection: OpaquePointer) throws -> String {
        var text = segments[0]
        for (parameter, segment) in zip(parameters, segments.dropFirst()) {
            switch parameter {
            case .null: text += "NULL"
            case .text(let value): text += try Self.literal(value, connection)
            case .bytes(let bytes):
                var hex = Array("\\x".utf8)
                Hex.append(bytes, to: &hex)
                text += try Self.literal(String(decoding: hex, as: UTF8.self), connection)
            }
            text += segment
        }
        return text
    }

    private static func literal(_ value: String, _ connection: OpaquePointer) throws -> String {
        guard !value.utf8.contains(0) else {
            throw PostgresError(.encoding, "PostgreSQL stores no text with a zero byte")
        }
        guard let quoted = PQescapeLiteral(connection, value, value.utf8.count) else {
            throw PostgresError(.encoding, "a text is no UTF-8")
        }
        defer { PQfreemem(quoted) }
        return String(cString: quoted)
    }
}
