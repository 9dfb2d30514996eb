import Kernel
import Synchronization

/// What takes long is worked at on threads of its own, a few requests at a time: registers, sums of years, large bodies.
/// Files and the rest have places apart, because a file may take minutes; and nobody has all places for files.
struct LongWork: Sendable {
    /// Bodies of more bytes than this are read there.
    static let largeBody = 65_536

    let room: BodyRoom
    private let threads = WorkThreads(name: "long-work", count: 2)
    private let files = Places(4, waiters: 16, patience: .seconds(30), refusal: Self.busy)
    private let others = Places(8, waiters: 64, patience: .seconds(5), refusal: Self.busy)

    /// - Parameter room: bytes of large bodies that are held at once.
    init(room: Int) {
        self.room = BodyRoom(limit: room)
    }

    /// - Parameter caller: who has sent the file, if it is one.
    func run<Value: Sendable>(
        file isFile: Bool, of caller: (any Caller)?, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await (isFile ? files : others).hold(for: isFile ? caller?.parties ?? [] : []) {
            try await threads.run(body)
        }
    }

    private static let busy = Refusal(
        .unavailable, "server-busy", zh: "服务器正忙于其他大的工作，请稍后再试",
        en: "the server is busy with other work that takes long; try again shortly")
}

/// What large bodies hold in memory, all requests' together: a body is whole before it comes to its place.
final class BodyRoom: Sendable {
    private let held = Mutex(0)
    private let limit: Int

    /// - Parameter limit: in bytes.
    init(limit: Int) {
        self.limit = limit
    }

    /// What one request has of it, until it is released.
    final class Share: Sendable {
        private let room: BodyRoom
        private let count = Mutex(0)

        init(of room: BodyRoom) {
            self.room = room
        }

        deinit {
            room.held.withLock { held in held -= count.withLock { $0 } }
        }

        /// - Throws: a `Refusal` of kind `unavailable` where there is no room for so many bytes more.
        func grow(by bytes: Int) throws {
            try room.held.withLock { held in
                guard held + bytes <= room.limit else { throw BodyRoom.full }
                held += bytes
            }
            count.withLock { $0 += bytes }
        }
    }

    private static let full = Refusal(
        .unavailable, "server-busy", zh: "服务器正忙于接收其他大文件，请稍后再试",
        en: "the server is busy receiving other large files; try again shortly")
}
