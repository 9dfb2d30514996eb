import Foundation

/// A parameter as it travels to the server.
public enum Parameter: Sendable {
    case null
    /// The text form of a value of any type.
    case text(String)
    /// The binary form: of `bytea`, the bytes themselves.
    case bytes([UInt8])
}

/// A type whose values can be bound as parameters. Types of one's own delegate to one of those here:
///
///     extension Money: PostgresEncodable { public var postgresParameter: Parameter { fen.postgresParameter } }
public protocol PostgresEncodable: Sendable {
    /// The cast that follows the parameter in the statement, or nil where the server may infer the type.
    static var postgresType: StaticString? { get }
    var postgresParameter: Parameter { get }
}

extension PostgresEncodable {
    public static var postgresType: StaticString? { nil }
}

extension PostgresEncodable where Self: FixedWidthInteger {
    public var postgresParameter: Parameter { .text(String(self)) }
}

extension Int: PostgresEncodable {}
extension Int64: PostgresEncodable {}
extension Int32: PostgresEncodable {}
extension Int16: PostgresEncodable {}

extension Bool: PostgresEncodable {
    public static var postgresType: StaticString? { "bool" }
    public var postgresParameter: Parameter { .text(self ? "t" : "f") }
}

extension Double: PostgresEncodable {
    /// Swift writes the shortest text that reads back as the same value; PostgreSQL reads `inf` and `nan` too.
    public var postgresParameter: Parameter { .text(description) }
}

extension String: PostgresEncodable {
    public var postgresParameter: Parameter { .text(self) }
}

extension UUID: PostgresEncodable {
    public static var postgresType: StaticString? { "uuid" }
    public var postgresParameter: Parameter { .text(uuidString) }
}

extension Date: PostgresEncodable {
    public static var postgresType: StaticString? { "timestamptz" }
    /// UTC to the microsecond, which is what PostgreSQL keeps.
    public var postgresParameter: Parameter { .text(TimestampText.write(self)) }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    public static var postgresType: StaticString? { Wrapped.postgresType }
    public var postgresParameter: Parameter { self?.postgresParameter ?? .null }
}

/// A type of which an array can be bound. An array of `UInt8` is a `bytea`; all others are PostgreSQL arrays.
public protocol PostgresArrayElement: Sendable {
    static var postgresArrayType: StaticString? { get }
    static func postgresParameter(array: [Self]) -> Parameter
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    public static var postgresType: StaticString? { Element.postgresArrayType }
    public var postgresParameter: Parameter { Element.postgresParameter(array: self) }
}

extension PostgresArrayElement {
    public static var postgresArrayType: StaticString? { nil }
}

extension PostgresArrayElement where Self: PostgresEncodable {
    public static func postgresParameter(array: [Self]) -> Parameter {
        .text(ArrayText.write(array.lazy.map(\.postgresParameter)))
    }
}

extension UInt8: PostgresArrayElement {
    public static var postgresArrayType: StaticString? { "bytea" }
    public static func postgresParameter(array: [UInt8]) -> Parameter { .bytes(array) }
}

extension Array: PostgresArrayElement where Element == UInt8 {
    public static var postgresArrayType: StaticString? { "bytea[]" }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement & PostgresEncodable {
    public static var postgresArrayType: StaticString? { Wrapped.postgresArrayType }
}

extension Int: PostgresArrayElement {}
extension Int64: PostgresArrayElement {}
extension Int32: PostgresArrayElement {}
extension Int16: PostgresArrayElement {}
extension Bool: PostgresArrayElement {
    public static var postgresArrayType: StaticString? { "bool[]" }
}
extension Double: PostgresArrayElement {}
extension String: PostgresArrayElement {}
extension UUID: PostgresArrayElement {
    public static var postgresArrayType: StaticString? { "uuid[]" }
}
extension Date: PostgresArrayElement {
    public static var postgresArrayType: StaticString? { "timestamptz[]" }
}

/// PostgreSQL's text form of one-dimensional arrays, `{1,"a b",NULL}`.
enum ArrayText {
    static func write(_ elements: some Sequence<Parameter>) -> String {
        var text: [UInt8] = [UInt8(ascii: "{")]
        for element in elements {
            if text.count > 1 { text.append(UInt8(ascii: ",")) }
            switch element {
            case .null:
                text += "NULL".utf8
            case .text(let value):
                text.append(UInt8(ascii: "\""))
                for byte in value.utf8 {
                    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
                    text.append(byte)
                }
                text.append(UInt8(ascii: "\""))
            case .bytes(let bytes):
                text += "\"\\\\x".utf8
                Hex.append(bytes, to: &text)
                text.append(UInt8(ascii: "\""))
            }
        }
        text.append(UInt8(ascii: "}"))
        return String(decoding: text, as: UTF8.self)
    }

    /// The elements of a one-dimensional array, nil for NULL; nil when the text is no such array.
    static func read(_ text: UnsafeBufferPointer<UInt8>) -> [[UInt8]?]? {
        guard text.count >= 2, text.first == UInt8(ascii: "{"), text.last == UInt8(ascii: "}") else { return nil }
        if text.count == 2 { return [] }
        var elements: [[UInt8]?] = []
        var element: [UInt8] = []
        var isQuoted = false
        var inQuotes = false
        var index = 1
        while index < text.count {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "\\") where index + 2 < text.count:
                index += 1
                element.append(text[index])
            case UInt8(ascii: "\""):
                inQuotes.toggle()
                isQuoted = true
            case UInt8(ascii: "{") where !inQuotes:
                return nil
            case UInt8(ascii: ",") where !inQuotes, UInt8(ascii: "}") where !inQuotes:
                elements.append(!isQuoted && element.elementsEqual("NULL".utf8) ? nil : element)
                element = []
                isQuoted = false
            default:
                element.append(byte)
            }
            index += 1
        }
        return inQuotes ? nil : elements
    }
}

enum Hex {
    static func append(_ bytes: some Collection<UInt8>, to text: inout [UInt8]) {
        text.reserveCapacity(text.count + 2 * bytes.count)
        for byte in bytes {
            text.append(digit(byte >> 4))
            text.append(digit(byte & 15))
        }
    }

    /// The bytes of `\x6162`, or nil.
    static func read(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard text.count >= 2, text.count % 2 == 0, text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x") else {
            return nil
        }
        var isValid = true
        let bytes = [UInt8](unsafeUninitializedCapacity: text.count / 2 - 1) { bytes, count in
            for index in 0..<(text.count / 2 - 1) {
                let (high, low) = (value(text[2 * index + 2]), value(text[2 * index + 3]))
                isValid = isValid && high < 16 && low < 16
                bytes[index] = high << 4 | low & 15
            }
            count = text.count / 2 - 1
        }
        return isValid ? bytes : nil
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

    private static func value(_ digit: UInt8) -> UInt8 {
        switch digit {
        case 48...57: digit - 48
        case 97...102: digit - 87
        case 65...70: digit - 55
        default: 255
        }
    }
}
