import Kernel

/// Work that goes on beside the answering of requests, every so often and at one time only, of however many servers.
public struct Job: Sendable {
    /// What a run is about.
    enum Reach: Sendable {
        /// The database as a whole.
        case database(@Sendable () async throws -> Int)
        /// The villages that have work, asked for once a run, each on its own.
        case villages(@Sendable () async throws -> [Int], @Sendable (_ village: Int) async throws -> Int)
    }

    public let name: String
    public let purpose: Bilingual
    public let every: Duration
    let reach: Reach

    /// Does what there is to do.
    /// - Returns: how much that was, in the job's own unit.
    func work() async throws -> Int {
        switch reach {
        case .database(let work): return try await work()
        case .villages(let withWork, let work):
            var done = 0
            for village in try await withWork() {
                try Task.checkCancellation()
                done += try await work(village)
            }
            return done
        }
    }
}
