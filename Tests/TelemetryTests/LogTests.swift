import Foundation
import InMemoryLogging
import Logging
import Testing

@testable import Telemetry

@Suite struct LogTests {
    /// What is written to a pipe while `body` runs.
    private func written(
        capacity: Int = 1 << 20, level: Logger.Level = .info, isJSON: Bool? = nil, _ body: (Logger, LogOutput) -> Void
    ) throws -> String {
        let pipe = Pipe()
        let output = LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor, capacity: capacity)
        let handler = LineLog(output, level: level, isJSON: isJSON)
        body(Logger(label: "test", factory: { _ in handler }), output)
        output.flush()
        try pipe.fileHandleForWriting.close()
        return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }

    @Test func `where nobody looks on, lines are JSON`() throws {
        let text = try written { logger, _ in
            logger.info("done", metadata: ["b": "2", "a": "quo\"te\\ \n\u{1B}[31m 桃"])
            logger.debug("not at this level")
        }
        #expect(text.hasSuffix("}\n") && text.split(separator: "\n").count == 1)
        let line = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
        #expect(line["level"] == "info" && line["message"] == "done" && line["b"] == "2")
        #expect(line["a"] == "quo\"te\\ \n\u{1B}[31m 桃")
        let at = try #require(line["at"])
        let read = try Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(at)
        #expect(abs(read.timeIntervalSinceNow) < 60)
    }

    @Test func `what people read is one line, and no terminal obeys it`() throws {
        let text = try written(isJSON: false) { logger, _ in
            logger.warning("no\nway", metadata: ["a": "\u{1B}[2J\r\n"])
        }
        #expect(text.hasSuffix(" warning no way a= [2J  \n"))
    }

    @Test func `what matters is written at once, other lines together`() throws {
        let pipe = Pipe()
        let output = LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        let handler = LineLog(output, level: .info)
        let logger = Logger(label: "test", factory: { _ in handler })
        func available() -> Int {
            var state = pollfd(fd: pipe.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
            return Int(poll(&state, 1, 0))
        }
        logger.info("one")
        #expect(available() == 0)
        logger.warning("two")
        #expect(available() == 1)
        let text = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
        #expect(text.split(separator: "\n").count == 2)
    }

    @Test func `lines that nobody takes are dropped`() throws {
        let text = try written(capacity: 100) { logger, _ in
            for _ in 0..<50 { logger.info("line") }
        }
        #expect((1...5).contains(text.split(separator: "\n").count))
    }

    @Test func `nobody waits for a reader that takes nothing`() throws {
        let pipe = Pipe()
        let output = LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        let handler = LineLog(output, level: .info)
        let logger = Logger(label: "test", factory: { _ in handler })
        // A pipe holds 64 kB.
        for number in 0..<2000 { logger.error("line", metadata: ["number": "\(number)"]) }
        let reader = Thread { while !pipe.fileHandleForReading.availableData.isEmpty {} }
        reader.start()
        output.flush()
        try pipe.fileHandleForWriting.close()
    }

    @Test func `a number of milliseconds has three places`() {
        var line = LogLine(.info, "x", isJSON: true)
        line.add("ms", milliseconds: 12_003_999)
        line.add("n", -4)
        var bytes: [UInt8] = []
        line.end(&bytes)
        #expect(String(decoding: bytes, as: UTF8.self).hasSuffix(",\"ms\":12.003,\"n\":-4}\n"))
    }

    @Test func `an outage is said once, and once that it is over`() async throws {
        let log = InMemoryLogHandler()
        let outage = Outage(
            "the database", Logger(label: "test", factory: { _ in log }), quiet: .milliseconds(50))
        outage.succeeded()
        for reason in ["disk full", "disk full", "read-only"] { outage.failed(reason, detail: "more") }
        #expect(outage.reason == "disk full")
        // What works now and then is not well yet.
        outage.succeeded()
        outage.failed("disk full")
        #expect(log.entries.count == 1)
        try await Task.sleep(for: .milliseconds(60))
        for _ in 0..<3 { outage.succeeded() }
        #expect(outage.reason == nil)
        #expect(log.entries.map(\.level) == [.error, .notice])
        #expect(log.entries[0].metadata["reason"] == "disk full" && log.entries[1].metadata["failures"] == "4")
    }
}
