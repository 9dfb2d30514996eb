import Kernel

/// The new names of a register that are asked about before they come into being, because they are close to a known name,
/// or to another new one that more rows have. Who stands first in the file makes no difference.
public struct NameQuestions: Sendable {
    /// New names of the file, by their form, and what each is close to.
    private let close: [String: String]
    /// Whether there are so many new names that they are likely to be something else.
    private let tooMany: Int?

    /// More new names than this are asked about as they are.
    private static let most = 1000

    /// - Parameters:
    ///   - names: how many rows have each name.
    ///   - known: the spellings that are recorded, each with the name that is meant by it.
    public init(of names: [String: Int], known: [(name: String, meant: String)]) {
        let knownForms = Set(known.map { CleanText.folded($0.name) })
        var rows: [String: Int] = [:]
        var spelled: [String: String] = [:]
        for (name, count) in names {
            let form = CleanText.folded(name)
            guard !knownForms.contains(form) else { continue }
            rows[form, default: 0] += count
            spelled[form] = min(spelled[form] ?? name, name)
        }
        tooMany = rows.count > Self.most ? rows.count : nil
        var close: [String: String] = [:]
        if tooMany == nil {
            let (recorded, new) = (CloseNames(known), CloseNames(rows.keys))
            for (form, count) in rows {
                close[form] =
                    recorded.first(closeTo: form)
                    ?? new.first(closeTo: form) { rows[$0] ?? 0 >= count }.flatMap { spelled[$0] }
            }
        }
        self.close = close
    }

    /// - Throws: a `Refusal`, code `close-name`, unless the new name may come into being without a question.
    public func check(_ name: String, _ field: String, _ what: Bilingual) throws {
        if let known = close[CleanText.folded(name)] {
            throw Refusal(
                .conflict, "close-name", field: field,
                zh: "没有\(what.zh)“\(name.shortened)”，是不是“\(known.shortened)”？若确实是新的，请用 --create（create=true）再导入",
                en:
                    "there is no \(what.en) “\(name.shortened)”: is it “\(known.shortened)”? If it is new indeed, import "
                    + "with --create (create=true)")
        }
        if let tooMany {
            throw Refusal(
                .conflict, "many-new-names", field: field,
                zh: "表中有 \(tooMany) 个新的\(what.zh)，多半是列错位了；若确实都是新的，请用 --create（create=true）再导入",
                en:
                    "the register has \(tooMany) new names for the \(what.en): perhaps columns were mixed up; if all are new "
                    + "indeed, import with --create (create=true)")
        }
    }
}
