/// Parameters laid out as libpq takes them, in storage that the next statement uses again.
struct ParameterBlock {
    private var bytes: [UInt8] = []
    private var offsets: [Int] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    /// - Throws: a `PostgresError` of kind `encoding`.
    static func check(_ sql: SQL) throws {
        guard sql.parameters.count <= 65_535 else {
            throw PostgresError(.encoding, "a statement has at most 65535 parameters")
        }
        for case .text(let text) in sql.parameters where text.utf8.contains(0) {
            throw PostgresError(.encoding, "PostgreSQL stores no text with a zero byte")
        }
    }

    /// Calls `body` with what `PQsendQueryPrepared` and its like ask for.
    mutating func with<Answer>(
        _ parameters: [Parameter],
        _ body: (
            _ count: Int32, _ values: UnsafePointer<UnsafePointer<CChar>?>?, _ lengths: UnsafePointer<Int32>?,
            _ formats: UnsafePointer<Int32>?
        ) -> Answer
    ) -> Answer {
        if parameters.isEmpty { return body(0, nil, nil, nil) }
        fill(parameters)
        defer { if bytes.count > 1 << 20 { bytes = [] } }
        return bytes.withUnsafeBytes { memory in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: offsets.count) { values in
                for (index, offset) in offsets.enumerated() {
                    let value = offset < 0 ? nil : memory.baseAddress.map { $0 + offset }
                    values.initializeElement(at: index, to: value?.assumingMemoryBound(to: CChar.self))
                }
                return body(Int32(offsets.count), UnsafePointer(values.baseAddress), lengths, formats)
            }
        }
    }

    private mutating func fill(_ parameters: [Parameter]) {
        bytes.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        formats.removeAll(keepingCapacity: true)
        for parameter in parameters {
            let start = bytes.count
            switch parameter {
            case .null:
                offsets.append(-1)
                formats.append(0)
            case .text(let text):
                offsets.append(start)
                bytes.append(contentsOf: text.utf8)
                formats.append(0)
            case .bytes(let value):
                offsets.append(start)
                bytes.append(contentsOf: value)
                formats.append(1)
            }
            lengths.append(Int32(clamping: bytes.count - start))
            bytes.append(0)
        }
    }
}
