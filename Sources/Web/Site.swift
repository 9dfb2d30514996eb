import Access
import Backend
import Database
import Documents
import Hummingbird
import Kernel
import ServiceLifecycle
import Signing
import Tours

/// The routes of this program for one village. Each capability's folder adds its own.
struct Site: Sendable {
    let backend: Backend
    let intake: BookingIntake
    let sites: Sites

    init(_ backend: Backend, among sites: Sites) {
        self.backend = backend
        self.sites = sites
        intake = BookingIntake(
            backend.database, village: backend.village.id, limits: backend.configuration.bookingLimits)
    }

    init(_ backend: Backend) throws {
        self.init(backend, among: try Sites(backend.county))
    }

    var authentication: Authentication { backend.authentication }
    var pages: Pages { sites.pages }
    var verifications: RateLimiter<ClientAddress>? { sites.verifications }
    var bookings: RateLimiter<ClientAddress>? { sites.bookings }
    var lookUps: RateLimiter<ClientAddress>? { sites.lookUps }
    var lookUpsOfOne: RateLimiter<BookingReference>? { sites.lookUpsOfOne }
    var signIns: RateLimiter<ClientAddress>? { sites.signIns }
    var guesses: GuessLimiter<ClientAddress> { sites.guesses }

    var endpoints: [Endpoint] {
        (backend.configuration.adminPort == nil ? adminEndpoints : []) + codeEndpoints + keyEndpoints + labelEndpoints
            + batchEndpoints
            + batchCorrectionEndpoints + saleEndpoints + bookEndpoints + incomeEndpoints + orchardEndpoints
            + nameEndpoints
            + importEndpoints + accessEndpoints + auditEndpoints + signInEndpoints + pageEndpoints
            + catalogueEndpoints + sessionEndpoints + calendarEndpoints + bookingEndpoints + bookingDeskEndpoints
            + bookingPages + gateEndpoints + ticketEndpoints + messageEndpoints + livelihoodEndpoints
    }

    /// What the village's hosts are served.
    var served: Served {
        Served(
            endpoints, village: backend.village.id,
            authenticate: { token in SignedIn(person: try await authentication.person(token: token)) },
            errorPage: { pages.error($0, village: backend.village) })
    }

    /// All villages' sites: their endpoints are the same as this one's.
    var webSite: WebSite {
        WebSite(endpoints: endpoints, served: sites.served)
    }
}

/// Who calls, as the endpoints' table knows people.
struct SignedIn: Caller {
    let person: Person
    var name: String { person.name }
    var role: Role { person.role }

    /// An account with all its tokens has at most half, and a village leaves something to the others.
    var parties: [Places.Party] {
        let village = "village \(person.village)"
        let own = person.account.map { "account \($0)" } ?? person.name
        return [.init("\(village), \(own)", share: 0.5), .init(village, share: 0.75)]
    }
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

    func carryOut<Value: Sendable>(
        _ call: Call, _ plan: @escaping Plan<Value>, _ shape: Shape<Value>
    ) async throws -> Answer {
        try await carryOut(call, plan, shape.json)
    }
}

/// Serves the API and the pages of all villages until SIGTERM or SIGINT; keeps the embedded PostgreSQL running meanwhile.
/// - Parameter isListening: told the port as soon as connections are accepted.
/// - Throws: a `Refusal` when the address cannot be listened on.
public func serve(
    _ county: County, host: String, port: Int, isListening: @escaping @Sendable (_ port: Int) -> Void
) async throws {
    let site = Site(try await county.firstBackend(), among: try Sites(county))
    var settings = site.settings(host: host, port: port)
    try await site.checkAdminPort(settings)
    settings.fit(connections: try Descriptors.raised().connections(beside: 2 * county.configuration.poolSize))
    let application = makeApplication(
        settings, site: site.webSite,
        services: [Background { await county.runBeside() }] + site.adminServer(settings, county.logger),
        logger: county.logger, onReady: isListening)
    // What is not ready is in the log from the start, before anybody asks.
    try? await county.checkReady()
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
