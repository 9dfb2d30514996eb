import Kernel

/// A register: a table file as a clerk keeps it, saved as CSV or as Excel's “Unicode text”.
///
/// The file is read in pieces, because a register may have millions of rows; a library such as SwiftCSV loads the whole
/// file, and so this module has a reader of its own.
///
/// Above the header may stand a `sep=` line, titles and units, and totals between and below the rows: they are passed
/// over and named. Understood are RFC 4180 with its many habits (`,` `;` tab or `，` between cells, told from the header; LF, CRLF or CR;
/// blank lines) in UTF-8, GB 18030 (and so GBK and GB 2312), and UTF-16 with a byte order mark. Opening reads the whole
/// file once, so that nothing is recorded from one that cannot be read to its end.
public struct Register: Sendable {
    /// The headers as the file spells them, trimmed.
    public let header: [String]
    /// The headers that no declared column claims; their cells are not read.
    public let ignoredColumns: [String]
    /// What stands above the header.
    let above: [SkippedRow]
    /// Rows that hold any text, below the header.
    public let rowCount: Int
    /// The file's size.
    public let byteCount: Int

    let layout: Layout
    private let file: RegisterFile
    private let encoding: TextEncoding
    private let separator: Separator
    private let readSize: Int

    /// Opens the register and checks that it can be read to its end.
    /// - Throws: a `Refusal`: `no-such-file`, `unreadable-file`, `not-a-file`, `not-a-text-table`, `damaged-text`,
    ///   `nul-byte`, `unterminated-quote`, `empty-file`, `no-rows`, `missing-columns`, `duplicate-column`,
    ///   `too-many-columns`; or `CancellationError`.
    public init(path: String, columns: [Column]) async throws {
        try await self.init(path: path, columns: columns, readSize: 131_072)
    }

    /// - Parameter readSize: bytes read at once; tests make it tiny.
    init(path: String, columns: [Column], readSize: Int) async throws {
        let file = try RegisterFile(path: path)
        let encoding = try await TextEncoding.detect(in: file, readSize: readSize)
        let head = try Head.find(columns: columns) { try TextSource(file, encoding, readSize: readSize) }
        self.layout = try Layout(header: head.titles, columns: columns, row: head.row)
        self.header = head.titles
        self.above = head.above
        self.ignoredColumns = layout.ignored
        self.byteCount = file.byteCount
        self.file = file
        self.encoding = encoding
        self.separator = head.separator
        self.readSize = readSize
        var rows = try Self.rows(file, encoding, head.separator, layout, head.above.count, readSize)
        var rowCount = 0
        while try rows.fill(limit: 1000) {
            rowCount += rows.tokenizer.batch.count
            rows.tokenizer.discardBatch()
            try Task.checkCancellation()
            await Task.yield()
        }
        guard rowCount > 0 else {
            throw Refusal(.invalid, "no-rows", zh: "只有表头，没有数据行", en: "there is a header but no row below it")
        }
        self.rowCount = rowCount
    }

    /// The rows in order, from the first, each time it is iterated.
    ///
    /// Memory holds one part at a time. Each step reads at most a few pieces of a local file.
    /// - Parameter size: rows in a part, at most; fewer when they are long.
    public func parts(of size: Int) -> Parts {
        Parts(register: self, size: max(size, 1))
    }

    /// Some rows, one after another.
    public struct Part: Sendable {
        public let rows: [RegisterRow]
        /// Lines that are no rows: above the header, and rows of totals.
        public let skipped: [SkippedRow]
        /// How far in the file reading has come; `byteCount` at the end.
        public let bytesRead: Int
    }

    /// A register's rows, in parts.
    public struct Parts: AsyncSequence, Sendable {
        fileprivate let register: Register
        fileprivate let size: Int

        public func makeAsyncIterator() -> Iterator { Iterator(register: register, size: size) }

        public struct Iterator: AsyncIteratorProtocol {
            fileprivate let register: Register
            fileprivate let size: Int
            private var reader: RowReader?
            private var above: [SkippedRow]

            fileprivate init(register: Register, size: Int) {
                self.register = register
                self.size = size
                above = register.above
            }

            public mutating func next() async throws -> Part? { try read() }

            /// - Throws: a `Refusal` when the file has been changed since it was opened and can no longer be read.
            mutating func read() throws -> Part? {
                try Task.checkCancellation()
                if reader == nil { reader = try register.reader() }
                guard try reader?.fill(limit: size) == true, let batch = reader?.tokenizer.takeBatch() else {
                    return nil
                }
                let (rows, totals) = RegisterRow.all(of: batch, layout: register.layout)
                defer { above = [] }
                return Part(
                    rows: rows, skipped: above + totals.map(SkippedRow.total),
                    bytesRead: reader?.source.bytesRead ?? register.byteCount)
            }
        }
    }

    private func reader() throws -> RowReader {
        try Self.rows(file, encoding, separator, layout, above.count, readSize)
    }

    /// A reader that stands behind the header.
    private static func rows(
        _ file: RegisterFile, _ encoding: TextEncoding, _ separator: Separator, _ layout: Layout, _ above: Int,
        _ readSize: Int
    ) throws -> RowReader {
        var reader = RowReader(
            try TextSource(file, encoding, readSize: readSize), Tokenizer(separator: separator, header: layout.header))
        for _ in 0...above {
            _ = try reader.fill(limit: 1)
            reader.tokenizer.discardBatch()
        }
        return reader
    }
}

/// A tokenizer fed from a file.
struct RowReader {
    private(set) var source: TextSource
    var tokenizer: Tokenizer
    private var position = 0
    private var ended = false

    init(_ source: TextSource, _ tokenizer: Tokenizer) {
        self.source = source
        self.tokenizer = tokenizer
    }

    /// Reads rows into the tokenizer's batch.
    /// - Returns: false when there are none left.
    mutating func fill(limit: Int) throws -> Bool {
        while !ended, !tokenizer.batch.isFull(limit) {
            if position == source.text.count {
                position = 0
                do {
                    ended = try !source.next()
                } catch let refusal as Refusal {
                    throw refusal.of(row: tokenizer.number)
                }
                if ended { try tokenizer.finish() }
            }
            position = try tokenizer.feed(source.text, from: position, limit: limit)
        }
        return tokenizer.batch.count > 0
    }
}
