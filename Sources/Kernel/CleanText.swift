import Foundation

/// What a person means by a text that was typed, pasted or exported: the one place that cleans what registers, the
/// command line, requests and pages bring in.
public enum CleanText {
    /// Bytes that no name, number, day or amount is longer than, with whatever stands around it: what is longer is refused
    /// before anybody looks at it closely.
    public static let longest = 10_000

    /// Trimmed of what cannot be seen, composed (NFC), and without invisible characters inside.
    public static func text(_ text: String) -> String {
        var text = text
        return text.withUTF8 { bytes in
            let range = visibleRange(bytes, 0..<bytes.count)
            return Self.text(UnsafeBufferPointer(rebasing: bytes[range]))
        }
    }

    /// As `text`, of UTF-8 that is trimmed already.
    public static func text(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        return isPlain(bytes) ? text : composed(text)
    }

    /// A text by which things are told apart, such as `C0001` or a telephone number: letters, digits, signs and brackets
    /// of full width become half, and `12.0`, which is how a spreadsheet writes a number, becomes `12`.
    /// - Throws: a `Refusal`, code `scientific-number`, for `1.38E+10`: a spreadsheet has lost the number's last digits.
    public static func key(_ text: String) throws -> String {
        let key = Self.text(text).halfWidth
        guard let first = key.utf8.first, (48...57).contains(first) else { return key }
        if let refusal = scientific(key) { throw refusal }
        return withoutDecimals(key)
    }

    /// A name, title or remark as it is stored.
    /// - Parameter lines: whether it may have several.
    /// - Throws: a `Refusal` of the field: empty, longer than `max` characters, with control characters, or one of a
    ///   spreadsheet's error values.
    public static func name(
        _ text: String, field: String, max: Int, lines: Bool = false, code: String = "bad-text"
    ) throws -> String {
        let name = text.utf8.count <= longest ? Self.text(text) : ""
        if let error = spreadsheetError(name) { throw error.of(field: field) }
        guard !isInvisible(name), name.utf8.count <= max || name.unicodeScalars.count <= max,
            !hasControls(name, lines: lines), !hasControls(text, lines: true)
        else {
            throw Refusal(
                .invalid, code, field: field, zh: "须有 1 到 \(max) 个字，且不含控制字符",
                en: "it has 1 to \(max) characters and no control characters")
        }
        return name
    }

    /// A number or another key as it is stored.
    /// - Throws: as `name` and `key`.
    public static func number(_ text: String, field: String, max: Int) throws -> String {
        do {
            return try name(text.utf8.count <= longest ? key(text) : "", field: field, max: max)
        } catch let refusal as Refusal {
            throw refusal.of(field: field)
        }
    }

    /// A reason as it is kept.
    /// - Throws: a `Refusal`, code `reason-missing`, unless it has 1 to 1000 characters and none of them is a control.
    public static func reason(_ text: String) throws -> String {
        guard let reason = try? name(text, field: "reason", max: 1000) else {
            throw Refusal(
                .invalid, "reason-missing", field: "reason", zh: "请写明理由（1 到 1000 字，一行写完）",
                en: "give the reason in one line, 1 to 1000 characters")
        }
        return reason
    }

    /// The form in which names are compared: what differs only in width, brackets, blanks or invisible characters is one
    /// name.
    public static func folded(_ name: String) -> String {
        var folded = String.UnicodeScalarView()
        for scalar in normalized(name, \.precomposedStringWithCompatibilityMapping).unicodeScalars
        where !isPassedOver(scalar) {
            folded.append(scalar)
        }
        return String(folded)
    }

    /// The refusal of `#N/A` and its like, which a spreadsheet leaves where it could not work something out, and of the
    /// `########` of a column that was too narrow.
    public static func spreadsheetError(_ text: String) -> Refusal? {
        guard text.utf8.first == 0x23 else { return nil }
        if text.utf8.count >= 3, text.utf8.allSatisfy({ $0 == 0x23 }) {
            return Refusal(
                .invalid, "narrow-column", zh: "“\(text.shortened)”是列太窄显示不下的样子，内容已丢失；请把这一列拉宽再导出",
                en: "“\(text.shortened)” is what a column too narrow shows, and what it held is lost: widen the column "
                    + "and export again")
        }
        guard spreadsheetErrors.contains(text.uppercased()) else { return nil }
        return Refusal(
            .invalid, "spreadsheet-error", zh: "“\(text)”是表格软件的错误值，不是内容；请先在表格里改正公式",
            en: "“\(text)” is an error of the spreadsheet and no content: mend its formula first")
    }

