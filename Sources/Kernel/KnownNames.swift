/// Names of one kind, each found whatever its width, brackets, blanks and invisible characters.
public struct KnownNames<Value: Sendable>: Sendable {
    private struct Known: Sendable {
        /// As it is meant, if that was spelt in several ways.
        let name: String
        let value: Value
    }

    /// A text by its bytes: comparing Chinese strings normalises them, which is too slow to do for each cell.
    private struct Bytes: Hashable, Sendable {
        let text: String

        func hash(into hasher: inout Hasher) {
            var text = text
            text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }

        static func == (left: Bytes, right: Bytes) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }
    }

    private var byForm: [String: Known] = [:]
    /// By the spellings that are recorded: their form need not be worked out again.
    private var exact: [Bytes: Known] = [:]

    public init() {}

    /// As they are recorded, in no order; of several spellings the one that is meant.
    public var names: Set<String> { Set(byForm.values.map(\.name)) }
    /// Each spelling that is recorded, and the one that is meant by it.
    public var spellings: [(name: String, meant: String)] { exact.map { ($0.text, $1.name) } }
    public var values: [Value] { byForm.values.map(\.value) }

    /// Adds a name; of two that differ in nothing that counts, the first stays.
    /// - Parameter meant: the spelling that is meant by it, if that is another.
    public mutating func add(_ name: String, _ value: Value, meant: String? = nil) {
        let known = Known(name: meant ?? name, value: value)
        exact[Bytes(text: name)] = known
        let form = CleanText.folded(name)
        if byForm[form] == nil { byForm[form] = known }
    }

    public subscript(name: String) -> Value? { find(name)?.value }

    /// The name as it is recorded, or as it is meant.
    public func recorded(_ name: String) -> String? { find(name)?.name }

    private func find(_ name: String) -> Known? {
        exact[Bytes(text: name)] ?? byForm[CleanText.folded(name)]
    }
}

/// Names among which one may be close to a given name, so that either may be a slip of the pen.
public struct CloseNames: Sendable {
    private let names: [(name: String, form: [Unicode.Scalar])]

    public init(_ names: some Sequence<String>) {
        self.init(names.map { ($0, $0) })
    }

    /// - Parameter spellings: each with what is meant by it, which is what is proposed where the spelling is close.
    public init(_ spellings: [(name: String, meant: String)]) {
        names = spellings.map { ($0.meant, Array(CleanText.folded($0.name).unicodeScalars)) }
    }

    /// The least of the names that are close to the given one.
    public func first(closeTo name: String, where isWanted: (String) -> Bool = { _ in true }) -> String? {
        let form = Array(CleanText.folded(name).unicodeScalars)
        return names.filter { Self.areClose(form, $0.form) && isWanted($0.name) }.map(\.name).min()
    }

    /// Names of four characters and more may differ in one, those of eight and more in two. Of two or three characters
    /// each tells names apart (蟠桃 and 油桃), so that only one too many, one too few and two swapped are slips: 零销售 and
    /// 售零 for 零售. Names that differ in nothing but digits are told apart on purpose: 瑞蟠21号 and 瑞蟠22号.
    static func areClose(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Bool {
        let longer = max(left.count, right.count)
        let limit = longer < 8 ? 1 : 2
        guard min(left.count, right.count) > 1, abs(left.count - right.count) <= limit, left != right else {
            return false
        }
        guard left.filter({ !isDigit($0) }) != right.filter({ !isDigit($0) }) else { return false }
        if longer < 4, left.count == right.count { return isSwap(left, right) }
        return distance(left, right, limit: limit) <= limit
    }

    /// Whether two neighbours are swapped and nothing else differs.
    private static func isSwap(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Bool {
        left.indices.dropLast().contains { index in
            var swapped = left
            swapped.swapAt(index, index + 1)
            return swapped == right
        }
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        (48...57).contains(scalar.value) || "一二三四五六七八九十甲乙丙丁东南西北".unicodeScalars.contains(scalar)
    }

    /// Characters to change, add, leave out or swap with their neighbours; more than `limit` when there are more. Looks
    /// only at the places that are within the limit, so that it takes as long as the names are.
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar], limit: Int) -> Int {
        let far = limit + 1
        var before: [Int] = []
        var above = (0...right.count).map { min($0, far) }
        for (row, scalar) in left.enumerated() {
            var line = Array(repeating: far, count: right.count + 1)
            line[0] = min(row + 1, far)
            for column in max(0, row - limit)..<max(min(right.count, row + limit + 1), max(0, row - limit)) {
                var steps = min(above[column + 1] + 1, line[column] + 1)
                steps = min(steps, above[column] + (scalar == right[column] ? 0 : 1))
                if row > 0, column > 0, scalar == right[column - 1], left[row - 1] == right[column] {
                    steps = min(steps, before[column - 1] + 1)
                }
                line[column + 1] = min(steps, far)
            }
            (before, above) = (above, line)
        }
        return above[right.count]
    }
}
