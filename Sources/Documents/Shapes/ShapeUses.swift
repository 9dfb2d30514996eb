import Kernel
import Registers

extension Shape {
    /// The list for a spreadsheet; formulas in names are made harmless.
    public func csv(_ values: [Value], _ language: Language) -> [UInt8] {
        var writer = CSVWriter()
        writer.append(list.map { $0.title[language] })
        for value in values { writer.append(row(of: value, language)) }
        return writer.take()
    }

    /// What a page tells of one value, under the names of the members.
    func texts(of value: Value, _ language: Language) -> [String: Any] {
        Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.text(value, language) ?? "") })
    }

    /// Members as the fields of a request.
    public func required(_ names: String...) -> [Field] { Self.chosen(names, of: members).compactMap(\.field) }

    /// Members as the fields of a request that may leave them out.
    public func optional(_ names: String...) -> [Field] {
        Self.chosen(names, of: members).compactMap(\.field).map { .optional($0.name, $0.schema, $0.description) }
    }
}
