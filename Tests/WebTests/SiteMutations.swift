import Documents
import Kernel

@testable import Web

/// Values that a schema must refuse, made from the schema itself so that a new field is tested without being listed.
struct Fault: Sendable {
    let what: String
    let value: JSON

    /// The JSON text, in which what no `JSON` can hold stands as it would be sent.
    var bytes: [UInt8] {
        var text = String(decoding: value.bytes, as: UTF8.self)
        for (token, raw) in Self.raw { text = text.replacing("\"\(token)\"", with: raw) }
        return Array(text.utf8)
    }

    private static let raw = [
        "@1e400": "1e400", "@huge": "99999999999999999999", "@2^63": "9223372036854775808",
        "@-2^63-1": "-9223372036854775809",
        "@half": "0.5", "@lone": "\"\\ud800\"", "@nan": "NaN",
    ]

    /// The smallest value that the schema accepts.
    static func good(_ schema: Schema) -> JSON {
        switch schema.unnamed {
        case .string(let length, _): .string(String(repeating: "x", count: max(1, length.lowerBound)))
        case .enumeration(let names): .string(names.first ?? "")
        case .integer(let range): .integer(range.contains(1) ? 1 : range.lowerBound)
        case .boolean: true
        case .day: "2025-08-03"
        case .instant: "2025-08-03T01:30:00Z"
        case .money(let range): good(.object([Field("fen", .integer(range))]))
        case .weight(let range): good(.object([Field("grams", .integer(range))]))
        case .figures: [:]
        case .array(let schema, let count), .items(let schema, let count):
            .array(Array(repeating: good(schema), count: max(1, count.lowerBound)))
        case .object(let fields): .object(fields.map { JSON.Member($0.name, good($0.schema)) })
        case .named(_, let schema): good(schema)
        }
    }

    /// - Parameter nullable: whether null may stand for the value.
    static func all(of schema: Schema, nullable: Bool = false) -> [Fault] {
        let wrongTypes: [(JSON, [String])] = [
            ("x", ["string"]), (7, ["integer"]), ("@half", []), (true, ["boolean"]), ([], ["array"]), ([:], ["object"]),
            (["x": [1, "y", .null]], []), (nullable ? "@1e400" : .null, []),
        ]
        func faults(_ type: String, _ values: [JSON]) -> [Fault] {
            (wrongTypes.filter { !$0.1.contains(type) }.map(\.0) + values).map { value in
                Fault(what: String(decoding: value.bytes.prefix(40), as: UTF8.self), value: value)
            }
        }
        let long = JSON.string(String(repeating: "桃", count: 10_000))
        switch schema.unnamed {
        case .string(let length, let kind):
            let empty: [JSON] = length.contains(0) ? [] : [""]
            return faults(
                "string",
                ["@lone", "a\u{0}b"] + unfit(kind, length) + empty + (length.contains(10_000) ? [] : [long]))
        case .enumeration: return faults("", ["nonesuch", "", long, "@lone"])
        case .day, .instant:
            return faults("", ["2025-02-30", "", "2025-8-3", "20250803", "０", long, "@lone", 20_250_803])
        case .integer(let range):
            let numbers: [Int64] = [0, -1, .min, .max].filter { !range.contains($0) }
            let edges = [range.lowerBound.subtractingReportingOverflow(1), range.upperBound.addingReportingOverflow(1)]
                .filter { !$0.overflow }.map(\.partialValue)
            return faults(
                "integer",
                ["7", "", "@1e400", "@huge", "@2^63", "@-2^63-1", "@nan"] + (numbers + edges).map { .integer($0) })
        case .boolean: return faults("boolean", ["true", 1, 0, ""])
        case .money(let range): return all(of: .object([Field("fen", .integer(range))]), nullable: nullable)
        case .weight(let range): return all(of: .object([Field("grams", .integer(range))]), nullable: nullable)
        case .figures: return faults("object", [])
        case .items(let item, let count):
            // What is wrong with an item is told of that one alone.
            let many = JSON.array(Array(repeating: good(item), count: count.upperBound + 1))
            return faults("array", [many] + (count.lowerBound > 0 ? [[]] : []))
        case .array(let item, let count):
            let good = good(item)
            var values: [JSON] = [.array(Array(repeating: good, count: count.upperBound + 1))]
            if count.lowerBound == 0 { values = Array(values.dropFirst()) } else { values.append([]) }
            return faults("array", values)
                + all(of: item).map { Fault(what: "[0] \($0.what)", value: .array([$0.value])) }
        case .object(let fields):
            guard case .object(let members) = good(schema) else { return [] }
            var all = faults("object", [.object(members + [JSON.Member("nonesuch", 1)])])
            for (place, field) in fields.enumerated() {
                func with(_ value: JSON?) -> JSON {
                    var members = members
                    if let value { members[place] = JSON.Member(field.name, value) } else { members.remove(at: place) }
                    return .object(members)
                }
                if field.isRequired { all.append(Fault(what: "\(field.name) missing", value: with(nil))) }
                all += Self.all(of: field.schema, nullable: field.isNullable)
                    .map { Fault(what: "\(field.name) \($0.what)", value: with($0.value)) }
            }
            // An object whose members may all be left out is good when it is empty.
            return fields.contains(where: \.isRequired) ? all : all.filter { $0.value != [:] }
        case .named(_, let schema): return Self.all(of: schema, nullable: nullable)
        }
    }

    /// Texts that fit the length but not the eye.
    private static func unfit(_ kind: Schema.Text, _ length: ClosedRange<Int>) -> [JSON] {
        func fitting(_ texts: [String]) -> [JSON] {
            texts.map { text in
                .string(
                    text
                        + String(
                            repeating: text.last.map(String.init) ?? "",
                            count: max(0, length.lowerBound - text.unicodeScalars.count)))
            }
        }
        guard kind != .secret else { return [] }
        let controls =
            ["a\u{1B}[31mb", "a\u{8}b", "\u{7F}", "a\u{85}b", "a\u{2028}b"]
            + (kind == .lines ? [] : ["a\r\nb", "a\tb"])
        let invisible = length.lowerBound == 0 ? [] : ["\u{200B}", "\u{200B}\u{FEFF}", " ", "\u{3164}", "\u{2800}"]
        return fitting(controls + invisible)
    }

    /// Texts, percent-encoded, that a value of a path or query must refuse.
    static func texts(of schema: Schema) -> [String] {
        let always = ["%00", "%FF", "%ED%A0%80"]
        let long = String(repeating: "9", count: 10_000)
        switch schema.unnamed {
        case .string(let length, let kind):
            return always + (length.contains(10_000) ? [] : [long]) + ["a%1Bb", "a%C2%85b", "a%E2%80%A8b"]
                + (kind == .line ? ["a%0D%0Ab"] : []) + (length.contains(0) ? [] : ["%E2%80%8B", "%20"])
        case .integer(let range):
            return always + [long, "abc", "1.5", "1e400", "9223372036854775808", "%20", "1%20", "%E4%B8%80", "0x1"]
                + ["0", "-1"].filter { Int64($0).map { !range.contains($0) } ?? true }
        case .enumeration: return always + [long, "nonesuch", "%3Cscript%3E"]
        case .boolean: return always + [long, "1", "TRUE", "yes"]
        default: return always + [long, "2025-02-30", "20250803", "x"]
        }
    }
}
