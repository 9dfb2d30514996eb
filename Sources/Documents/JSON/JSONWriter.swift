extension JSON {
    /// The value as compact UTF-8, its members in their order.
    public var bytes: [UInt8] {
        var target: [UInt8] = []
        target.reserveCapacity(256)
        write(to: &target)
        return target
    }

    /// The same as text.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    private func write(to target: inout [UInt8]) {
        switch self {
        case .object(let members):
            var mark = UInt8(ascii: "{")
            for member in members {
                target.append(mark)
                Self.write(member.key, to: &target)
                target.append(UInt8(ascii: ":"))
                member.value.write(to: &target)
                mark = UInt8(ascii: ",")
            }
            if members.isEmpty { target.append(mark) }
            target.append(UInt8(ascii: "}"))
        case .array(let items):
            var mark = UInt8(ascii: "[")
            for item in items {
                target.append(mark)
                item.write(to: &target)
                mark = UInt8(ascii: ",")
            }
            if items.isEmpty { target.append(mark) }
            target.append(UInt8(ascii: "]"))
        case .string(let text): Self.write(text, to: &target)
        case .integer(let number): target.append(contentsOf: String(number).utf8)
        // JSON has no infinity and no NaN.
        case .number(let number): target.append(contentsOf: (number.isFinite ? String(number) : "null").utf8)
        case .bool(let value): target.append(contentsOf: (value ? "true" : "false").utf8)
        case .null: target.append(contentsOf: "null".utf8)
        }
    }

    private static func write(_ text: String, to target: inout [UInt8]) {
        target.append(UInt8(ascii: "\""))
        let plain: Void? = text.utf8.withContiguousStorageIfAvailable { utf8 in
            if utf8.contains(where: needsEscape) {
                for byte in utf8 { write(byte, to: &target) }
            } else {
                target.append(contentsOf: utf8)
            }
        }
        if plain == nil {
            for byte in text.utf8 { write(byte, to: &target) }
        }
        target.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func write(_ byte: UInt8, to target: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): target.append(contentsOf: [UInt8(ascii: "\\"), byte])
        case 0x0A: target.append(contentsOf: "\\n".utf8)
        case 0x0D: target.append(contentsOf: "\\r".utf8)
        case 0x09: target.append(contentsOf: "\\t".utf8)
        case 0..<0x20: target.append(contentsOf: "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
        default: target.append(byte)
        }
    }
}
