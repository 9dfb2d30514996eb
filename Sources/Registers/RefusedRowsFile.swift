import Glibc
import Kernel

/// The file of an import's refused rows: the register's own columns, then row number, field and reason.
///
/// It can be corrected and imported in its turn, since a register ignores the last three columns. It may hold personal
/// data, and so only its owner may read it (mode 0600).
public final class RefusedRowsFile {
    private static let added: [Language: [String]] = [
        .chinese: ["行号", "字段", "原因"], .english: ["Row", "Field", "Reason"],
    ]

    private let descriptor: CInt
    private let language: Language
    /// The register's columns without those that an earlier such file added.
    private let columns: [Int]
    private var writer = CSVWriter()
    private var isOpen = true

    /// Creates the file.
    /// - Throws: a `Refusal`: `file-exists`, since a file of the user's is never overwritten, or `cannot-write`.
    public init(path: String, header: [String], language: Language) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        self.language = language
        let added = Set(Self.added.values.joined())
        columns = header.indices.filter { !added.contains(header[$0]) }
        guard descriptor >= 0 else {
            throw errno == EEXIST
                ? Refusal(
                    .conflict, "file-exists", zh: "文件“\(path.shortened)”已存在，不会覆盖",
                    en: "the file “\(path.shortened)” exists and is not overwritten")
                : Self.cannotWrite
        }
        writer.append(columns.map { header[$0] } + (Self.added[language] ?? []))
    }

    deinit {
        if isOpen, descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// Adds a row as it stands in the register, such as `RegisterRow.cells`, and why it was refused.
    /// - Throws: a `Refusal` when the file cannot be written.
    public func append(cells: [String], refusals: [Refusal]) throws {
        let own = columns.map { $0 < cells.count ? Self.bare(cells[$0]) : "" }
        var fields: [String] = []
        for field in refusals.compactMap(\.field) where !fields.contains(field) { fields.append(field) }
        // With several reasons, each says what it is about.
        let reasons = refusals.map { refusal in
            refusals.count == 1 ? refusal.message[language] : refusal.withoutRow.sentence(in: language)
        }
        writer.append(
            own + [
                refusals.compactMap(\.row).first.map(String.init) ?? "",
                fields.joined(separator: language == .chinese ? "、" : ", "),
                reasons.joined(separator: language == .chinese ? "；" : "; "),
            ])
        if writer.bytes.count >= 65_536 { try flush() }
    }

    /// A cell without what keeps its number a text: the writer sees to that itself.
    private static func bare(_ cell: String) -> String {
        if cell.hasPrefix("'") { return String(cell.dropFirst()) }
        let inner = cell.dropFirst(2).dropLast()
        return cell.hasPrefix("=\"") && cell.hasSuffix("\"") && cell.utf8.count >= 3 && !inner.contains("\"")
            ? String(inner) : cell
    }

    /// Writes what is left; rows are not safe in the file before this.
    /// - Throws: a `Refusal` when the file cannot be written.
    public func close() throws {
        guard isOpen else { return }
        try flush()
        isOpen = false
        guard Glibc.close(descriptor) == 0 else { throw Self.cannotWrite }
    }

    private func flush() throws {
        let bytes = writer.take()
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 || errno == EINTR else { throw Self.cannotWrite }
            done += max(count, 0)
        }
    }

    private static let cannotWrite = Refusal(
        .unavailable, "cannot-write", zh: "无法写入被拒行文件", en: "the file of refused rows cannot be written")
}
