import Foundation
import Kernel

/// The file in which an offline gate keeps whom it let in: a line of JSON each.
public enum GateJournal {
    /// A line that tells of nobody, or can't be read any more.
    public struct Damage: Sendable, Hashable {
        /// From 1.
        public let line: Int
        public let why: Bilingual

        public var refusal: Refusal {
            Refusal(
                .invalid, "bad-journal", row: line, zh: "签到记录的这一行读不懂：\(why.zh)",
                en: "this line of the journal can't be read: \(why.en)")
        }
    }

    public struct Contents: Sendable {
        public let entries: [CheckInEntry]
        public let damage: [Damage]
        /// Whether the last line has its end; where it has not, the next one must begin on a new line.
        public let isComplete: Bool
    }

    /// No entry is longer than this, its code being a ticket's address or less.
    static let maximumLine = 16_384
    /// Lines that are named one by one; what is no journal at all may have millions.
    static let namedDamage = 1000

    /// Reads what can be read: a damaged line costs no other line anything.
    public static func read(_ bytes: [UInt8]) -> Contents {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let text = try decoder.singleValueContainer().decode(String.self)
            guard let date = Date(instant: text) else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "no instant"))
            }
            return date
        }
        var entries: [CheckInEntry] = []
        var damage: [Damage] = []
        var others = (first: 0, count: 0)
        var number = 0
        var rest = bytes[...]
        while !rest.isEmpty {
            number += 1
            let end = rest.firstIndex(of: 0x0A)
            let line = rest[..<(end ?? rest.endIndex)]
            rest = rest[(end.map { $0 + 1 } ?? rest.endIndex)...]
            guard !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) else { continue }
            do {
                guard line.count <= maximumLine else { throw TooLong() }
                let entry = try decoder.decode(CheckInEntry.self, from: Data(line))
                try CheckInRules.check(entry)
                entries.append(entry)
            } catch let error where damage.count < namedDamage {
                damage.append(Damage(line: number, why: why(error, isLast: end == nil)))
            } catch {
                others = (others.count == 0 ? number : others.first, others.count + 1)
            }
        }
        if others.count > 0 {
            damage.append(
                Damage(
                    line: others.first,
                    why: Bilingual(
                        zh: "从这里起还有 \(others.count) 行读不懂", en: "from here on there are \(others.count) such lines")))
        }
        return Contents(entries: entries, damage: damage, isComplete: bytes.last.map { $0 == 0x0A } ?? true)
    }

    private struct TooLong: Error {}

    private static func why(_ error: any Error, isLast: Bool) -> Bilingual {
        switch error {
        case let refusal as Refusal:
            let field = refusal.field ?? ""
            return Bilingual(zh: "\(field) \(refusal.message.zh)", en: "\(field) \(refusal.message.en)")
        case DecodingError.keyNotFound(let key, _):
            return Bilingual(zh: "缺少 \(key.stringValue)", en: "\(key.stringValue) is missing")
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            if let field = context.codingPath.last?.stringValue {
                return Bilingual(zh: "\(field) 写得不对", en: "\(field) is not what it should be")
            }
            return isLast
                ? Bilingual(zh: "没有写完", en: "it was never finished")
                : Bilingual(zh: "不是一条签到记录", en: "it is no entry")
        default: return Bilingual(zh: "不是一条签到记录", en: "it is no entry")
        }
    }

    /// The entry's line, with its end.
    public static func line(_ entry: CheckInEntry) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(entry)) + [0x0A]
    }
}
