/// A decimal number as people write it, read without floating point.
public struct FixedDecimal: Sendable, Hashable {
    /// The digits as one integer: `8.50` is 850.
    public let digits: Int64
    /// How many of them stand after the point: `8.50` has 2.
    public let places: Int

    /// Reads `12`, `8.50`, `-3`, `1,234.5`, with full-width digits and signs taken for their plain forms.
    /// - Returns: nil for anything else, for more than 6 places, and beyond 15 digits.
    public init?(_ text: String) {
        var digits: Int64 = 0
        var count = 0
        var places: Int?
        var negative = false
        var sinceComma: Int?
        for (index, scalar) in text.unicodeScalars.enumerated() {
            switch Self.plain(scalar) {
            case let digit where digit.value >= 48 && digit.value <= 57:
                digits = digits * 10 + Int64(digit.value - 48)
                count += 1
                if let past = places { places = past + 1 } else if let run = sinceComma { sinceComma = run + 1 }
                guard count <= 15 else { return nil }
            case ".":
                guard places == nil, count > 0, sinceComma ?? 3 == 3 else { return nil }
                places = 0
            case ",":
                guard places == nil, count > 0, sinceComma ?? 3 == 3, sinceComma != nil || count <= 3 else {
                    return nil
                }
                sinceComma = 0
            case "-":
                guard index == 0 else { return nil }
                negative = true
            default:
                return nil
            }
        }
        guard count > 0, places != 0, (places ?? 0) <= 6, places != nil || sinceComma ?? 3 == 3 else { return nil }
        self.digits = negative ? -digits : digits
        self.places = places ?? 0
    }

    /// The value in units of `unit`ths, exactly: `FixedDecimal("1.5")?.scaled(by: 500)` is 750.
    /// - Returns: nil when that is not a whole number or does not fit.
    public func scaled(by unit: Int64) -> Int64? {
        var divisor: Int64 = 1
        for _ in 0..<places { divisor *= 10 }
        let (product, overflow) = digits.multipliedReportingOverflow(by: unit)
        guard !overflow, product % divisor == 0 else { return nil }
        return product / divisor
    }

    static func plain(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0xFF10...0xFF19, 0xFF0D, 0xFF0E, 0xFF0C: Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar
        case 0x2212: "-"
        default: scalar
        }
    }
}

/// `value / divisor` written with at most `places` decimals, trailing zeros dropped down to `atLeast`.
func decimalText(_ value: Int64, places: Int, atLeast: Int) -> String {
    var divisor: UInt64 = 1
    for _ in 0..<places { divisor *= 10 }
    let whole = value.magnitude / divisor
    var fraction = String(value.magnitude % divisor)
    fraction = String(repeating: "0", count: places - fraction.count) + fraction
    while fraction.count > atLeast, fraction.hasSuffix("0") { fraction.removeLast() }
    return (value < 0 ? "-" : "") + String(whole) + (fraction.isEmpty ? "" : "." + fraction)
}
