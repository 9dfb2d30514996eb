extension Result where Failure == any Error {
    /// What becomes of `body`, for whoever has something to close before it goes on.
    public init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
