import ArgumentParser
import Foundation
import Kernel

/// Standard output, which carries data, and standard error, which carries talk.
enum Terminal {
    static let showsOutput = isatty(STDOUT_FILENO) == 1
    static let showsTalk = isatty(STDERR_FILENO) == 1
    static let hasColours = showsOutput && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

    /// How wide the terminal of standard output is; 80 when it is none.
    static var columns: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// - Throws: an `ExitCode` when the reader went away, a `Refusal` when a disk is full.
    static func write(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count >= 0 {
                done += count
            } else if errno == EPIPE {
                throw ExitCode(128 + SIGPIPE)
            } else if errno != EINTR {
                throw Refusal(
                    .unavailable, "cannot-write", zh: "无法写到标准输出", en: "standard output can't be written to")
            }
        }
    }

    static func print(_ text: String) throws {
        try write(Array((text.hasSuffix("\n") ? text : text + "\n").utf8))
    }

    static func say(_ text: String, terminator: String = "\n") {
        let bytes = Array((text + terminator).utf8)
        _ = Foundation.write(STDERR_FILENO, bytes, bytes.count)
    }

    static func bold(_ text: String) -> String { hasColours ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

    /// Green for what is good, red for what is not.
    static func mark(_ text: String, good: Bool) -> String {
        hasColours ? "\u{1B}[1;\(good ? 32 : 31)m\(text)\u{1B}[0m" : text
    }
}

extension String {
    /// Columns on a terminal: CJK characters take two.
    var terminalWidth: Int {
        unicodeScalars.reduce(0) { width, scalar in
            switch scalar.value {
            case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
                0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
                width + 2
            case 0x300...0x36F, 0x200B...0x200F, 0xFE00...0xFE0F: width
            default: width + 1
            }
        }
    }
}
