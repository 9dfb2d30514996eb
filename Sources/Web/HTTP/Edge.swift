import HTTPTypes
import Hummingbird
import Kernel
import Logging
import NIOCore
import NIOHTTP1
import Telemetry

/// What surrounds every route: the rate limit, the shape of errors, and the header fields of every answer.
struct Edge {
    static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace]

    let limiter: RateLimiter<ClientAddress>?
    let callers: Callers?
    let site: WebSite
    let fields: AnswerFields

    func handle(
        _ request: Request, context: WebContext, next: (WebContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.language = Language(query: request.uri.query, acceptLanguage: request.headers[.acceptLanguage])
        let peer = IPAddress(context.channel.remoteAddress)
        context.client = ClientAddress(callers?.client(behind: peer, request.headers, context.channel) ?? peer)
        var response: Response
        do {
            try limiter?.check(context.client)
            response = try await next(context)
        } catch let error as HTTPParserError {
            // Only Hummingbird can answer this, by closing the connection.
            throw error
        } catch {
            response = await self.response(to: error, request: request, context: context)
        }
        if request.method == .head {
            let headers = response.headers
            response = Response(status: response.status, headers: headers)
            // The length is that of the answer to GET, or unknown, but not that of the body left out.
            response.headers = headers
        }
        return response
    }

    private func response(to error: any Error, request: Request, context: WebContext) async -> Response {
        var (problem, isOurs) = Problem.of(error, language: context.language)
        if problem.status == .notFound, !Self.methods.contains(request.method) {
            problem = Problem(.methodUnknown, language: context.language)
        }
        problem.requestID = context.record?.id
        context.record?.isRefused(as: problem.code)
        Measured.refusals[problem.code].increment()
        if isOurs {
            context.logger.error(
                "A request failed.",
                metadata: [
                    "error": "\(type(of: error)): \(error)", "method": "\(request.method)",
                    "route": "\(context.route?.path ?? "none")", "id": "\(context.record?.id ?? "")",
                ])
        }
        let isAPI = AnswerFields.isAPI(request.uri.path)
        let wantsPage = !isAPI && request.headers[.accept]?.contains("text/html") ?? false
        let served = wantsPage ? try? await site.served(request.head.authority) : nil
        var answer =
            wantsPage
            ? (served?.errorPage ?? plainErrorPage)(problem)
            : .bytes(problem.document.bytes, "application/problem+json", status: problem.status)
        for field in problem.headers { answer.headers[field.name] = field.value }
        return fields.response(answer, isAPI: isAPI, language: context.language)
    }
}

/// The header fields that every answer carries, put together once.
struct AnswerFields: Sendable {
    private let api: [Language: HTTPFields]
    private let pages: [Language: HTTPFields]

    init(contentSecurityPolicy: String) {
        func fields(_ language: Language, policy: String) -> HTTPFields {
            [
                .xContentTypeOptions: "nosniff", .referrerPolicy: "no-referrer", .contentSecurityPolicy: policy,
                .contentLanguage: language == .chinese ? "zh-CN" : "en", .vary: "Accept-Language",
            ]
        }
        let languages = Language.allCases
        api = Dictionary(
            uniqueKeysWithValues: languages.map {
                ($0, fields($0, policy: "default-src 'none'; frame-ancestors 'none'"))
            })
        pages = Dictionary(uniqueKeysWithValues: languages.map { ($0, fields($0, policy: contentSecurityPolicy)) })
    }

    static func isAPI(_ path: String) -> Bool { path.hasPrefix("/api/") }

    func response(_ answer: Answer, isAPI: Bool, language: Language) -> Response {
        var headers = (isAPI ? api : pages)[language] ?? [:]
        if isAPI, !answer.headers.contains(.cacheControl) {
            headers.append(HTTPField(name: .cacheControl, value: "no-store"))
        }
        if let type = answer.contentType { headers.append(HTTPField(name: .contentType, value: type)) }
        for field in answer.headers {
            if field.name == .setCookie {
                headers.append(field)
            } else {
                headers[field.name] = field.value
            }
        }
        let body: ResponseBody =
            switch answer.body {
            case .empty: ResponseBody()
            case .bytes(let buffer): ResponseBody(byteBuffer: buffer)
            case .stream(let body): body
            }
        var response = Response(status: answer.status, headers: headers, body: body)
        // RFC 9110, section 8.6: these have no content, and a length would be that of another answer.
        if answer.status == .noContent || answer.status == .notModified { response.headers[.contentLength] = nil }
        return response
    }
}

/// What Hummingbird carries along with a request.
public struct WebContext: RequestContext {
    public var coreContext: CoreRequestContextStorage
    public var language = Language.chinese
    /// Known once the request has come through `Edge`.
    public var client = ClientAddress(nil)
    let channel: any Channel
    /// nil where nobody answers.
    var route: Route?
    /// What stands in the place of each `{name}` of the route's path, in their order.
    var values: [Substring] = []
    /// What the log will say of it.
    var record: RequestRecord?

    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

extension HTTPField.Name {
    static let referrerPolicy = ours("Referrer-Policy")
    static let idempotencyKey = ours("Idempotency-Key")

    /// The library can say only at run time that a name is well-formed; these are, so `Via` never stands in.
    static func ours(_ name: String) -> Self { Self(name) ?? .via }
}
