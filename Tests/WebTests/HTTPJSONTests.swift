import Documents
import Kernel
import Testing

@testable import Web

@Suite struct HTTPJSONTests {
    @Test(arguments: [
        "", " ", "{", "[", "\"", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "[1 2]", "{\"a\":1}x", "01", "-", "1.",
        ".5",
        "+1", "1e", "1e400", "-1e400", "99999999999999999999", "-9223372036854775809", "nul", "True", "NaN",
        "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
        "\"\\ud800x\"",
        "\"\\x\"", "\"\\u12\"", "\"a\nb\"", "\u{FEFF}{}", "'a'", "{a:1}", "/**/1",
        String(repeating: "[", count: 10_000), String(repeating: "{\"a\":", count: 10_000),
        String(repeating: "[", count: 33) + String(repeating: "]", count: 33),
    ])
    func malformed(text: String) {
        let refusal = #expect(throws: Refusal.self) { try JSON(parsing: Array(text.utf8)) }
        #expect(refusal?.code == "malformed-json")
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0xAF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE4, 0xB8, 0x22],
            [0x00],
            [0x22, 0x5C, 0x6E, 0xFF, 0x22], [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D],
        ] as [[UInt8]])
    func malformed(bytes: [UInt8]) {
        #expect(throws: Refusal.self) { try JSON(parsing: bytes) }
    }

    @Test(
        arguments: [
            ("null", .null), (" [ ] ", []), ("{}", [:]), ("-0", 0), ("1.0", 1), ("1e3", 1000),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)), ("0.5", .number(0.5)),
            ("\"\\u6843\\ud83c\\udf51\\/\\n\"", "桃🍑/\n"), ("\"\\u0000\"", "\u{0}"),
            ("{\"b\":[true,false,{\"a\":\"桃\"}],\"a\":null}", ["b": [true, false, ["a": "桃"]], "a": .null]),
        ] as [(String, JSON)])
    func parses(text: String, value: JSON) throws {
        #expect(try JSON(parsing: Array(text.utf8)) == value)
        #expect(try JSON(parsing: value.bytes) == value)
    }

    @Test func writesStably() {
        let value: JSON = [
            "z": 1, "a": ["q\"\\\n\t\r\u{1}\u{1F}桃", 0.5, .null, true], "n": .number(.infinity), "o": [:],
        ]
        let text = #"{"z":1,"a":["q\"\\\n\t\r\u0001\u001f桃",0.5,null,true],"n":null,"o":{}}"#
        #expect(String(decoding: value.bytes, as: UTF8.self) == text)
    }

    @Test func readsValues() throws {
        let value: JSON = [
            "weight": JSON(Weight(grams: 5)), "money": JSON(Money(fen: 6)), "day": "2025-08-03", "nil": .null,
        ]
        #expect(try value["weight"].weight.grams == 5)
        #expect(try value["money"].money.fen == 6)
        #expect(try value["day"].day.description == "2025-08-03")
        #expect(value["nil"].orNil == nil && value["none"].orNil == nil)
        #expect(throws: Refusal.self) { try value["day"].int }
    }

    static let good: JSON = [
        "buyer": "津小韩", "day": "2025-08-03", "amount": ["fen": 850], "channel": "shop",
        "lines": [["batch": "A1", "weight": ["grams": 500]]],
    ]

    static func good(_ key: String, _ value: JSON) -> JSON {
        guard case .object(let members) = good else { return good }
        return .object(members.filter { $0.key != key } + [.init(key, value)])
    }

    @Test(
        arguments: [
            ("buyer", .null, "wrong-type", "buyer"), ("buyer", 3, "wrong-type", "buyer"),
            ("buyer", "", "out-of-range", "buyer"),
            ("buyer", "一二三四五六七八九十一二三四五六七八九十一", "out-of-range", "buyer"), ("buyer", "a\u{0}b", "out-of-range", "buyer"),
            ("day", "2025-02-30", "not-a-day", "day"), ("day", "2025/08/03", "not-a-day", "day"),
            ("day", 20_250_803, "wrong-type", "day"),
            ("amount", 850, "wrong-type", "amount"), ("amount", ["fen": -1], "out-of-range", "amount.fen"),
            ("amount", ["fen": 8.5], "wrong-type", "amount.fen"),
            ("amount", ["yuan": 8], "missing-field", "amount.fen"),
            ("channel", "web", "out-of-range", "channel"), ("lines", [], "out-of-range", "lines"),
            ("lines", [:], "wrong-type", "lines"),
            ("lines", [["batch": "A", "weight": ["grams": 0]]], "out-of-range", "lines[0].weight.grams"),
            ("lines", [["batch": "A", "weight": ["grams": 1]], ["batch": "A"]], "missing-field", "lines[1].weight"),
            ("lines", [["batch": "A", "weight": ["grams": 1], "x": 1]], "unknown-field", "lines[0].x"),
            ("lines", [4], "wrong-type", "lines[0]"),
            ("boxes", 0, "out-of-range", "boxes"), ("paid", "yes", "wrong-type", "paid"),
            ("extra", 1, "unknown-field", "extra"),
            ("at", "2025-08-03T24:00:00Z", "not-an-instant", "at"),
            ("at", "2025-08-03T10:00:00+08:00", "not-an-instant", "at"),
            ("at", "2025-08-03 10:00:00Z", "not-an-instant", "at"), ("note", ["a"], "wrong-type", "note"),
        ] as [(String, JSON, String, String)])
    func refuses(key: String, value: JSON, code: String, field: String) {
        let refusal = #expect(throws: Refusal.self) { try saleSchema.validate(Self.good(key, value)) }
        #expect(refusal?.code == code)
        #expect(refusal?.field == field)
        #expect(refusal?.kind == .invalid)
    }

    @Test func accepts() throws {
        try saleSchema.validate(Self.good)
        try saleSchema.validate(Self.good("note", .null))
        try saleSchema.validate(Self.good("at", "2025-08-03T23:59:59Z"))
        try saleSchema.validate(Self.good("buyer", "一二三四五六七八九十一二三四五六七八九十"))
        try saleSchema.validate(Self.good("boxes", .integer(.max)))
        let refusal = #expect(throws: Refusal.self) { try saleSchema.validate([], at: "body") }
        #expect(refusal?.field == "body")
    }

    @Test func formText() throws {
        let fields = try #require(FormText.fields("a=1+2&b=%E6%A1%83&c&d==".utf8))
        #expect(fields.map(\.name) == ["a", "b", "c", "d"])
        #expect(fields.map(\.value) == ["1 2", "桃", "", "="])
        for bad in ["a=%", "a=%zz", "a=%E6", "%ff=1"] { #expect(FormText.fields(bad.utf8) == nil) }
    }

    @Test func cursors() throws {
        for text in ["", "1", "桃子:2025-08-03", "???>>>"] { #expect(try Cursor.decode(Cursor.encode(text)) == text) }
        for bad in ["*", "a", "_w", "AA"] { #expect(throws: Refusal.self) { try Cursor.decode(bad) } }
    }
}

extension JSON: ExpressibleByFloatLiteral {
    public init(floatLiteral value: Double) { self = .number(value) }
}
