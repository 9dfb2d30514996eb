import Kernel

/// How a register's text is encoded.
struct TextEncoding: Sendable, Hashable {
    /// The name by which iconv knows it; nil for UTF-8, which needs no conversion.
    let name: String?
    /// The bytes of the byte order mark.
    let markLength: Int

    /// Looks at the byte order mark, or else reads the whole file: GB 18030 may hold nothing but ASCII for a long time.
    ///
    /// A text that is UTF-8 for four Chinese characters and then breaks is damaged UTF-8, not GB 18030; whoever decodes
    /// it will say where.
    /// - Throws: a `Refusal` of kind `invalid` for what is no text at all.
    static func detect(in file: RegisterFile, readSize: Int) async throws -> TextEncoding {
        var head: [UInt8] = []
        _ = try file.read(at: 0, count: 1024, into: &head)
        for (mark, name) in Self.marks where head.starts(with: mark) {
            return TextEncoding(name: name, markLength: mark.count)
        }
        for (magic, kind) in Self.strangers where head.starts(with: magic) { throw Self.notText(kind) }
        if try await isUTF8(file, readSize: readSize) { return TextEncoding(name: nil, markLength: 0) }
        if head.contains(0) { throw Self.notText(Bilingual(zh: "二进制文件", en: "a binary file")) }
        return TextEncoding(name: "GB18030", markLength: 0)
    }

    private static let marks: [([UInt8], String?)] = [
        ([0xEF, 0xBB, 0xBF], nil), ([0xFF, 0xFE], "UTF-16LE"), ([0xFE, 0xFF], "UTF-16BE"),
    ]

    private static let strangers: [([UInt8], Bilingual)] = [
        (
            [0x50, 0x4B, 0x03, 0x04],
            Bilingual(zh: "Excel 工作簿（.xlsx）或 zip 压缩包", en: "an Excel workbook (.xlsx) or a zip archive")
        ),
        ([0x50, 0x4B, 0x05, 0x06], Bilingual(zh: "空的 zip 压缩包", en: "an empty zip archive")),
        ([0xD0, 0xCF, 0x11, 0xE0], Bilingual(zh: "旧式 Excel 工作簿（.xls）", en: "an old Excel workbook (.xls)")),
        (Array("%PDF".utf8), Bilingual(zh: "PDF 文件", en: "a PDF file")),
        (Array("{\\rtf".utf8), Bilingual(zh: "RTF 文档", en: "an RTF document")),
        (Array("<html".utf8), Bilingual(zh: "网页", en: "a web page")),
        (Array("<!DOCTYPE".utf8), Bilingual(zh: "网页", en: "a web page")),
        (Array("<?xml".utf8), Bilingual(zh: "XML 文件", en: "an XML file")),
        (Array("Rar!".utf8), Bilingual(zh: "rar 压缩包", en: "a rar archive")),
        ([0x37, 0x7A, 0xBC, 0xAF], Bilingual(zh: "7z 压缩包", en: "a 7z archive")),
        ([0x1F, 0x8B], Bilingual(zh: "gzip 压缩包", en: "a gzip archive")),
        ([0x89, 0x50, 0x4E, 0x47], Bilingual(zh: "图片", en: "a picture")),
        ([0xFF, 0xD8, 0xFF], Bilingual(zh: "图片", en: "a picture")),
    ]

    private static func notText(_ kind: Bilingual) -> Refusal {
        Refusal(
            .invalid, "not-a-text-table", zh: "这是\(kind.zh)，不是 CSV；请在 Excel 或 WPS 中“另存为”CSV（UTF-8）再导入",
            en: "this is \(kind.en), not CSV; save it as CSV (UTF-8) in Excel or WPS and import that")
    }

    private static func isUTF8(_ file: RegisterFile, readSize: Int) async throws -> Bool {
        var buffer: [UInt8] = []
        var offset = 0
        var wideCharacters = 0
        while true {
            let got = try file.read(at: offset, count: readSize, into: &buffer)
            offset += got
            let (length, damaged) = validUTF8(buffer)
            if wideCharacters < 4 { wideCharacters += buffer[..<length].count { $0 >= 0xE0 } }
            if damaged || got == 0 { return (!damaged && length == buffer.count) || wideCharacters >= 4 }
            buffer.removeFirst(length)
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}

/// How many bytes from the start are whole UTF-8 characters, and whether what follows is wrong rather than just cut off.
func validUTF8(_ bytes: [UInt8]) -> (length: Int, damaged: Bool) {
    do throws(UTF8.ValidationError) {
        _ = try UTF8Span(validating: bytes.span)
        return (bytes.count, false)
    } catch {
        let cutOff = error.kind == .truncatedScalar && error.byteOffsets.upperBound == bytes.count
        return (error.byteOffsets.lowerBound, !cutOff)
    }
}
