import Access
import Backend
import Database
import Documents
import Hummingbird
import Kernel
import ServiceLifecycle
import Signing
import Tours

/// The routes of this program over one backend. Each capability's folder adds its own.
struct Site: Sendable {
    let backend: Backend
    var authentication: Authentication { backend.authentication }
    let intake: BookingIntake
    let pages: Pages
    let readiness: Readiness
    let verifications: RateLimiter<ClientAddress>?
    let bookings: RateLimiter<ClientAddress>?
    let lookUps: RateLimiter<ClientAddress>?
    /// By the booking that is looked up.
    let lookUpsOfOne: RateLimiter<BookingReference>?
    /// A password costs us 80 ms, and a guesser should pay for it.
    let signIns: RateLimiter<ClientAddress>?
    /// Wrong passwords, by account and address.
    let guesses = GuessLimiter<ClientAddress>()

    init(_ backend: Backend) throws {
        self.backend = backend
        intake = BookingIntake(
            backend.database, village: backend.village.id, limits: backend.configuration.bookingLimits)
        pages = try Pages()
        readiness = Readiness { try await backend.checkReady() }
        let limits = backend.configuration.requestLimits
        verifications = RateLimiter(unlessZero: limits.reading)
        bookings = RateLimiter(unlessZero: limits.booking)
        lookUps = RateLimiter(unlessZero: limits.lookingUp)
        lookUpsOfOne = RateLimiter(unlessZero: limits.lookingUp)
        signIns = RateLimiter(unlessZero: limits.signingIn)
    }

    var endpoints: [Endpoint] {
        (backend.configuration.adminPort == nil ? adminEndpoints : []) + codeEndpoints + keyEndpoints + labelEndpoints
            + batchEndpoints
            + batchCorrectionEndpoints + saleEndpoints + bookEndpoints + incomeEndpoints + orchardEndpoints
            + nameEndpoints
            + importEndpoints + accessEndpoints + signInEndpoints + pageEndpoints
            + catalogueEndpoints + sessionEndpoints + calendarEndpoints + bookingEndpoints + bookingDeskEndpoints
            + bookingPages + gateEndpoints + ticketEndpoints + messageEndpoints + livelihoodEndpoints
    }

    var webSite: WebSite {
        WebSite(
            endpoints: endpoints,
            authenticate: { token in SignedIn(person: try await authentication.person(token: token)) },
            errorPage: { pages.error($0, village: backend.village) })
    }
}

/// Who calls, as the endpoints' table knows people.
struct SignedIn: Caller {
    let person: Person
    var name: String { person.name }
    var role: Role { person.role }
}

extension Call {
    var scope: Scope {
        get throws { try person.scope }
    }

    var person: Person {
        get throws { try caller(as: SignedIn.self).person }
    }

    /// The request's `Idempotency-Key` and what tells it from another.
    /// - Parameter fingerprint: its method, target and body unless given.
    func retry(_ fingerprint: [UInt8]? = nil) -> Retry? {
        idempotencyKey.map { Retry(key: $0, fingerprint: Digest.sha256(fingerprint ?? self.fingerprint)) }
    }
}

extension Site {
    /// Carries out a plan for whoever calls; under an `Idempotency-Key` once, however often it is sent.
    /// - Parameter fingerprint: what tells the request from another; its method, target and body unless given.
    func carryOut<Value: Sendable>(
        _ call: Call, _ plan: @escaping Plan<Value>, status: HTTPResponse.Status = .created,
        fingerprint: [UInt8]? = nil,
        _ render: @escaping @Sendable (Value) -> JSON
    ) async throws -> Answer {
        let scope = try call.scope
        guard let retry = call.retry(fingerprint) else {
            return .json(render(try await backend.database.change(scope, plan)), status: status)
        }
        let answer = try await backend.database.change(scope, once: retry, render: { render($0).text }, plan)
        return .bytes(answer.utf8, "application/json", status: status)
    }
}

/// Serves the API and the pages until SIGTERM or SIGINT; keeps the embedded PostgreSQL running meanwhile.
/// - Parameter isListening: told the port as soon as connections are accepted.
/// - Throws: a `Refusal` when the address cannot be listened on.
public func serve(
    _ backend: Backend, host: String, port: Int, isListening: @escaping @Sendable (_ port: Int) -> Void
) async throws {
    let site = try Site(backend)
    var settings = site.settings(host: host, port: port)
    settings.fit(connections: try Descriptors.raised().connections(beside: 2 * backend.configuration.poolSize))
    let application = makeApplication(
        settings, site: site.webSite,
        services: [Background { await backend.runBeside() }] + site.adminServer(settings, backend.logger),
        logger: backend.logger, onReady: isListening)
    try await serve(application, settings: settings)
}

extension Site {
    func settings(host: String, port: Int) -> ServerSettings {
        let configuration = backend.configuration
        var settings = ServerSettings()
        settings.host = host
        settings.port = port
        settings.title = "Taoyuan"
        settings.connections = configuration.connections
        settings.connectionsPerClient = configuration.connectionsPerClient
        settings.proxies = configuration.trustedProxyHeader.flatMap {
            TrustedProxies(field: $0, networks: configuration.trustedProxies)
        }
        return settings
    }
}

/// Work that goes on beside the server and ends with it.
struct Background: Service {
    let work: @Sendable () async -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await work()
            // Work that has nothing to do must not end the server.
            try? await gracefulShutdown()
        }
    }
}
