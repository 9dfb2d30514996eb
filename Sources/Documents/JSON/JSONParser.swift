import Kernel

extension JSON {
    /// Reads a JSON text (RFC 8259) strictly: UTF-8 without a byte order mark, no duplicate names, numbers that fit.
    /// - Throws: a `Refusal` with the code `malformed-json`.
    public init(parsing bytes: [UInt8]) throws {
        var parser = JSONParser(bytes)
        self = try parser.document()
    }
}

/// A recursive-descent parser, because Foundation's `JSONDecoder` takes the last of two members of the same name
/// without a word, and needs a multiple of the time for values whose shape is not known beforehand.
struct JSONParser {
    /// Deeper than any request of ours, and shallow enough for the stack.
    static let depthLimit = 32
    /// More than any object of ours has; it keeps the search for duplicate names short.
    static let memberLimit = 250
    /// Bytes of a name, for the same reason.
    static let nameLimit = 1000

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func document() throws -> JSON {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw malformed("JSON 之后还有内容", "something follows the JSON") }
        return value
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    private func malformed(_ zh: String = "不是合法的 JSON", _ en: String = "this is no JSON") -> Refusal {
        Refusal(
            .invalid, "malformed-json", zh: "请求正文第 \(position + 1) 个字节处：\(zh)",
            en: "at byte \(position + 1) of the body: \(en)")
    }

    private mutating func value(depth: Int) throws -> JSON {
        guard depth < Self.depthLimit else { throw malformed("嵌套过深", "nested too deeply") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case nil: throw malformed("正文到此中断", "it ends here")
        default: return try number()
        }
    }

    private mutating func literal(_ word: StaticString, _ value: JSON) throws -> JSON {
        for offset in 0..<word.utf8CodeUnitCount {
            guard take(word.utf8Start[offset]) else { throw malformed() }
        }
        return value
    }

    private mutating func object(depth: Int) throws -> JSON {
        position += 1
        var members: [JSON.Member] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw malformed() }
            let key = try string()
            guard key.utf8.count <= Self.nameLimit else { throw malformed("字段名过长", "the name of a member is too long") }
            guard !members.contains(where: { $0.key == key }) else {
                throw malformed("“\(key.shortened)”出现两次", "“\(key.shortened)” stands there twice")
            }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw malformed() }
            members.append(JSON.Member(key, try value(depth: depth + 1)))
            guard members.count <= Self.memberLimit else { throw malformed("字段过多", "too many members") }
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw malformed() }
        return .object(members)
    }

    private mutating func array(depth: Int) throws -> JSON {
        position += 1
        var items: [JSON] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(items) }
        repeat {
            items.append(try value(depth: depth + 1))
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw malformed() }
        return .array(items)
    }

    private mutating func digits() throws {
        let start = position
        while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
        guard position > start else { throw malformed() }
    }

    private mutating func number() throws -> JSON {
        let start = position
        _ = take(UInt8(ascii: "-"))
        let leadingZero = current == UInt8(ascii: "0")
        let wholeStart = position
        try digits()
        guard !leadingZero || position == wholeStart + 1 else { throw malformed() }
        var whole = true
        if take(UInt8(ascii: ".")) {
            whole = false
            try digits()
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            whole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if whole {
            guard let integer = Int64(text) else { throw malformed("数字过大", "the number is too large") }
            return .integer(integer)
        }
        guard let double = Double(text), double.isFinite else {
            throw malformed("数字过大", "the number is too large")
        }
        // JSON Schema counts 1.0 and 1e3 among the integers.
        if double.magnitude <= 0x1p53, double == double.rounded() { return .integer(Int64(double)) }
        return .number(double)
    }

    private mutating func string() throws -> String {
        position += 1
        let start = position
        while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if current == UInt8(ascii: "\"") { return try text(bytes[start..<position]) }
        var unescaped = Array(bytes[start..<position])
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""): return try text(unescaped[...])
            case UInt8(ascii: "\\"): try unescape(into: &unescaped)
            case 0..<0x20: throw malformed("文本中有控制字符", "a control character in a string")
            default:
                unescaped.append(byte)
                position += 1
            }
        }
        throw malformed("文本没有结束", "the string has no end")
    }

    /// Called at the closing quotation mark, which it passes.
    private mutating func text(_ utf8: ArraySlice<UInt8>) throws -> String {
        guard let text = String(validating: utf8, as: UTF8.self) else { throw malformed("不是 UTF-8", "not UTF-8") }
        position += 1
        return text
    }

    private mutating func unescape(into target: inout [UInt8]) throws {
        position += 1
        guard let byte = current else { throw malformed() }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): target.append(byte)
        case UInt8(ascii: "b"): target.append(0x08)
        case UInt8(ascii: "f"): target.append(0x0C)
        case UInt8(ascii: "n"): target.append(0x0A)
        case UInt8(ascii: "r"): target.append(0x0D)
        case UInt8(ascii: "t"): target.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try hexadecimal())
            if (0xD800...0xDBFF).contains(code), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
                let low = UInt32(try hexadecimal())
                guard (0xDC00...0xDFFF).contains(low) else { throw malformed("孤立的代理项", "a lone surrogate") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw malformed("孤立的代理项", "a lone surrogate") }
            target.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw malformed()
        }
    }

    private mutating func hexadecimal() throws -> UInt16 {
        var code: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Self.hexadecimalDigit(byte) else { throw malformed() }
            code = code << 4 | UInt16(digit)
            position += 1
        }
        return code
    }

    static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 0x57
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 0x37
        default: nil
        }
    }
}
