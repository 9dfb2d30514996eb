import Kernel

/// RFC 4180, a piece of text at a time: pieces go in, rows pile up in `batch`.
///
/// Beyond the RFC: lines may end in LF, CRLF or CR; rows without any text are dropped (their numbers are not given to
/// others); empty cells past the header's last are dropped. A row that is not well formed stays, with its problem.
struct Tokenizer {
    static let maximumCellBytes = 10_000
    static let maximumColumns = 500
    static let maximumHeaderBytes = 1_048_576

    private(set) var batch = Batch()
    /// The number of the row being read; the first of the file is 1.
    private(set) var number = 1

    private enum State { case cellStart, plain, quoted, quoteInQuotes }

    private let header: [String]
    private let columns: Int
    /// A separator is recognised by its last byte; what comes before that has then been taken for text.
    private let separatorEnd: UInt8
    private let separatorStart: [UInt8]
    private var state = State.cellStart
    private var afterCarriageReturn = false
    /// Where the closing quote of the current cell stood in `batch.bytes`.
    private var closed: Int?
    private var cellStart = 0
    private var problem: Refusal?

    /// - Parameter header: nil while the header itself is read.
    init(separator: Separator, header: [String]?) {
        self.header = header ?? []
        columns = header?.count ?? Self.maximumColumns
        separatorStart = separator.rawValue.utf8.dropLast()
        separatorEnd = separator.rawValue.utf8.last ?? UInt8(ascii: ",")
    }

    /// Reads from `start` on until the batch has `limit` rows or is large, or the piece ends.
    /// - Returns: where it stopped.
    /// - Throws: a `Refusal` at a NUL.
    mutating func feed(_ piece: [UInt8], from start: Int, limit: Int) throws -> Int {
        var at = start
        while at < piece.count, !batch.isFull(limit) {
            let byte = piece[at]
            if afterCarriageReturn {
                afterCarriageReturn = false
                if byte == 10 {
                    at += 1
                    continue
                }
            }
            switch state {
            case .cellStart where byte == UInt8(ascii: "\""):
                state = .quoted
                at += 1
            case .cellStart:
                state = .plain
            case .quoteInQuotes where byte == UInt8(ascii: "\""):
                append(piece[at...at])
                state = .quoted
                at += 1
            case .quoteInQuotes:
                closed = batch.bytes.count
                state = .plain
            case .quoted:
                let end = Self.end(of: piece, from: at) { $0 == UInt8(ascii: "\"") || $0 == 0 }
                append(piece[at..<end])
                at = end
                guard end < piece.count else { continue }
                guard piece[end] != 0 else { throw nul }
                state = .quoteInQuotes
                at += 1
            case .plain:
                let last = separatorEnd
                let end = Self.end(of: piece, from: at) { $0 == last || $0 == 10 || $0 == 13 || $0 == 0 }
                append(piece[at..<end])
                at = end
                guard end < piece.count else { continue }
                try special(piece[end])
                at += 1
            }
        }
        return at
    }

    /// Ends the last row, which may lack its line end.
    /// - Throws: a `Refusal` when a quote is still open.
    mutating func finish() throws {
        guard state != .quoted else {
            throw place(
                Refusal(
                    .invalid, "unterminated-quote", zh: "从这里开始的引号一直没有结束，后面的内容无法读取",
                    en: "the quote that opens here never closes, so that nothing after it can be read"))
        }
        if state == .quoteInQuotes { closed = batch.bytes.count }
        if state != .cellStart || batch.openCells > 0 { endRow() }
    }

    /// Hands over the rows read so far.
    mutating func takeBatch() -> Batch {
        defer { batch = Batch(like: batch) }
        cellStart = 0
        return batch
    }

    /// Forgets the rows read so far.
    mutating func discardBatch() {
        batch.removeAll()
        cellStart = 0
    }

    @inline(__always)
    private static func end(of piece: [UInt8], from start: Int, _ isSpecial: (UInt8) -> Bool) -> Int {
        var end = start
        while end < piece.count, !isSpecial(piece[end]) { end += 1 }
        return end
    }

    /// A byte that ends a run of plain text: a line end, the last byte of a separator, or NUL.
    private mutating func special(_ byte: UInt8) throws {
        switch byte {
        case 0:
            throw nul
        case 10, 13:
            endRow()
            afterCarriageReturn = byte == 13
        default:
            guard batch.bytes[max(cellStart, closed ?? 0)...].suffix(separatorStart.count) == separatorStart[...] else {
                return append([byte])
            }
            batch.bytes.removeLast(separatorStart.count)
            endCell()
        }
    }

    private mutating func append(_ run: ArraySlice<UInt8>) {
        let room = Self.maximumCellBytes - (batch.bytes.count - cellStart)
        guard run.count > room else {
            batch.bytes.append(contentsOf: run)
            return
        }
        batch.bytes.append(contentsOf: run.prefix(room))
        note(
            Refusal(
                .invalid, "cell-too-long", zh: "单元格超过 \(Self.maximumCellBytes) 字节，也可能是引号没有成对",
                en: "the cell is longer than \(Self.maximumCellBytes) bytes, or a quote is not closed"))
    }

    private mutating func endCell() {
        if let closed {
            if !trimmedRange(batch.bytes, closed..<batch.bytes.count).isEmpty {
                note(
                    Refusal(
                        .invalid, "stray-quote", zh: "引号不成对：引号结束后还有文字",
                        en: "quotes do not pair: there is text after the closing quote"))
            } else {
                batch.bytes.removeLast(batch.bytes.count - closed)
            }
        }
        if batch.openCells < Self.maximumColumns {
            batch.endCell()
        } else if trimmedRange(batch.bytes, cellStart..<batch.bytes.count).isEmpty {
            batch.bytes.removeLast(batch.bytes.count - cellStart)
        } else {
            batch.bytes.removeLast(batch.bytes.count - cellStart)
            noteTooManyCells()
        }
        cellStart = batch.bytes.count
        closed = nil
        state = .cellStart
    }

    private mutating func endRow() {
        endCell()
        batch.dropEmptyCells(beyond: header.isEmpty ? 0 : columns)
        if batch.openCells > columns { noteTooManyCells() }
        batch.endRow(number: number, problem: problem?.of(row: number))
        cellStart = batch.bytes.count
        problem = nil
        number += 1
    }

    /// Put together once a row only: a cell may be too long a million times.
    private mutating func note(_ refusal: @autoclosure () -> Refusal) {
        problem = problem ?? place(refusal())
    }

    private mutating func noteTooManyCells() {
        guard problem == nil else { return }
        problem =
            header.isEmpty
            ? Refusal(
                .invalid, "too-many-columns", zh: "表头超过 \(columns) 列", en: "the header has more than \(columns) columns"
            )
            : Refusal(
                .invalid, "too-many-cells", zh: "这一行的单元格比表头多，可能是内容里的分隔符没有加引号",
                en: "the row has more cells than the header; perhaps a separator within a text is not quoted")
    }

    private func place(_ refusal: Refusal) -> Refusal {
        let column = batch.openCells
        return (column < header.count ? refusal.of(field: header[column]) : refusal).of(row: number)
    }

    private var nul: Refusal {
        place(
            Refusal(
                .invalid, "nul-byte", zh: "这里有空字节（NUL），不是文本表格；请另存为 CSV（UTF-8）",
                en: "there is a NUL byte here, so that this is no text table; save it as CSV (UTF-8)"))
    }
}
