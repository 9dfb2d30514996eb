import Glibc
import Kernel

/// What opens the private keys. Prints as dots, so that it cannot slip into a log.
public struct Passphrase: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public let bytes: [UInt8]

    /// - Throws: a `Refusal` of kind `invalid` for an empty one or one beyond 1024 bytes.
    public init(_ text: String) throws {
        try self.init(bytes: Array(text.utf8))
    }

    private init(bytes: [UInt8]) throws {
        guard (1...1024).contains(bytes.count) else {
            throw Refusal(
                .invalid, "bad-passphrase", zh: "私钥口令须为 1 至 1024 字节", en: "a passphrase is 1 to 1024 bytes long")
        }
        self.bytes = bytes
    }

    /// Reads a file, and drops one line end at its end. Takes any mode: mounted secrets are often readable by all
    /// inside their container.
    ///
    /// - Throws: a `Refusal`.
    public static func read(file path: String) throws -> Passphrase {
        try read(path, isSecret: false)
    }

    /// Reads the file, or makes it with mode 0600 and 256 random bits in base64url. Processes that race get the same.
    ///
    /// - Parameter path: in a folder that exists.
    /// - Throws: a `Refusal`, also when others may read the file; `CryptoError`.
    public static func embedded(at path: String) throws -> Passphrase {
        if let found = try readIfPresent(path, isSecret: true) { return found }
        let made = Array(Base64URL.encode(try RandomBytes.secret(32)).utf8)
        do {
            // Whether it became ours or another process was first: what lies there now is the passphrase.
            _ = try PrivateFile.create(path, made + [0x0A])
        } catch {
            throw refusal(error)
        }
        return try read(path, isSecret: true)
    }

    /// Puts it into a file of mode 0600, where `embedded` finds it.
    /// - Throws: a `Refusal`, also when there is one.
    public func store(at path: String) throws {
        do {
            guard try PrivateFile.create(path, bytes + [0x0A]) else { throw PrivateFile.Problem.unusable(EEXIST) }
        } catch let problem as PrivateFile.Problem {
            throw Self.refusal(problem)
        }
    }

    private static func read(_ path: String, isSecret: Bool) throws -> Passphrase {
        guard let found = try readIfPresent(path, isSecret: isSecret) else { throw refusal(.missing) }
        return found
    }

    private static func readIfPresent(_ path: String, isSecret: Bool) throws -> Passphrase? {
        var bytes: [UInt8]
        do {
            bytes = try PrivateFile.read(path, isSecret: isSecret)
        } catch .missing {
            return nil
        } catch {
            throw refusal(error)
        }
        if bytes.last == 0x0A {
            bytes.removeLast()
            if bytes.last == 0x0D { bytes.removeLast() }
        }
        return try Passphrase(bytes: bytes)
    }

    private static func refusal(_ problem: PrivateFile.Problem) -> Refusal {
        problem.refusal("passphrase-file", "口令文件", "passphrase file")
    }

    public var description: String { "•••" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
