import Documents
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Kernel
import Logging
import NIOCore
import ServiceLifecycle
import Telemetry

/// How the server listens and what it bounds.
public struct ServerSettings: Sendable {
    public var host = "127.0.0.1"
    /// 0 takes any port that is free.
    public var port = 8080
    /// Bytes of a request's body, unless its endpoint has a limit of its own.
    public var bodyLimit = 1 << 20
    /// Bytes of all large bodies that are held at once.
    public var bodiesLimit = 256 << 20
    /// Requests that one client may make in a minute; nil for any number.
    public var requestsPerMinute: Int?
    /// The proxies in front; nil without any, and then no field of a request says where it comes from.
    public var proxies: TrustedProxies?
    /// Connections at most: in all, and of one client that is no proxy; 0 for any number of one client.
    public var connections = 4096
    public var connectionsPerClient = 256
    public var patience = Patience()
    /// After a signal to stop, running requests have so long to finish; then they are cancelled.
    public var shutdownSeconds: Int64 = 6
    public var contentSecurityPolicy =
        "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'self'; "
        + "base-uri 'none'; frame-ancestors 'none'"
    public var title = "Taoyuan"
    public var version = "1"

    public init() {}

    /// Lowers the limits to what the system allows; half of it is enough for one client.
    mutating func fit(connections most: Int) {
        connections = min(connections, most)
        if connectionsPerClient > 0 { connectionsPerClient = min(connectionsPerClient, connections / 2) }
    }

    /// Connections that are accepted to be told that there are too many.
    var beingRefused: Int { min(64, max(4, connections / 2)) }
}

/// What of a site is one host's own.
public struct Served: Sendable {
    /// Whose it is, for the log.
    let village: Int?
    /// Of each endpoint, in the order in which the site has them.
    let handlers: [Endpoint.Handler]
    let authenticate: Authenticator
    /// What a browser is shown when something went wrong outside `/api/`.
    let errorPage: @Sendable (Problem) -> Answer

    init(
        _ endpoints: [Endpoint], village: Int? = nil, authenticate: @escaping Authenticator,
        errorPage: @escaping @Sendable (Problem) -> Answer = plainErrorPage
    ) {
        self.village = village
        handlers = endpoints.map(\.handle)
        self.authenticate = authenticate
        self.errorPage = errorPage
    }
}

/// What the server serves.
public struct WebSite: Sendable {
    public var endpoints: [Endpoint]
    /// What the host that a request names is served; nil for one that is none of ours.
    public var served: @Sendable (_ authority: String?) async throws -> Served?
    /// Where a request carries its token.
    public var token: @Sendable (HTTPFields) -> String?

    public init(
        endpoints: [Endpoint], served: @escaping @Sendable (_ authority: String?) async throws -> Served?,
        token: @escaping @Sendable (HTTPFields) -> String? = bearerToken
    ) {
        self.endpoints = endpoints
        self.served = served
        self.token = token
    }

    /// The same for every host.
    public init(endpoints: [Endpoint], authenticate: @escaping Authenticator) {
        let served = Served(endpoints, authenticate: authenticate)
        self.init(endpoints: endpoints, served: { _ in served })
    }
}

/// The application as a function of its settings; tests call it too.
/// - Parameter onReady: told the port as soon as connections are accepted.
public func makeApplication(
    _ settings: ServerSettings, site: WebSite, services: [any Service] = [], logger: Logger,
    onReady: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
) -> some ApplicationProtocol {
    let connections = Connections(
        total: settings.connections, perClient: settings.connectionsPerClient, proxies: settings.proxies)
    return Application(
        responder: makeResponder(settings, site: site, logger: logger),
        server: HTTPServerBuilder {
            BoundedChannel(responder: $0, connections: connections, patience: settings.patience)
        },
        configuration: .init(
            address: .hostname(settings.host, port: settings.port), backlog: 1024,
            // Those above the limit are being refused: where they are too many, the others wait to be accepted.
            availableConnectionsDelegate: .maximum(settings.connections + settings.beingRefused, logger: logger)),
        services: services,
        onServerRunning: { channel in
            // Hummingbird would end the whole server for one connection that could not be accepted.
            try? await channel.pipeline.addHandler(AcceptErrors(), position: .first).get()
            await onReady(channel.localAddress?.port ?? settings.port)
        },
        logger: logger)
}

