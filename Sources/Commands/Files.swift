import Foundation
import Kernel

/// Files that the user names.
enum Files {
    /// - Throws: a `Refusal` when it can't be read, is not UTF-8, or is larger than a key or a password can be.
    static func text(_ path: String) throws -> String {
        guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.read(upToCount: 1_048_577),
            data.count <= 1_048_576, let text = String(data: data, encoding: .utf8)
        else {
            throw Refusal(
                .invalid, "unreadable-file", zh: "读不了文件“\(path.shortened)”",
                en: "the file “\(path.shortened)” can't be read")
        }
        return text
    }

    /// - Throws: a `Refusal` when it can't be read or is larger than `limit` bytes.
    static func bytes(_ path: String, limit: Int) throws -> [UInt8] {
        // Of an empty file there is nothing to read, which is not to say that it can't be read.
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: limit + 1) ?? Data(), data.count <= limit
        else {
            throw Refusal(
                .invalid, "unreadable-file", zh: "读不了文件“\(path.shortened)”",
                en: "the file “\(path.shortened)” can't be read")
        }
        return Array(data)
    }

    /// Writes to a file, and says so, or without a path to standard output.
    static func deliver(_ bytes: [UInt8], to path: String?) throws {
        guard let path else { return try Terminal.write(bytes) }
        try write(bytes, to: path)
        Terminal.say(words("已写入 \(path)", "written to \(path)"))
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        do {
            try Data(bytes).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw Refusal(
                .unavailable, "cannot-write", zh: "无法写入文件“\(path.shortened)”",
                en: "the file “\(path.shortened)” can't be written")
        }
    }
}
