import Access
import Backend
import Documents
import Kernel
import Synchronization
import Tours

/// The sites of all villages that this program serves, and what they share. One is made when its host is named first and
/// kept while there is room.
final class Sites: Sendable {
    private struct Kept: Sendable {
        let backend: Backend
        let served: Served
    }

    let pages: Pages
    let readiness: Readiness
    let verifications: RateLimiter<ClientAddress>?
    let bookings: RateLimiter<ClientAddress>?
    let lookUps: RateLimiter<ClientAddress>?
    /// By the booking that is looked up.
    let lookUpsOfOne: RateLimiter<BookingReference>?
    /// A password costs us 80 ms, and a guesser should pay for it.
    let signIns: RateLimiter<ClientAddress>?
    /// Wrong passwords, by the village's account and by address.
    let guesses = GuessLimiter<ClientAddress>()
    private let county: County
    private let kept: Mutex<Recent<Int, Kept>>

    init(_ county: County, capacity: Int = 2000) throws {
        self.county = county
        pages = try Pages()
        readiness = Readiness { try await county.checkReady() }
        let limits = county.configuration.requestLimits
        verifications = RateLimiter(unlessZero: limits.reading)
        bookings = RateLimiter(unlessZero: limits.booking)
        lookUps = RateLimiter(unlessZero: limits.lookingUp)
        lookUpsOfOne = RateLimiter(unlessZero: limits.lookingUp)
        signIns = RateLimiter(unlessZero: limits.signingIn)
        kept = Mutex(Recent(capacity: capacity))
    }

    /// What a host is served; nil when it is no village's.
    func served(_ authority: String?) async throws -> Served? {
        guard let backend = try await county.backend(at: authority) else { return nil }
        if let known = kept.withLock({ $0[backend.village.id] }), known.backend === backend { return known.served }
        let served = Site(backend, among: self).served
        kept.withLock { $0[backend.village.id] = Kept(backend: backend, served: served) }
        return served
    }
}
