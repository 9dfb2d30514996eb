import Foundation
import Synchronization
import Testing

@testable import Postgres

struct CopyTests {
    let pool: Pool
    let table = "c_" + UUID().uuidString.lowercased().prefix(8)

    init() async throws {
        pool = try TestServer.shared.get().pool()
        _ = try await pool.query("CREATE TABLE \(identifier: table) (id int8 PRIMARY KEY, name text, data bytea)")
    }

    private var copy: SQL { "COPY \(identifier: table) FROM STDIN" }

    private func count() async throws -> Int {
        try #require(try await pool.query("SELECT count(*) FROM \(identifier: table)").first).decode(0)
    }

    private let texts: [String?] = [
        "tab\there", "line\nbreak", "carriage\rreturn", "back\\slash", "\\N", "\\.", nil, "", "蟠桃🍑", "\u{8}\u{B}\u{C}",
        "'\"",
    ]

    @Test func hostileTextComesBack() async throws {
        var buffer = CopyBuffer()
        for (id, text) in texts.enumerated() {
            try buffer.append(id)
            try buffer.append(text)
            try buffer.append(text.map { Array($0.utf8) })
            buffer.endRow()
        }
        let bytes = buffer.bytes
        let copied = try await pool.transaction { try await $0.copyIn(copy, bytes) }
        #expect(copied == texts.count)
        let rows = try await pool.query("SELECT * FROM \(identifier: table) ORDER BY id")
        #expect(try rows.map { try $0.decode("name", as: String?.self) } == texts)
        #expect(try rows.map { try $0.decode("data", as: [UInt8]?.self) } == texts.map { $0.map { Array($0.utf8) } })
        #expect(throws: PostgresError.self) { try buffer.append("a\0") }
    }

    @Test func streamsBothWays() async throws {
        let chunks = AsyncStream<[UInt8]> { continuation in
            for chunk in 0..<50 {
                continuation.yield(Array((0..<2000).map { "\(chunk * 2000 + $0)\tname\t\\N\n" }.joined().utf8))
            }
            continuation.finish()
        }
        #expect(try await pool.transaction { try await $0.copyIn(copy, rows: chunks) } == 100_000)
        let (lines, pieces) = (Tally(), Tally())
        let sum = Mutex(0)
        try await pool.transaction { transaction in
            try await transaction.copyOut("COPY \(identifier: table) TO STDOUT") { bytes in
                pieces.increment()
                for line in bytes.split(separator: UInt8(ascii: "\n")) {
                    lines.increment()
                    sum.withLock { $0 += Int(String(decoding: line.prefix { $0 != 9 }, as: UTF8.self)) ?? 0 }
                }
            }
            #expect(try await transaction.query("SELECT 1 AS one").first?.decode("one") == 1)
        }
        #expect(lines.count == 100_000)
        #expect(sum.withLock { $0 } == 100_000 * 99_999 / 2)
        #expect(pieces.count < 100)
    }

    @Test func copiedRowsAreReadAsOthersAre() async throws {
        let texts: [String?] = [
            "a'b\\c\td\ne", "", nil, "\u{8}\u{B}\u{C}\r", "韩村 \u{1F351}", "\\N", "\\", "$1 || '; DROP TABLE x --",
        ]
        let data: [UInt8] = [0, 9, 10, 39, 92, 255]
        let query: SQL = """
            SELECT u.n, u.text, \(data)::bytea, \(nil as Int?)::int, u.n % 2 = 0
            FROM unnest(\(texts)::text[]) WITH ORDINALITY AS u (text, n) WHERE u.n >= \(1) ORDER BY u.n
            """
        let copied = Mutex<[CopiedRows.Row]>([])
        try await pool.transaction { transaction in
            try await transaction.copyOut("COPY (\(query)) TO STDOUT") { piece in
                copied.withLock { $0 += CopiedRows(piece) }
            }
        }
        let rows = copied.withLock { $0 }
        #expect(try rows.map { try $0.decode(0, as: Int.self) } == Array(1...texts.count))
        #expect(try rows.map { try $0.decode(1, as: String?.self) } == texts)
        #expect(try rows.allSatisfy { try $0.decode(2) == data })
        #expect(try rows.allSatisfy { try $0.decode(3, as: Int?.self) == nil })
        #expect(try rows.map { try $0.decode(4, as: Bool.self) } == texts.indices.map { $0 % 2 == 1 })
        #expect(throws: PostgresError.self) { try rows[0].decode(5, as: Int.self) }
        #expect(throws: PostgresError.self) { try rows[2].decode(1, as: String.self) }
        let zero = await postgresError {
            try await pool.transaction { try await $0.copyOut("COPY (SELECT \("a\0")) TO STDOUT") { _ in } }
        }
        #expect(zero?.kind == .encoding)
    }

    @Test func errorsUndoTheCopy() async throws {
        struct Stop: Error {}
        let duplicate = await postgresError {
            try await pool.transaction { _ = try await $0.copyIn(copy, Array("1\ta\t\\N\n1\tsecret\t\\N\n".utf8)) }
        }
        #expect(duplicate?.constraint == table + "_pkey")
        let malformed = await postgresError {
            try await pool.transaction { _ = try await $0.copyIn(copy, Array("secret\ta\t\\N\n".utf8)) }
        }
        #expect(malformed?.sqlState == "22P02")
        #expect("\(String(reflecting: malformed))".contains("secret") == false)
        let failing = AsyncThrowingStream<[UInt8], any Error> { continuation in
            continuation.yield(Array("1\ta\t\\N\n".utf8))
            continuation.finish(throwing: Stop())
        }
        await #expect(throws: Stop.self) {
            try await pool.transaction { _ = try await $0.copyIn(copy, rows: failing) }
        }
        #expect(try await count() == 0)
        #expect(pool.statistics.open == 1)
        await #expect(throws: Stop.self) {
            try await pool.transaction { transaction in
                try await transaction.copyOut("COPY (SELECT * FROM generate_series(1, 100000)) TO STDOUT") { _ in
                    throw Stop()
                }
            }
        }
        #expect(pool.statistics.open == 0)
        let wrong = await postgresError {
            try await pool.transaction { _ = try await $0.copyIn("SELECT 1", [UInt8]()) }
        }
        #expect(wrong?.kind == .misuse)
        let asQuery = await postgresError { _ = try await pool.query("COPY \(identifier: table) TO STDOUT") }
        #expect(asQuery?.kind == .misuse)
        let parameter = await postgresError {
            try await pool.transaction { _ = try await $0.copyIn("COPY x FROM \("file")", [UInt8]()) }
        }
        #expect(parameter?.kind == .misuse)
        #expect(try await count() == 0)
    }

    @Test func cancelledCopyIsUndone() async throws {
        let started = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await pool.transaction { transaction in
                let endless = AsyncStream<[UInt8]> {
                    started.continuation.yield()
                    try? await Task.sleep(for: .milliseconds(5))
                    return Task.isCancelled ? nil : Array("\(Int.random(in: 0...Int.max))\ta\t\\N\n".utf8)
                }
                _ = try await transaction.copyIn(copy, rows: endless)
            }
        }
        for await _ in started.stream { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await count() == 0)
    }
}