func makeResponder(_ settings: ServerSettings, site: WebSite, logger: Logger = .silent) -> SiteResponder {
    let fields = AnswerFields(contentSecurityPolicy: settings.contentSecurityPolicy)
    let edge = Edge(
        limiter: RateLimiter(unlessZero: settings.requestsPerMinute ?? 0),
        callers: settings.proxies.map { Callers($0, logger) }, site: site, fields: fields)
    return SiteResponder(
        routes: makeRoutes(settings, site: site, fields: fields), log: RequestLog(logger), edge: edge)
}

private func makeRoutes(_ settings: ServerSettings, site: WebSite, fields: AnswerFields) -> Routes {
    var routes = Routes()
    let longWork = LongWork(room: settings.bodiesLimit)
    let description = OpenAPI.endpoint(title: settings.title, version: settings.version, describing: site.endpoints)
    let placed = Array((site.endpoints + [description]).enumerated())
    for (path, endpoints) in Dictionary(grouping: placed, by: { $0.element.path }) {
        var allowed: Set<HTTPRequest.Method> = [.options]
        for (place, endpoint) in endpoints {
            let responder = EndpointResponder(
                endpoint, place: place, of: site, bodyLimit: settings.bodyLimit, longWork: longWork, fields: fields)
            for method in endpoint.method == .get ? [.get, .head] : [endpoint.method] {
                allowed.insert(method)
                routes.add(method, path, responder)
            }
        }
        let other = OtherMethodResponder(
            allowed: allowed.map(\.rawValue).sorted().joined(separator: ", "), fields: fields,
            isAPI: AnswerFields.isAPI(path))
        for method in Edge.methods where method == .options || !allowed.contains(method) {
            routes.add(method, path, other)
        }
    }
    return routes
}

/// Passes over what went wrong in accepting one connection.
private final class AcceptErrors: ChannelInboundHandler, Sendable {
    typealias InboundIn = any Channel

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

/// Runs the application until SIGTERM or SIGINT: then no connection is accepted any more, and what runs is finished.
/// - Throws: a `Refusal` when the address cannot be listened on.
public func serve(_ application: some ApplicationProtocol, settings: ServerSettings) async throws {
    try await run(makeServiceGroup(application, settings: settings), settings: settings)
}

func makeServiceGroup(_ application: some ApplicationProtocol, settings: ServerSettings) -> ServiceGroup {
    var configuration = ServiceGroupConfiguration(
        services: [.init(service: application)], gracefulShutdownSignals: [.sigterm, .sigint],
        logger: application.logger)
    configuration.maximumGracefulShutdownDuration = .seconds(settings.shutdownSeconds)
    return ServiceGroup(configuration: configuration)
}

func run(_ group: ServiceGroup, settings: ServerSettings) async throws {
    do {
        try await group.run()
    } catch let error as IOError {
        throw cannotListen(error.errnoCode, settings: settings) ?? error
    } catch is SocketAddressError.UnknownHost {
        throw addressNotHere(settings)
    }
}

/// The page that a browser is shown unless the site has a better one.
@Sendable public func plainErrorPage(_ problem: Problem) -> Answer {
    let title = HTML.escaped(problem.title[problem.language])
    let detail = problem.detail.map { "<p>\(HTML.escaped($0[problem.language]))</p>" } ?? ""
    return .html(
        """
        <!doctype html><html lang="\(problem.language.rawValue)"><meta charset="utf-8">\
        <meta name="viewport" content="width=device-width"><title>\(title)</title><h1>\(title)</h1>\(detail)</html>

        """, status: problem.status)
}
