import Kernel

/// What stands between the cells of a register.
enum Separator: String, Sendable, CaseIterable {
    case comma = ","
    case tab = "\t"
    case semicolon = ";"
    case wideComma = "，"

    /// The one that stands most often in the first line that holds any text, outside quotes.
    static func detect(in source: consuming TextSource) throws -> Separator {
        var line: [UInt8] = []
        var quoted = false
        reading: while try line.count < Tokenizer.maximumHeaderBytes && source.next() {
            for byte in source.text {
                if byte == UInt8(ascii: "\"") { quoted.toggle() }
                if !quoted, byte == 10 || byte == 13 {
                    if !trimmedRange(line, line.indices).isEmpty { break reading }
                    line.removeAll(keepingCapacity: true)
                }
                if !quoted { line.append(byte) }
            }
        }
        let text = String(decoding: line, as: UTF8.self)
        let counts = allCases.map { separator in
            let scalar = separator.rawValue.unicodeScalars.first
            return (separator, text.unicodeScalars.count { $0 == scalar })
        }
        return counts.reduce((.comma, 0)) { $1.1 > $0.1 ? $1 : $0 }.0
    }
}
