import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A TCP connection on which a test can say what no HTTP library would.
final class SocketClient: Sendable {
    private let descriptor: CInt
    private let timedOut = Atomic(false)

    /// Whether a read or a write has given up waiting.
    var hasTimedOut: Bool { timedOut.load(ordering: .relaxed) }

    /// - Parameter seconds: how long a read or a write waits, which is longer than any machine is busy with others.
    init(port: Int, seconds: Int = 120) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let failed = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if failed != 0 {
            let reason = errno
            close(descriptor)
            throw POSIXError(POSIXErrorCode(rawValue: reason) ?? .EIO)
        }
    }

    deinit { close(descriptor) }

    /// Whether nobody listens: a server that ends needs its time to get there.
    static func isRefused(port: Int) -> Bool { (try? SocketClient(port: port)) == nil }

    func write(_ text: String) async { await write(Array(text.utf8)) }

    /// - Returns: how many bytes the system has taken.
    @discardableResult func write(_ bytes: [UInt8]) async -> Int {
        await onOwnThread { [self] in
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes {
                    send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
                }
                if count <= 0 {
                    noteTimeout(count)
                    break
                }
                sent += count
            }
            return sent
        }
    }

    func finishWriting() { shutdown(descriptor, CInt(SHUT_WR)) }

    /// Lets the connection break when this is released, where it would otherwise look as if all were said.
    func breakOff() {
        var how = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &how, socklen_t(MemoryLayout<linger>.size))
    }

    private func noteTimeout(_ count: Int) {
        if count < 0, errno == EAGAIN { timedOut.store(true, ordering: .relaxed) }
    }

    /// How many bytes arrive until the connection is closed, or nothing has come for too long.
    func count() async -> Int {
        await onOwnThread { [descriptor] in
            var chunk = [UInt8](repeating: 0, count: 65_536)
            var sum = 0
            while true {
                let count = recv(descriptor, &chunk, chunk.count, 0)
                if count <= 0 { return sum }
                sum += count
            }
        }
    }

    /// What arrives until `end` has been seen, the connection is closed, or nothing has come for too long.
    func read(until end: String) async -> String {
        await onOwnThread { [self] in
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = recv(descriptor, &chunk, chunk.count, 0)
                if count <= 0 {
                    noteTimeout(count)
                    break
                }
                bytes += chunk[..<count]
                if String(decoding: bytes, as: UTF8.self).contains(end) { break }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// The server under test runs on Swift's few threads, which a blocking call must not take away.
    private func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: body()) }
        }
    }
}
