import Glibc
import Kernel

/// Small files that nobody but their owner may read.
enum PrivateFile {
    enum Problem: Error {
        case missing
        case tooOpen
        /// A code of `errno`; 0 for a thing that is no small regular file.
        case unusable(Int32)
    }

    /// - Parameter isSecret: whether a file that group or others may read or write is a `tooOpen` problem.
    static func read(_ path: String, isSecret: Bool = true) throws(Problem) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw errno == ENOENT ? .missing : .unusable(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unusable(errno) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= 65_536 else { throw .unusable(0) }
        guard !isSecret || status.st_mode & 0o077 == 0 else { throw .tooOpen }
        let size = Int(status.st_size)
        var problem: Int32?
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
                if got < 0, errno == EINTR { continue }
                guard got > 0 else {
                    problem = got < 0 ? errno : nil
                    return
                }
                count += got
            }
        }
        if let problem { throw .unusable(problem) }
        return bytes
    }

    /// Makes the file with mode 0600, whole or not at all, and on disk when this returns.
    ///
    /// - Returns: false when there already is one, which stays as it was.
    static func create(_ path: String, _ bytes: [UInt8]) throws(Problem) -> Bool {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) + "/" } ?? "."
        let draft = path + "." + String(UInt64.random(in: .min ... .max), radix: 36)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unusable(errno) }
        defer {
            close(descriptor)
            unlink(draft)
        }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .unusable(errno) }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw .unusable(errno) }
        // Unlike a rename, a link never takes another's place.
        guard link(draft, path) == 0 else {
            guard errno == EEXIST else { throw .unusable(errno) }
            return false
        }
        let parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw .unusable(errno) }
        defer { close(parent) }
        guard fsync(parent) == 0 else { throw .unusable(errno) }
        return true
    }

    /// Makes the folder, and those that it lies in, with mode 0700 unless they are there.
    static func makeFolder(_ path: String) throws(Problem) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let parent = path.lastIndex(of: "/").map({ path[..<$0] }), !parent.isEmpty else {
            throw .unusable(errno)
        }
        try makeFolder(String(parent))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .unusable(errno) }
    }

    /// A missing folder is a `missing` problem, one open to group or others `tooOpen`.
    static func checkFolder(_ path: String) throws(Problem) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw errno == ENOENT ? .missing : .unusable(errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .unusable(ENOTDIR) }
        guard status.st_mode & 0o077 == 0 else { throw .tooOpen }
    }
}

extension PrivateFile.Problem {
    /// The problem as a refusal `no-SLUG`, `SLUG-too-open` or `SLUG-unusable`, telling which file by a name that is
    /// safe to show: never the whole path.
    func refusal(_ slug: String, _ zh: String, _ en: String, mode: String = "600") -> Refusal {
        switch self {
        case .missing:
            Refusal(.notFound, "no-\(slug)", zh: "没有\(zh)", en: "there is no \(en)")
        case .tooOpen:
            Refusal(
                .forbidden, "\(slug)-too-open", zh: "\(zh)的权限过宽，别人也能读写；请先 chmod \(mode)",
                en: "others may read or write the \(en): chmod \(mode) it first")
        case .unusable(let code):
            Refusal(
                .unavailable, "\(slug)-unusable", zh: "\(zh)无法读写（\(Self.reason(code))）",
                en: "the \(en) cannot be used (\(Self.reason(code)))")
        }
    }

    private static func reason(_ code: Int32) -> String {
        code == 0 ? "no small regular file" : String(cString: strerror(code))
    }
}
