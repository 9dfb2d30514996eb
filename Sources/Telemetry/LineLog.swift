import Foundation
import Logging
import Synchronization

/// Lines of JSON for a collector, or lines that people read where standard error is a terminal.
public struct LineLog: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    public var logLevel: Logger.Level
    let output: LogOutput
    let isJSON: Bool

    public init(_ output: LogOutput, level: Logger.Level, isJSON: Bool? = nil) {
        self.output = output
        self.isJSON = isJSON ?? !output.isTerminal
        logLevel = level
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var facts = metadata
        if let more = metadataProvider?.get() { facts.merge(more) { $1 } }
        if let more = event.metadata { facts.merge(more) { $1 } }
        // How an error describes itself may hold what somebody entered.
        if let error = event.error { facts["error"] = "\(type(of: error))" }
        write(event.level, "\(event.message)") { line in
            for (name, value) in facts.sorted(by: { $0.key < $1.key }) { line.add(name, "\(value)") }
        }
    }

    /// Writes one line, whatever the level is set to: for what happens so often that nothing is put together for it that
    /// nobody wants.
    public func write(_ level: Logger.Level, _ message: String, _ facts: (inout LogLine) -> Void) {
        var line = LogLine(level, message, isJSON: isJSON)
        facts(&line)
        output.add(isUrgent: level >= .warning) { line.end(&$0) }
    }
}

/// One line while it is put together.
public struct LogLine {
    private var bytes: [UInt8] = []
    private let isJSON: Bool

    public init(_ level: Logger.Level, _ message: String, isJSON: Bool) {
        self.isJSON = isJSON
        bytes.reserveCapacity(256)
        if isJSON {
            bytes += "{\"at\":\"".utf8
            Self.time(&bytes)
            bytes += "\",\"level\":\"".utf8
            bytes += level.rawValue.utf8
            bytes += "\",\"message\":".utf8
            quoted(message)
        } else {
            Self.time(&bytes)
            bytes += " ".utf8
            bytes += level.rawValue.utf8
            bytes += " ".utf8
            plain(message)
        }
    }

    public mutating func add(_ name: String, _ value: String) {
        begin(name)
        if isJSON { quoted(value) } else { plain(value) }
    }

    public mutating func add(_ name: String, _ value: Int) {
        begin(name)
        number(value)
    }

    /// In milliseconds, with three places.
    public mutating func add(_ name: String, milliseconds nanoseconds: Int64) {
        begin(name)
        let micros = Int(nanoseconds / 1000)
        number(micros / 1000)
        bytes.append(UInt8(ascii: "."))
        Self.digits(micros % 1000, 3, &bytes)
    }

    /// Appends the whole line to what will be written.
    public mutating func end(_ all: inout [UInt8]) {
        if isJSON { bytes.append(UInt8(ascii: "}")) }
        bytes.append(UInt8(ascii: "\n"))
        all += bytes
    }

    private mutating func begin(_ name: String) {
        if isJSON {
            bytes += ",\"".utf8
            bytes += name.utf8
            bytes += "\":".utf8
        } else {
            bytes += " ".utf8
            bytes += name.utf8
            bytes += "=".utf8
        }
    }

    private mutating func number(_ value: Int) { bytes += String(value).utf8 }

    private mutating func quoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        defer { bytes.append(UInt8(ascii: "\"")) }
        // What most of them are, and then copied as a whole.
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            bytes += text.utf8
            return
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes += "\\u00".utf8
                bytes += [byte >> 4, byte & 15].map { $0 < 10 ? $0 + 48 : $0 + 87 }
            default: bytes.append(byte)
            }
        }
    }

    /// In one line, and nothing that a terminal would obey.
    private mutating func plain(_ text: String) {
        for byte in text.utf8 { bytes.append(byte < 0x20 || byte == 0x7F ? UInt8(ascii: " ") : byte) }
    }

    /// The second in which a line was written last, and its text.
    private static let lastSecond = Mutex<(second: Int, text: [UInt8])>((.min, []))

    /// RFC 3339 in UTC, to the millisecond.
    private static func time(_ bytes: inout [UInt8]) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        bytes += lastSecond.withLock { last in
            if last.second != now.tv_sec { last = (now.tv_sec, text(ofSecond: now.tv_sec)) }
            return last.text
        }
        digits(now.tv_nsec / 1_000_000, 3, &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    private static func text(ofSecond second: Int) -> [UInt8] {
        var (second, parts) = (second, tm())
        gmtime_r(&second, &parts)
        var bytes: [UInt8] = []
        for (value, width, after) in [
            (Int(parts.tm_year) + 1900, 4, "-"), (Int(parts.tm_mon) + 1, 2, "-"), (Int(parts.tm_mday), 2, "T"),
            (Int(parts.tm_hour), 2, ":"), (Int(parts.tm_min), 2, ":"), (Int(parts.tm_sec), 2, "."),
        ] {
            digits(value, width, &bytes)
            bytes += after.utf8
        }
        return bytes
    }

    private static func digits(_ value: Int, _ width: Int, _ bytes: inout [UInt8]) {
        var unit = 1
        for _ in 1..<width { unit *= 10 }
        while unit > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(value / unit % 10))
            unit /= 10
        }
    }
}

extension Logger {
    /// Tells nobody: for commands, which say what went wrong themselves.
    public static let silent = Logger(label: "taoyuan", factory: { _ in SwiftLogNoOpLogHandler() })
}
