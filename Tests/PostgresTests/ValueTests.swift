import Foundation
import Testing

@testable import Postgres

struct ValueTests {
    let pool: Pool

    init() throws {
        pool = try TestServer.shared.get().pool()
    }

    private func echo<Value: PostgresEncodable & PostgresDecodable>(_ value: Value, as type: StaticString) async throws
        -> Value
    {
        let rows = try await pool.query("SELECT \(value)::\(literal: type) AS echo")
        return try #require(rows.first).decode("echo")
    }

    @Test(arguments: [
        "", " ", "O'Brien", "\"; DROP TABLE product; --", "\\", "\\x41", "$1 $2", "NULL", "{a,b}", "蟠桃🍑👨‍👩‍👧", "a\tb\nc\rd",
        "e\u{301}", "\u{FEFF}bom", "%s%n", String(repeating: "桃", count: 4000),
    ])
    func hostileText(_ text: String) async throws {
        let echoed = try await echo(text, as: "text")
        #expect(Array(echoed.utf8) == Array(text.utf8))
        #expect(try await echo([text, text], as: "text[]") == [text, text])
        #expect(try await echo([text, nil] as [String?], as: "text[]") == [text, nil])
        #expect(try await echo(Array(text.utf8), as: "bytea") == Array(text.utf8))
    }

    @Test func numbers() async throws {
        for value in [0, 1, -1, Int64.max, Int64.min] {
            #expect(try await echo(value, as: "int8") == value)
            #expect(try await echo(Int(value), as: "int8") == Int(value))
        }
        #expect(try await echo(Int32.min, as: "int4") == Int32.min)
        #expect(try await echo(Int16.max, as: "int2") == Int16.max)
        for value in [0.1, -1e300, .infinity, -.infinity, Double.leastNonzeroMagnitude, 1 / 3] {
            #expect(try await echo(value, as: "float8") == value)
        }
        #expect(try await echo(Double.nan, as: "float8").isNaN)
        #expect(try await echo(true, as: "bool"))
        #expect(try await echo(false, as: "bool") == false)
        #expect(try await echo([Int64.min, 0, 7], as: "int8[]") == [Int64.min, 0, 7])
        #expect(try await echo([Int](), as: "int8[]") == [])
        #expect(try await echo([true, false], as: "bool[]") == [true, false])
        #expect(try await echo([1.5, -2], as: "float8[]") == [1.5, -2])
    }

    @Test func bytesAndIdentifiers() async throws {
        let all = (0...255).map { UInt8($0) }
        #expect(try await echo(all, as: "bytea") == all)
        #expect(try await echo([UInt8](), as: "bytea") == [])
        #expect(try await echo([all, [], [0]], as: "bytea[]") == [all, [], [0]])
        let id = UUID()
        #expect(try await echo(id, as: "uuid") == id)
        #expect(try await echo([id, id], as: "uuid[]") == [id, id])
    }

