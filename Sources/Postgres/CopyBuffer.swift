/// Rows in the text format of `COPY … FROM STDIN`.
///
///     var rows = CopyBuffer()
///     try rows.append(7)
///     try rows.append("蟠桃")
///     rows.endRow()
///     try await transaction.copyIn("COPY product (id, name) FROM STDIN", rows.bytes)
public struct CopyBuffer: Sendable {
    public private(set) var bytes: [UInt8] = []
    private var isRowStart = true

    public init() {}

    /// Appends a value of the current row; nil is NULL.
    /// - Throws: a `PostgresError` of kind `encoding` for text with a zero byte.
    public mutating func append<Value: PostgresEncodable>(_ value: Value) throws {
        switch value.postgresParameter {
        case .null:
            separate()
            bytes += "\\N".utf8
        case .text(let text):
            guard !text.utf8.contains(0) else {
                throw PostgresError(.encoding, "PostgreSQL stores no text with a zero byte")
            }
            separate()
            escape(text)
        case .bytes(let value):
            separate()
            bytes += "\\\\x".utf8
            Hex.append(value, to: &bytes)
        }
    }

    /// Ends the current row.
    public mutating func endRow() {
        bytes.append(UInt8(ascii: "\n"))
        isRowStart = true
    }

    /// Forgets all rows and keeps the memory, for the next ones.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        isRowStart = true
    }

    private mutating func separate() {
        if !isRowStart { bytes.append(UInt8(ascii: "\t")) }
        isRowStart = false
    }

    private mutating func escape(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): bytes += "\\\\".utf8
            case UInt8(ascii: "\t"): bytes += "\\t".utf8
            case UInt8(ascii: "\n"): bytes += "\\n".utf8
            case UInt8(ascii: "\r"): bytes += "\\r".utf8
            default: bytes.append(byte)
            }
        }
    }
}
