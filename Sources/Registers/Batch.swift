import Kernel

/// Some rows of a register: all their text in one array, and where each cell and row ends.
struct Batch: Sendable {
    static let maximumBytes = 4_194_304

    /// UTF-8, unquoted, cell after cell.
    var bytes: [UInt8] = []
    private(set) var numbers: [Int] = []
    /// Of the rows that are not well formed, by index.
    private(set) var problems: [Int: Refusal] = [:]
    private var cellEnds: [Int] = []
    /// Where a row's cells end in `cellEnds`.
    private var rowEnds: [Int] = []

    init() {}

    /// An empty one with the room that another came to need.
    init(like other: Batch) {
        bytes.reserveCapacity(other.bytes.count)
        numbers.reserveCapacity(other.numbers.count)
        cellEnds.reserveCapacity(other.cellEnds.count)
        rowEnds.reserveCapacity(other.rowEnds.count)
    }

    var count: Int { numbers.count }

    /// Only between rows: what has been read of a row's first cell stays with the rest of it.
    func isFull(_ limit: Int) -> Bool {
        count >= limit || bytes.count >= Self.maximumBytes && openCells == 0 && bytes.count == cellEnds.last
    }

    /// Cells of the row that has not ended yet.
    var openCells: Int { cellEnds.count - (rowEnds.last ?? 0) }

    mutating func endCell() {
        cellEnds.append(bytes.count)
    }

    /// Of the row that has not ended yet.
    mutating func dropEmptyCells(beyond columns: Int) {
        while openCells > columns, trimmedRange(bytes, range(ofCell: cellEnds.count - 1)).isEmpty {
            cellEnds.removeLast()
            bytes.removeLast(bytes.count - (cellEnds.last ?? 0))
        }
    }

    /// Ends a row, or takes it back when there is nothing in it.
    mutating func endRow(number: Int, problem: Refusal?) {
        let firstCell = rowEnds.last ?? 0
        let start = firstCell > 0 ? cellEnds[firstCell - 1] : 0
        guard problem != nil || !trimmedRange(bytes, start..<bytes.count).isEmpty else {
            cellEnds.removeLast(openCells)
            bytes.removeLast(bytes.count - start)
            return
        }
        if let problem { problems[count] = problem }
        numbers.append(number)
        rowEnds.append(cellEnds.count)
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        numbers.removeAll(keepingCapacity: true)
        problems.removeAll()
        cellEnds.removeAll(keepingCapacity: true)
        rowEnds.removeAll(keepingCapacity: true)
    }

    func cellCount(ofRow row: Int) -> Int { rowEnds[row] - firstCell(ofRow: row) }

    /// The bytes of a cell; empty beyond the row's last cell.
    func range(row: Int, column: Int) -> Range<Int> {
        let cell = firstCell(ofRow: row) + column
        return cell < rowEnds[row] ? range(ofCell: cell) : 0..<0
    }

    private func firstCell(ofRow row: Int) -> Int { row > 0 ? rowEnds[row - 1] : 0 }

    private func range(ofCell cell: Int) -> Range<Int> { (cell > 0 ? cellEnds[cell - 1] : 0)..<cellEnds[cell] }
}