    @Test func instants() async throws {
        for seconds in [0, 1_754_193_845.123456, 1_754_193_845.000001, -1, -4e9, 4_102_444_799.999999] {
            let date = Date(timeIntervalSince1970: seconds)
            let echoed = try await echo(date, as: "timestamptz")
            #expect(abs(echoed.timeIntervalSince(date)) < 1e-6)
            #expect(try await echo(echoed, as: "timestamptz") == echoed)
            let server: Double = try #require(try await pool.query("SELECT extract(epoch FROM \(date))").first).decode(
                0)
            #expect(abs(server - seconds) < 1e-6)
        }
        let ancient = Date(timeIntervalSince1970: -70_000_000_000)
        let error = await postgresError { _ = try await echo(ancient, as: "timestamptz") }
        #expect(error?.kind == .decoding)
        let shanghai = try await pool.transaction { transaction in
            _ = try await transaction.query("SET LOCAL timezone = 'Asia/Shanghai'")
            return try #require(try await transaction.query("SELECT '2025-08-03 12:00:00.5+08'::timestamptz").first)
        }
        #expect(try shanghai.decode(0, as: Date.self) == Date(timeIntervalSince1970: 1_754_193_600.5))
    }

    @Test func nullAndMistakes() async throws {
        let nothing: Int? = nil
        #expect(try await echo(nothing, as: "int4") == nil)
        #expect(try await echo(Optional("x"), as: "text") == "x")
        let row = try #require(try await pool.query("SELECT NULL::text AS a, 'secret' AS b, 300 AS c").first)
        #expect(try row.decode("a", as: String?.self) == nil)
        for decode in [
            { _ = try row.decode("a", as: String.self) }, { _ = try row.decode("b", as: Int.self) },
            { _ = try row.decode("b", as: [UInt8].self) }, { _ = try row.decode("b", as: [Int].self) },
            { _ = try row.decode("b", as: Date.self) }, { _ = try row.decode("b", as: UUID.self) },
            { _ = try row.decode("b", as: Bool.self) }, { _ = try row.decode("b", as: Double.self) },
            { _ = try row.decode("absent", as: String.self) }, { _ = try row.decode(3, as: String.self) },
            { _ = try row.decode(-1, as: String.self) },
        ] as [() throws -> Void] {
            let error = await postgresError { try decode() }
            #expect(error?.kind == .decoding)
            #expect("\(String(describing: error))".contains("secret") == false)
        }
        let overflow = try #require(try await pool.query("SELECT 99999999999999999999::numeric AS a, 70000 AS b").first)
        #expect(throws: PostgresError.self) { try overflow.decode("a", as: Int64.self) }
        #expect(throws: PostgresError.self) { try overflow.decode("b", as: Int16.self) }
    }

    @Test func tenMegabytesEachWay() async throws {
        let text = String(repeating: "蟠桃 'x' \\ ", count: 800_000)
        #expect(text.utf8.count > 10_000_000)
        #expect(try await echo(text, as: "text") == text)
        let bytes = [UInt8](repeating: 0xA7, count: 10_000_000)
        #expect(try await echo(bytes, as: "bytea") == bytes)
    }

    @Test func zeroBytesAreRefused() async throws {
        for sql in ["SELECT \("a\0b")", "SELECT \(["a\0"])", "SELECT \(Optional("\0"))"] as [SQL] {
            let error = await postgresError { _ = try await pool.query(sql) }
            #expect(error?.kind == .encoding)
        }
        #expect(try await pool.query("SELECT 1 AS one").first?.decode("one") == 1)
        let name = await postgresError { _ = try await pool.query("SELECT 1 AS \(identifier: "a\0b")") }
        #expect(name != nil)
    }

    @Test func rowsAreACollection() async throws {
        let rows = try await pool.query("SELECT n, 'x' || n AS name FROM generate_series(1, 5) n")
        #expect(rows.count == 5)
        #expect(rows.columns == ["n", "name"])
        #expect(rows.affected == 5)
        #expect(try rows.map { try $0.decode("n", as: Int.self) } == [1, 2, 3, 4, 5])
        #expect(try rows.last?.decode("name") == "x5")
        #expect(try await pool.query("SELECT 1 WHERE false").isEmpty)
    }
}

struct SQLTests {
    @Test func interpolationBinds() {
        let name = "'; DROP TABLE x; --"
        let sql: SQL = "SELECT * FROM product WHERE name = \(name) AND id = \(7) AND note = \(String?.none)"
        #expect(sql.description == "SELECT * FROM product WHERE name = $1 AND id = $2 AND note = $3")
        #expect(sql.parameters.count == 3)
    }

    @Test func spliceRenumbers() {
        let condition: SQL = "a = \(1) AND b = \("x")"
        let sql: SQL = "SELECT \(0), (\(condition)) OR (\(condition)) AND \(9)"
        #expect(sql.description == "SELECT $1, (a = $2 AND b = $3) OR (a = $4 AND b = $5) AND $6")
        #expect((sql + " LIMIT \(3)").description.hasSuffix("$6 LIMIT $7"))
        let values = (1...3).map { "(\($0), \("n"))" as SQL }.joined(separator: ", ")
        #expect("VALUES \(values)" as SQL == "VALUES ($1, $2), ($3, $4), ($5, $6)")
        #expect([SQL]().joined(separator: ", ").description == "")
    }

    @Test func identifiersAreQuoted() {
        #expect("\(identifier: "a\"b")" as SQL == "\"a\"\"b\"")
        #expect("\(identifier: "Straße; --")" as SQL == "\"Straße; --\"")
        #expect("ORDER BY x \(literal: "DESC")" as SQL == "ORDER BY x DESC")
        #expect("LIMIT \(known: 50)" as SQL == "LIMIT 50")
    }

    @Test func typedParametersCarryTheirCast() {
        #expect("SELECT \([1, 2] as [UInt8]), \(Date?.none)" as SQL == "SELECT $1::bytea, $2::timestamptz")
    }
}

private func == (sql: SQL, text: String) -> Bool { sql.description == text }
