import Foundation

/// One value of a row in the text form of its type.
public struct Cell {
    /// The name of its column.
    public let column: String
    /// The value's text, nil for NULL. The memory is valid only until the initialiser that was given the cell returns.
    public let bytes: UnsafeBufferPointer<UInt8>?

    /// The text, which a value that is not NULL always has.
    /// - Throws: a `PostgresError` of kind `decoding` for NULL.
    public func text() throws -> UnsafeBufferPointer<UInt8> {
        guard let bytes else { throw PostgresError(.decoding, "column \(column) is NULL", column: column) }
        return bytes
    }

    /// The error for a value that is no `type`; it tells the column, never the value.
    public func mismatch(_ type: Any.Type) -> PostgresError {
        PostgresError(.decoding, "column \(column) is no \(type)", column: column)
    }
}

/// A type that can be read from a row. Types of one's own delegate to one of those here:
///
///     extension Money: PostgresDecodable { public init(cell: Cell) throws { self.init(fen: try Int64(cell: cell)) } }
public protocol PostgresDecodable {
    /// - Throws: a `PostgresError` of kind `decoding` when the value is NULL or no value of this type.
    init(cell: Cell) throws
}

extension PostgresDecodable where Self: FixedWidthInteger {
    public init(cell: Cell) throws {
        let text = try cell.text()
        let isNegative = text.first == UInt8(ascii: "-")
        var value: Self = 0
        for byte in text.dropFirst(isNegative ? 1 : 0) {
            let digit = Self(truncatingIfNeeded: byte &- 48)
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) =
                isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
            guard byte &- 48 < 10, !overflow, !overflow2 else { throw cell.mismatch(Self.self) }
            value = sum
        }
        guard text.count > (isNegative ? 1 : 0) else { throw cell.mismatch(Self.self) }
        self = value
    }
}

extension Int: PostgresDecodable {}
extension Int64: PostgresDecodable {}
extension Int32: PostgresDecodable {}
extension Int16: PostgresDecodable {}

extension Bool: PostgresDecodable {
    public init(cell: Cell) throws {
        let text = try cell.text()
        switch text.count == 1 ? text[0] : 0 {
        case UInt8(ascii: "t"): self = true
        case UInt8(ascii: "f"): self = false
        default: throw cell.mismatch(Bool.self)
        }
    }
}

extension Double: PostgresDecodable {
    public init(cell: Cell) throws {
        guard let value = Double(String(decoding: try cell.text(), as: UTF8.self)) else {
            throw cell.mismatch(Double.self)
        }
        self = value
    }
}

extension String: PostgresDecodable {
    /// The text form of a value of any type.
    public init(cell: Cell) throws {
        self.init(decoding: try cell.text(), as: UTF8.self)
    }
}

extension UUID: PostgresDecodable {
    public init(cell: Cell) throws {
        guard let value = UUID(uuidString: try String(cell: cell)) else { throw cell.mismatch(UUID.self) }
        self = value
    }
}

extension Date: PostgresDecodable {
    public init(cell: Cell) throws {
        guard let value = TimestampText.read(try cell.text()) else { throw cell.mismatch(Date.self) }
        self = value
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    public init(cell: Cell) throws {
        self = cell.bytes == nil ? nil : try Wrapped(cell: cell)
    }
}

/// A type of which an array can be read. An array of `UInt8` is a `bytea`; all others are PostgreSQL arrays.
public protocol PostgresArrayDecodable {
    static func postgresArray(cell: Cell) throws -> [Self]
}

extension Array: PostgresDecodable where Element: PostgresArrayDecodable {
    public init(cell: Cell) throws {
        self = try Element.postgresArray(cell: cell)
    }
}

extension PostgresArrayDecodable where Self: PostgresDecodable {
    public static func postgresArray(cell: Cell) throws -> [Self] {
        guard let elements = ArrayText.read(try cell.text()) else { throw cell.mismatch([Self].self) }
        return try elements.map { element in
            guard let element else { return try Self(cell: Cell(column: cell.column, bytes: nil)) }
            return try element.withUnsafeBufferPointer { try Self(cell: Cell(column: cell.column, bytes: $0)) }
        }
    }
}

extension UInt8: PostgresArrayDecodable {
    public static func postgresArray(cell: Cell) throws -> [UInt8] {
        guard let bytes = Hex.read(try cell.text()) else { throw cell.mismatch([UInt8].self) }
        return bytes
    }
}

extension Array: PostgresArrayDecodable where Element == UInt8 {}
extension Optional: PostgresArrayDecodable where Wrapped: PostgresArrayDecodable & PostgresDecodable {}
extension Int: PostgresArrayDecodable {}
extension Int64: PostgresArrayDecodable {}
extension Int32: PostgresArrayDecodable {}
extension Int16: PostgresArrayDecodable {}
extension Bool: PostgresArrayDecodable {}
extension Double: PostgresArrayDecodable {}
extension String: PostgresArrayDecodable {}
extension UUID: PostgresArrayDecodable {}
extension Date: PostgresArrayDecodable {}
