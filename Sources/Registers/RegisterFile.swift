import Glibc
import Kernel

/// An open regular file, read at offsets, so that several passes see the same file even when its name is given to another.
final class RegisterFile: Sendable {
    let byteCount: Int
    private let descriptor: CInt

    /// - Throws: a `Refusal` when there is no such file, it may not be read, or is no regular file.
    init(path: String) throws {
        let name = (path.split(separator: "/").last.map(String.init) ?? path).shortened
        let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else {
            throw errno == ENOENT || errno == ENOTDIR
                ? Refusal(.notFound, "no-such-file", zh: "没有文件“\(name)”", en: "there is no file “\(name)”")
                : Refusal(.invalid, "unreadable-file", zh: "文件“\(name)”打不开", en: "the file “\(name)” cannot be opened")
        }
        var facts = stat()
        guard fstat(opened, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            close(opened)
            throw Refusal(.invalid, "not-a-file", zh: "“\(name)”不是普通文件", en: "“\(name)” is no regular file")
        }
        descriptor = opened
        byteCount = Int(facts.st_size)
    }

    deinit {
        close(descriptor)
    }

    /// Appends up to `count` bytes from `offset` on; none past the size that the file had when it was opened.
    /// - Returns: how many.
    func read(at offset: Int, count: Int, into buffer: inout [UInt8]) throws -> Int {
        let start = buffer.count
        let count = max(min(count, byteCount - offset), 0)
        buffer.append(contentsOf: repeatElement(0, count: count))
        var got = -1
        repeat {
            got = buffer.withUnsafeMutableBytes { bytes in
                pread(
                    descriptor, UnsafeMutableRawBufferPointer(rebasing: bytes[start...]).baseAddress, count,
                    off_t(offset))
            }
        } while got < 0 && errno == EINTR
        buffer.removeLast(count - max(got, 0))
        guard got >= 0 else {
            throw Refusal(.unavailable, "read-failed", zh: "读文件时出错", en: "reading the file failed")
        }
        return got
    }
}
