import Glibc
import Kernel

/// A file's text as UTF-8, a piece at a time.
struct TextSource {
    /// The current piece; it may end anywhere but within a character.
    private(set) var text: [UInt8] = []
    private(set) var bytesRead: Int
    private let file: RegisterFile
    private let readSize: Int
    private let converter: Converter?
    /// Bytes of the file that are not yet text: at most the start of a character between two calls.
    private var raw: [UInt8] = []
    private var damaged = false

    init(_ file: RegisterFile, _ encoding: TextEncoding, readSize: Int) throws {
        self.file = file
        self.readSize = readSize
        bytesRead = encoding.markLength
        converter = try encoding.name.map(Converter.init)
    }

    /// - Returns: false at the end of the file.
    /// - Throws: a `Refusal` of kind `invalid` where the text is not in its encoding, after all that was good before it;
    ///   a `CancellationError`: nothing else in a file without rows would find out that nobody wants them any more.
    mutating func next() throws -> Bool {
        try Task.checkCancellation()
        text.removeAll(keepingCapacity: true)
        while text.isEmpty {
            if damaged { throw Self.damage }
            let got = try file.read(at: bytesRead, count: readSize, into: &raw)
            bytesRead += got
            guard got > 0 else {
                if raw.isEmpty { return false }
                throw Self.damage
            }
            if let converter {
                damaged = converter.convert(&raw, into: &text)
            } else {
                let (length, damaged) = validUTF8(raw)
                text.append(contentsOf: raw[..<length])
                raw.removeFirst(length)
                self.damaged = damaged
            }
        }
        return true
    }

    private static let damage = Refusal(
        .invalid, "damaged-text", zh: "文字编码有误；请在 Excel 或 WPS 中“另存为”CSV（UTF-8）再导入",
        en: "the text's encoding is broken here; save it as CSV (UTF-8) in Excel or WPS and import that")
}

/// iconv from one encoding to UTF-8.
private final class Converter {
    private let handle: iconv_t

    init(from name: String) throws {
        guard let handle = iconv_open("UTF-8", name), handle != iconv_t(bitPattern: -1) else {
            throw Refusal(
                .unavailable, "no-converter", zh: "本机缺少 \(name) 转换；请另存为 CSV（UTF-8）",
                en: "this machine cannot convert \(name); save the file as CSV (UTF-8)")
        }
        self.handle = handle
    }

    deinit {
        iconv_close(handle)
    }

    /// Moves the whole characters of `raw` to `text`.
    /// - Returns: true when `raw` now begins with bytes that are no character.
    func convert(_ raw: inout [UInt8], into text: inout [UInt8]) -> Bool {
        // No character of GB 18030 or UTF-16 grows by more than half in UTF-8.
        let capacity = raw.count * 2 + 16
        var left = raw.count
        var room = capacity
        var status: CInt = 0
        text.append(contentsOf: repeatElement(0, count: capacity))
        raw.withUnsafeMutableBytes { input in
            text.withUnsafeMutableBytes { output in
                var from = input.baseAddress?.assumingMemoryBound(to: CChar.self)
                var to = output.baseAddress?.assumingMemoryBound(to: CChar.self)
                status = iconv(handle, &from, &left, &to, &room) == -1 ? errno : 0
            }
        }
        text.removeLast(room)
        raw.removeFirst(raw.count - left)
        return status == EILSEQ
    }
}
