import Kernel

/// A column that a register must or may have.
public struct Column: Sendable, Hashable {
    /// The name in messages, when the register has no header for it.
    public let name: String
    /// Other headers under which clerks keep it.
    public let also: [String]
    /// Every spelling of the header, in the form of `plainHeader`.
    let spellings: [String]
    public let required: Bool
    /// FNV-1a of the name: comparing Chinese strings normalises them, which is too slow to do for each cell.
    let hash: UInt64

    public init(_ name: String, also: [String] = [], required: Bool = true) {
        self.name = name
        self.also = also
        self.spellings = ([name] + also).map(\.plainHeader)
        self.required = required
        self.hash = name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

extension Column {
    /// What `read` returns; what it refuses, of this column.
    public func naming<Value>(_ read: () throws -> Value) throws -> Value {
        do {
            return try read()
        } catch let refusal as Refusal {
            throw refusal.renamed(field: name)
        }
    }
}

/// A row was asked for a column that its register was not opened with: a fault of the caller, not of the file.
public struct UndeclaredColumn: Error, Sendable {
    public let name: String
}

/// Where the declared columns stand in one register.
struct Layout: Sendable {
    /// As the register spells it, trimmed.
    let header: [String]
    let ignored: [String]
    /// Where the columns stand that no row may leave empty.
    let required: [Int]
    private let columns: [(hash: UInt64, index: Int?)]

    /// - Throws: a `Refusal` of the header row when a header stands twice or a required column is missing.
    init(header: [String], columns: [Column], row: Int) throws {
        var indexes: [Int?] = columns.map { _ in nil }
        var ignored: [String] = []
        var seen: Set<String> = []
        for (index, title) in header.enumerated() where !title.isEmpty {
            let plain = title.plainHeader
            guard seen.insert(plain).inserted else { throw Self.duplicate(title, of: title, row: row) }
            guard let column = columns.firstIndex(where: { $0.spellings.contains(plain) }) else {
                ignored.append(title)
                continue
            }
            guard let other = indexes[column] else {
                indexes[column] = index
                continue
            }
            // What has the column's own name is it, and a note beside a summary is nothing else than a note.
            switch columns[column].spellings[0] {
            case plain:
                indexes[column] = index
                ignored.append(header[other])
            case header[other].plainHeader: ignored.append(title)
            default: throw Self.duplicate(title, of: header[other], row: row)
            }
        }
        let missing = zip(columns, indexes).filter { $0.required && $1 == nil }.map(\.0.name)
        guard missing.isEmpty else {
            let found = header.filter { !$0.isEmpty }.map(\.shortened).prefix(50)
            throw Refusal(
                .invalid, "missing-columns", row: row,
                zh: "缺少列：\(missing.joined(separator: "、"))；表中的列是：\(found.joined(separator: "、"))",
                en: "missing columns: \(missing.joined(separator: ", ")); the columns found are: "
                    + found.joined(separator: ", "))
        }
        self.header = header
        self.ignored = ignored
        self.required = zip(columns, indexes).compactMap { $0.required ? $1 : nil }
        self.columns = zip(columns, indexes).map { ($0.hash, $1) }
    }

    var hasColumns: Bool { !columns.isEmpty }

    /// - Returns: nil for an optional column that the register lacks.
    func index(of column: Column) throws -> Int? {
        for candidate in columns where candidate.hash == column.hash { return candidate.index }
        throw UndeclaredColumn(name: column.name)
    }

    private static func duplicate(_ title: String, of other: String, row: Int) -> Refusal {
        let isSame = title.plainHeader == other.plainHeader
        return Refusal(
            .invalid, "duplicate-column", field: title, row: row,
            zh: isSame ? "这一列出现了两次，请只保留一列" : "“\(title.shortened)”和“\(other.shortened)”是同一列，请只保留一列",
            en: isSame
                ? "this column stands twice; keep one"
                : "“\(title.shortened)” and “\(other.shortened)” are the same column; keep one")
    }
}
