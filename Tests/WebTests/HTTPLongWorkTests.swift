import Documents
import Foundation
import Kernel
import Synchronization
import Testing

@testable import Web

/// Requests that keep a thread busy, and the others.
@Suite struct HTTPLongWorkTests {
    /// Blocks its thread until it is let go.
    private final class Block: Sendable {
        private let isFree = Mutex(false)
        let count = Mutex(0)

        func wait() {
            count.withLock { $0 += 1 }
            while !isFree.withLock({ $0 }) { Thread.sleep(forTimeInterval: 0.01) }
        }

        func end() { isFree.withLock { $0 = true } }
    }

    @Test func `work that takes long keeps no other request waiting`() async throws {
        let block = Block()
        let long = Endpoint(.get, "/long", "Blocks", access: .anyone, patience: .minutes(10)) { _ in
            block.wait()
            return .json(["done": true])
        }
        let brief = Endpoint(.get, "/brief", "Answers", access: .anyone) { _ in .json(["done": true]) }
        try await withServer(endpoints: [long, brief]) { server in
            try await withThrowingTaskGroup { group in
                // As many as there may be at a time, and as many again.
                for _ in 0..<16 { group.addTask { try await server.send("GET", "/long").status } }
                while block.count.withLock({ $0 }) < 2 { try await Task.sleep(for: .milliseconds(10)) }
                for _ in 0..<20 { #expect(try await server.send("GET", "/brief").status == 200) }
                // Those that came to no place in five seconds are told so.
                for _ in 0..<8 { #expect(try await group.next() == 503) }
                block.end()
                for try await status in group { #expect(status == 200) }
            }
            let reply = try await server.send("GET", "/long")
            #expect(reply.status == 200)
        }
    }

    @Test func `whoever sends one file after the other leaves places to the others`() async throws {
        let begun = Mutex(0)
        let isOver = Mutex(false)
        let file = Endpoint(
            .post, "/file", "Takes as long as it may", access: .signedIn, body: .bytes(["text/csv"], limit: nil),
            takesIdempotencyKey: false, patience: .minutes(10)
        ) { call in
            begun.withLock { $0 += 1 }
            while call.caller?.role == .clerk, !isOver.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(10)) }
            return .json(["done": true])
        }
        try await withServer(endpoints: [file]) { server in
            func send(as role: String) async throws -> Int {
                try await server.send(
                    "POST", "/file", headers: ["Content-Type": "text/csv", "Authorization": "Bearer \(role)"],
                    body: Data("a".utf8)
                ).status
            }
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 { group.addTask { try await send(as: "clerk") } }
                while begun.withLock({ $0 }) < 2 { try await Task.sleep(for: .milliseconds(10)) }
                for _ in 0..<4 { #expect(try await send(as: "administrator") == 200) }
                #expect(begun.withLock { $0 } == 6)
                isOver.withLock { $0 = true }
                for try await status in group { #expect(status == 200) }
            }
        }
    }

    @Test func `a large body is read on another thread`() async throws {
        let name = Endpoint(
            .post, "/thread", "Tells its thread", access: .anyone,
            body: .json(.object([Field("text", .string(0...1_000_000))]))
        ) { _ in
            .json(["thread": .string((try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)) ?? "")])
        }
        try await withServer(endpoints: [name]) { server in
            for (count, isLong) in [(10, false), (LongWork.largeBody, true)] {
                let text = String(repeating: "x", count: count)
                let reply = try await server.send(
                    "POST", "/thread", headers: ["Content-Type": "application/json"],
                    body: Data(JSON.object([.init("text", .string(text))]).bytes))
                #expect((try reply.json["thread"] == "long-work\n") == isLong)
            }
        }
    }
}

/// Bodies and queries of nothing but what readers treat specially.
@Suite struct HTTPSpecialByteTests {
    /// 8 MB of a byte, one of what is several.
    private static func repeated(_ piece: String, after head: String = "") -> [UInt8] {
        let size = piece.utf8.count == 1 ? 8 << 20 : 1 << 20
        return Array((head + String(repeating: piece, count: size / piece.utf8.count)).utf8)
    }

    /// What grows with the square of the size takes many hours; what does not, minutes where all cores are taken.
    @Test(
        .timeLimit(.minutes(60)),
        arguments: [
            "[", "{", "[]", "{}", "[0,", "\"", "\\", "\\u", "\\u0041", "\\ud83c\\udf51", " ", "\n", ",", ":", "-", "0",
            "1",
            "1.", "e", "tru", "null", "{\"a\":", "\"a\":0,", "0,", "\"\",", "\u{1}", "桃", "\u{301}",
        ])
    func `JSON is read in a time that grows with its size`(piece: String) {
        for head in ["", "[", "\"", "{\"", "{\"a\":\"", "0.", "1e"] {
            guard let value = try? JSON(parsing: Self.repeated(piece, after: head)) else { continue }
            #expect(throws: Refusal.self) { try Schema.object([Field("a", .string())]).validate(value) }
        }
    }

    @Test func `names of members are bounded, and so is the search for one that stands twice`() throws {
        let long = String(repeating: "é", count: 500)
        let members = { (name: (Int) -> String) in
            Array(("{" + (0..<250).map { "\"\(name($0))\":0" }.joined(separator: ",") + "}").utf8)
        }
        #expect(try JSON(parsing: members { "\(long.dropLast(2))\($0)" }).members.count == 250)
        let refusal = #expect(throws: Refusal.self) { try JSON(parsing: members { "\(long)\($0)" }) }
        #expect(refusal?.code == "malformed-json")
    }

    @Test(
        .timeLimit(.minutes(60)),
        arguments: [
            "%", "&", "=", "+", ";", "%41", "%4", "%F", "a=b&", "a&", "&=", "==", "桃", "%E6%A1%83", "%00", "\u{0}",
        ])
    func `forms and queries are read in a time that grows with their size`(piece: String) {
        for head in ["", "a=", "%"] {
            let text = Self.repeated(piece, after: head)
            _ = FormText.fields(text)
            _ = FormText.decoded(text, plusIsSpace: true)
            _ = Language(query: String(decoding: text, as: UTF8.self), acceptLanguage: nil)
        }
    }

    @Test(.timeLimit(.minutes(60)), arguments: [",", ";", ";q=", "q=0,", "*", "zh-", "-", " ", "zh,", "en;q=0.1,"])
    func `what a head tells of languages is read in such a time`(piece: String) {
        _ = Language(query: nil, acceptLanguage: String(decoding: Self.repeated(piece), as: UTF8.self))
    }
}
