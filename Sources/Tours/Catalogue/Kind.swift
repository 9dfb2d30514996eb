import Kernel

extension Labelled where Self: RawRepresentable<String>, Self: CaseIterable {
    /// Reads 实践点 as well as `practice_point` and `practice-point`.
    /// - Parameter things: what the kinds are of.
    /// - Throws: a `Refusal` that lists the kinds.
    init(named text: String, of things: Bilingual, field: String = "kind") throws {
        let name = text.lowercased().replacing("-", with: "_")
        guard let kind = Self.allCases.first(where: { $0.rawValue == name || $0.label.zh == text }) else {
            let names = Self.allCases.map { "\($0.label.zh) (\($0.rawValue))" }.joined(separator: ", ")
            throw Refusal(
                .invalid, "unknown-\(things.en)-kind", field: field,
                zh: "没有“\(text.shortened)”这一类\(things.zh)，可用：\(names)",
                en: "there is no kind of \(things.en) “\(text.shortened)”; there are: \(names)")
        }
        self = kind
    }
}
