import Documents
import HTTPTypes
import Hummingbird
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
    /// Requests that one client may make in a minute; nil for any number.
    public var requestsPerMinute: Int?
    /// The field in which a reverse proxy in front gives the client's address, alone or at the end of a list, such as
    /// `X-Forwarded-For`; nil without a proxy, and then no field is believed.
    public var proxyHeader: String?
    /// A connection without a request is closed after so many seconds.
    public var idleSeconds: Int64 = 60
    /// After a signal to stop, running requests have so long to finish; then they are cancelled.
    public var shutdownSeconds: Int64 = 10
    public var contentSecurityPolicy =
        "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'self'; "
        + "base-uri 'none'; frame-ancestors 'none'"
    public var title = "Taoyuan"
    public var version = "1"

    public init() {}
}

/// What the server serves.
public struct WebSite: Sendable {
    public var endpoints: [Endpoint]
    public var authenticate: Authenticator
    /// Where a request carries its token.
    public var token: @Sendable (HTTPFields) -> String?
    /// What a browser is shown when something went wrong outside `/api/`.
    public var errorPage: @Sendable (Problem) -> Answer
    /// Routes that are no endpoints, such as static files. They throw `Refusal`s like all others.
    public var routes: @Sendable (Router<WebContext>) -> Void

    public init(
        endpoints: [Endpoint], authenticate: @escaping Authenticator,
        token: @escaping @Sendable (HTTPFields) -> String? = bearerToken,
        errorPage: @escaping @Sendable (Problem) -> Answer = plainErrorPage,
        routes: @escaping @Sendable (Router<WebContext>) -> Void = { _ in }
    ) {
        self.endpoints = endpoints
        self.authenticate = authenticate
        self.token = token
        self.errorPage = errorPage
        self.routes = routes
    }
}

/// The application as a function of its settings; tests call it too.
/// - Parameter onReady: told the port as soon as connections are accepted.
public func makeApplication(
    _ settings: ServerSettings, site: WebSite, services: [any Service] = [], logger: Logger,
    onReady: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
) -> some ApplicationProtocol {
    Application(
        router: makeRouter(settings, site: site, logger: logger),
        server: .http1(configuration: .init(idleTimeout: .seconds(settings.idleSeconds))),
        configuration: .init(address: .hostname(settings.host, port: settings.port), backlog: 1024),
        services: services,
        onServerRunning: { channel in await onReady(channel.localAddress?.port ?? settings.port) },
        logger: logger)
}

func makeRouter(_ settings: ServerSettings, site: WebSite, logger: Logger = .silent) -> Router<WebContext> {
    let router = Router(context: WebContext.self)
    let description = OpenAPI.endpoint(
        title: settings.title, version: settings.version, describing: site.endpoints)
    router.add(
        middleware: RequestLog(logger, endpoints: (site.endpoints + [description]).map { ($0.method, $0.path) }))
    let fields = AnswerFields(contentSecurityPolicy: settings.contentSecurityPolicy)
    let perMinute = settings.requestsPerMinute ?? 0
    router.add(
        middleware: Edge(
            limiter: perMinute > 0 ? RateLimiter(perMinute: perMinute) : nil,
            proxyHeader: settings.proxyHeader.flatMap { HTTPField.Name($0) },
            errorPage: site.errorPage, fields: fields))
    let byPath = Dictionary(grouping: site.endpoints + [description], by: \.path)
    for (path, endpoints) in byPath {
        let isAPI = AnswerFields.isAPI(path)
        var allowed: Set<HTTPRequest.Method> = [.options]
        for endpoint in endpoints {
            let responder = EndpointResponder(
                endpoint: endpoint, authenticate: site.authenticate, token: site.token, bodyLimit: settings.bodyLimit,
                fields: fields, isAPI: isAPI)
            allowed.insert(endpoint.method)
            router.on(RouterPath(path), method: endpoint.method, responder: responder)
            if endpoint.method == .get {
                allowed.insert(.head)
                router.on(RouterPath(path), method: .head, responder: responder)
            }
        }
        let other = OtherMethodResponder(
            allowed: allowed.map(\.rawValue).sorted().joined(separator: ", "), fields: fields, isAPI: isAPI)
        for method in Edge.methods where method == .options || !allowed.contains(method) {
            router.on(RouterPath(path), method: method, responder: other)
        }
    }
    site.routes(router)
    return router
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