    /// Of a number as `1.38E+10`.
    public static func scientific(_ text: String) -> Refusal? {
        guard text.utf8.count <= 40, text.utf8.contains(where: { $0 == 0x45 || $0 == 0x65 }),
            text.wholeMatch(of: #/[0-9](\.[0-9]+)?[Ee][+\-][0-9]{2,3}/#) != nil
        else { return nil }
        return Refusal(
            .invalid, "scientific-number",
            zh: "“\(text)”是表格软件把长号码改成的科学计数，后几位已丢失；请把这一列设为“文本”，重新填写",
            en:
                "“\(text)” is what a spreadsheet made of a long number, and its last digits are lost: format the column as "
                + "text and enter the number again")
    }

    private static let spreadsheetErrors: Set<String> = [
        "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!",
    ]

    private static func withoutDecimals(_ key: String) -> String {
        guard key.utf8.last == 0x30, let point = key.utf8.firstIndex(of: 0x2E) else { return key }
        let whole = key.utf8[..<point]
        let rest = key.utf8[key.utf8.index(after: point)...]
        guard whole.allSatisfy({ (48...57).contains($0) }), rest.allSatisfy({ $0 == 0x30 }) else { return key }
        return String(key[..<point])
    }

    /// Whether a text has characters that control a screen or end a line: by them what is shown of it is not what it is.
    /// - Parameter lines: whether it may have several, and tabs in them.
    public static func hasControls(_ text: String, lines: Bool) -> Bool {
        text.unicodeScalars.contains { scalar in
            switch scalar.value {
            case 0x09, 0x0A, 0x0D: !lines
            case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029: true
            default: false
            }
        }
    }

    /// Whether there is nothing in it that can be seen.
    public static func isInvisible(_ text: String) -> Bool {
        !text.unicodeScalars.contains { scalar in
            if scalar.isASCII { return scalar.value > 0x20 && scalar.value < 0x7F }
            let properties = scalar.properties
            switch properties.generalCategory {
            case .control, .format, .unassigned, .surrogate: return false
            // Braille without a dot is no space to Unicode.
            default:
                return !properties.isWhitespace && !properties.isDefaultIgnorableCodePoint && scalar.value != 0x2800
            }
        }
    }

    /// Whether the text can be taken as it is, told from its bytes: ASCII, Chinese characters, and what has full width.
    private static func isPlain(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case 0..<0x80: index += 1
            case 0xE4...0xE9: index += 3
            case 0xEF where index + 1 < bytes.count && (0xBC...0xBD).contains(bytes[index + 1]): index += 3
            default: return false
            }
        }
        return true
    }

    private static func composed(_ text: String) -> String {
        var visible = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where !isInvisible(scalar.value) { visible.append(scalar) }
        return normalized(String(visible), \.precomposedStringWithCanonicalMapping)
    }

    /// Foundation moves all of a text's rest for each character that it composes: a long one is composed in pieces, which
    /// end before characters that compose with none.
    private static func normalized(_ text: String, _ compose: (String) -> String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
        guard text.utf8.count > 1000 else { return compose(text) }
        var composed = ""
        var piece = String.UnicodeScalarView()
        var count = 0
        for scalar in text.unicodeScalars {
            let endsPiece = scalar.isASCII || (0x3400...0x9FFF).contains(scalar.value)
            if count >= 1000 || count >= 100 && endsPiece {
                composed += compose(String(piece))
                piece = String.UnicodeScalarView()
                count = 0
            }
            piece.append(scalar)
            count += 1
        }
        return composed + compose(String(piece))
    }

    /// Soft hyphen, zero-width characters and marks of direction.
    private static func isInvisible(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0xAD, 0x180E, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x206F, 0xFEFF: true
        default: false
        }
    }

    private static func isPassedOver(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x20, 0x28, 0x29, 0x3C, 0x3E, 0x5B, 0x5D, 0x7B, 0x7D, 0x7F, 0x85, 0x2028, 0x2029, 0x3008...0x3011,
            0x3014...0x301B:
            true
        default: isInvisible(scalar.value)
        }
    }
}

extension CleanText {
    /// The range of a UTF-8 text without what the eye does not see at either end: white space of any width, control
    /// characters, zero-width characters, byte order marks.
    public static func visibleRange(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end {
            var next = start + 1
            while next < end, bytes[next] & 0xC0 == 0x80 { next += 1 }
            guard isBlank(bytes, start, next) else { break }
            start = next
        }
        while start < end {
            var last = end - 1
            while last > start, bytes[last] & 0xC0 == 0x80 { last -= 1 }
            guard isBlank(bytes, last, end) else { break }
            end = last
        }
        return start..<end
    }

    /// Whether the one character in `start..<end` cannot be seen, told from its UTF-8 bytes read as one number.
    private static func isBlank(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
        guard end - start <= 3 else { return false }
        var packed: UInt32 = 0
        for index in start..<end { packed = packed << 8 | UInt32(bytes[index]) }
        switch packed {
        case 0...0x20, 0x7F, 0xC280...0xC2A0, 0xC2AD: return true
        case 0xE1A08E, 0xE28080...0xE2808F, 0xE280A8...0xE280AF, 0xE2819F...0xE281AF, 0xE38080, 0xEFBBBF: return true
        default: return false
        }
    }
}

extension StringProtocol {
    /// What a person means by it: as `CleanText.text`.
    public var trimmed: String { CleanText.text(String(self)) }
}

extension String {
    /// Letters, digits, signs and brackets of full width in their ASCII form, blanks of any width as plain ones.
    public var halfWidth: String {
        guard !utf8.allSatisfy({ $0 < 0x80 }) else { return self }
        var plain = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0xFF01...0xFF5E: plain.append(Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar)
            case 0xFFE5: plain.append("¥")
            case _ where scalar.isBlank: plain.append(" ")
            default: plain.append(scalar)
            }
        }
        return String(plain)
    }
}

extension String {
    var withoutBlanks: String {
        guard unicodeScalars.contains(where: \.isBlank) else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.filter { !$0.isBlank }))
    }
}

extension Unicode.Scalar {
    /// A space of any width, such as those between the digits of `1 234.00`.
    var isBlank: Bool {
        switch value {
        case 0x20, 0xA0, 0x2000...0x200A, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }
}
