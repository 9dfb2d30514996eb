/// Base32 in the alphabet A–Z, 2–7 without padding (RFC 4648, section 6). Bytes have one spelling, upper and lower case
/// aside.
public enum Base32 {
    private static let digits: [UInt8] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    /// Value by character; 0xFF for a character outside the alphabet.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, digit) in digits.enumerated() {
            values[Int(digit)] = UInt8(value)
            // Letters only: the bit that makes them lower case is already set in the figures.
            values[Int(digit | 0x20)] = UInt8(value)
        }
        return values
    }()

    /// - Returns: upper case.
    public static func encode(_ bytes: [UInt8]) -> String {
        let length = (bytes.count * 8 + 4) / 5
        return digits.withUnsafeBufferPointer { digits in
            String(unsafeUninitializedCapacity: length) { text in
                var bits: UInt32 = 0
                var held: UInt32 = 0
                var position = 0
                for byte in bytes {
                    bits = bits << 8 | UInt32(byte)
                    held += 8
                    while held >= 5 {
                        held -= 5
                        text[position] = digits[Int(bits >> held & 31)]
                        position += 1
                    }
                }
                if held > 0 { text[position] = digits[Int(bits << (5 - held) & 31)] }
                return length
            }
        }
    }

    /// - Returns: nil for padding, white space, other characters, a length that no bytes have, and set bits that would
    ///   be thrown away.
    public static func decode(_ text: String) -> [UInt8]? {
        var text = text
        return text.withUTF8 { text in
            values.withUnsafeBufferPointer { values in
                decode(text, values)
            }
        }
    }

    private static func decode(
        _ text: UnsafeBufferPointer<UInt8>, _ values: UnsafeBufferPointer<UInt8>
    ) -> [UInt8]? {
        var bits: UInt32 = 0
        var held: UInt32 = 0
        var seen: UInt8 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: text.count * 5 / 8) { bytes, count in
            for character in text {
                let value = values[Int(character)]
                seen |= value
                bits = bits << 5 | UInt32(value & 31)
                held += 5
                if held >= 8 {
                    held -= 8
                    bytes[count] = UInt8(truncatingIfNeeded: bits >> held)
                    count += 1
                }
            }
        }
        return seen < 32 && held < 5 && bits & ((1 << held) - 1) == 0 ? bytes : nil
    }
}
