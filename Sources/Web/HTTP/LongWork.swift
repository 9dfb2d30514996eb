import Kernel

/// What takes long is worked at on threads of its own, a few requests at a time: registers, sums of years, large bodies.
/// Files and the rest have places apart, because a file may take minutes.
struct LongWork: Sendable {
    /// Bodies of more bytes than this are read there.
    static let largeBody = 65_536

    private let threads = WorkThreads(name: "long-work", count: 2)
    private let files = Places(4, waiters: 16, patience: .seconds(30), refusal: Self.busy)
    private let others = Places(8, waiters: 64, patience: .seconds(5), refusal: Self.busy)

    func run<Value: Sendable>(
        file isFile: Bool, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await (isFile ? files : others).hold { try await threads.run(body) }
    }

    private static let busy = Refusal(
        .unavailable, "server-busy", zh: "服务器正忙于其他大的工作，请稍后再试",
        en: "the server is busy with other work that takes long; try again shortly")
}
