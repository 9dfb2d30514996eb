/// A statement with its parameters.
///
/// Only string interpolation builds it, and `\(value)` in it is a bound parameter, never text:
///
///     let sql: SQL = "SELECT name FROM product WHERE village_id = \(village) AND id = \(id)"
///
/// `\(sql)` splices another statement with its parameters, `\(literal: "…")` text known at compile time,
/// `\(identifier: name)` a quoted identifier and `\(known: count)` a number that the server plans by. Literals are `StaticString`s, so that no initialiser takes a `String`.
/// Parameters have the type that the server infers from their place; where it cannot, write a cast: `\(count)::int8`.
public struct SQL: ExpressibleByStringInterpolation, CustomStringConvertible, Sendable {
    /// The texts around the parameters: always one more than there are parameters.
    var segments: [String]
    var parameters: [Parameter]

    public init(stringLiteral text: StaticString) {
        segments = [text.string]
        parameters = []
    }

    public init(stringInterpolation interpolation: Interpolation) {
        self = interpolation.sql
    }

    /// What the server is sent, with `$1` for the first parameter; parameter values are not in it.
    public var description: String {
        var text = segments[0]
        for number in 1..<segments.count {
            text += "$\(number)"
            text += segments[number]
        }
        return text
    }

    public static func + (left: SQL, right: SQL) -> SQL {
        var sum = left
        sum.append(right)
        return sum
    }

    public static func += (left: inout SQL, right: SQL) {
        left.append(right)
    }

    mutating func append(text: String) {
        segments[segments.count - 1] += text
    }

    mutating func append(_ other: SQL) {
        append(text: other.segments[0])
        segments += other.segments.dropFirst()
        parameters += other.parameters
    }

    public struct Interpolation: StringInterpolationProtocol {
        var sql: SQL = ""

        public init(literalCapacity: Int, interpolationCount: Int) {
            sql.segments.reserveCapacity(interpolationCount + 1)
            sql.parameters.reserveCapacity(interpolationCount)
        }

        public mutating func appendLiteral(_ text: StaticString) {
            sql.append(text: text.string)
        }

        /// Binds a parameter.
        public mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
            sql.parameters.append(value.postgresParameter)
            sql.segments.append(Value.postgresType.map { "::" + $0.string } ?? "")
        }

        /// Binds a parameter; nil is NULL. Without this one, the compiler warns of every optional in a statement.
        public mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            sql.parameters.append(value?.postgresParameter ?? .null)
            sql.segments.append(Value.postgresType.map { "::" + $0.string } ?? "")
        }

        /// Splices a statement or a part of one, with its parameters.
        public mutating func appendInterpolation(_ other: SQL) {
            sql.append(other)
        }

        /// Splices text that is known at compile time.
        public mutating func appendInterpolation(literal text: StaticString) {
            sql.append(text: text.string)
        }

        /// Splices a number as text. How many rows are wanted tells how they are best found, and the server keeps a plan
        /// only where it need not be told anew: of a parameter it takes for granted that it wants a tenth of all.
        public mutating func appendInterpolation(known number: Int) {
            sql.append(text: String(number))
        }

        /// Splices one identifier, quoted; for `schema.table` splice two.
        public mutating func appendInterpolation(identifier name: String) {
            let parts = name.split(separator: "\"", omittingEmptySubsequences: false)
            sql.append(text: "\"" + parts.joined(separator: "\"\"") + "\"")
        }
    }
}

extension Sequence where Element == SQL {
    /// The statements one after another, with the separator between each two.
    public func joined(separator: StaticString) -> SQL {
        var joined: SQL = ""
        var isFirst = true
        for part in self {
            if !isFirst { joined.append(text: separator.string) }
            joined.append(part)
            isFirst = false
        }
        return joined
    }
}

extension StaticString {
    var string: String {
        withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
    }
}

extension SQL {
    /// Whether a column has one of these values. Up to 64 of them are parameters of their own, the last one repeated up to
    /// a power of two: of such a statement the server keeps its plan. How many values an array has the planner does not
    /// know, and so it plans each time anew.
    public static func among(_ values: [Int64], _ column: StaticString) -> SQL {
        few(values, column) ?? "\(literal: column) = ANY(\(values)::bigint[])"
    }

    /// The same of texts.
    public static func among(_ values: [String], _ column: StaticString) -> SQL {
        few(values, column) ?? "\(literal: column) = ANY(\(values)::text[])"
    }

    private static func few<Value: PostgresEncodable>(_ values: [Value], _ column: StaticString) -> SQL? {
        guard let last = values.last, values.count <= 64 else { return nil }
        var size = 1
        while size < values.count { size *= 2 }
        let all: [SQL] = (values + Array(repeating: last, count: size - values.count)).map { "\($0)" }
        return "\(literal: column) IN (\(all.joined(separator: ", ")))"
    }
}
