import Documents
import HTTPTypes
import Hummingbird
import Kernel
import NIOCore
import NIOHTTP1

/// Carries out one endpoint: lets in who may call, reads and validates what was sent, and calls the handler.
final class EndpointResponder: HTTPResponder {
    typealias Context = WebContext

    private let endpoint: Endpoint
    /// Its place among the endpoints of the site.
    private let place: Int
    private let site: WebSite
    private let bodyLimit: Int
    private let longWork: LongWork
    private let fields: AnswerFields
    private let isAPI: Bool

    init(
        _ endpoint: Endpoint, place: Int, of site: WebSite, bodyLimit: Int, longWork: LongWork, fields: AnswerFields
    ) {
        self.endpoint = endpoint
        self.place = place
        self.site = site
        self.bodyLimit = bodyLimit
        self.longWork = longWork
        self.fields = fields
        isAPI = AnswerFields.isAPI(endpoint.path)
    }

    func respond(to request: Request, context: WebContext) async throws -> Response {
        let served = endpoint.isOfAnyHost ? nil : try await served(request)
        context.record?.isFor(served?.village)
        // Before the body is read, so that strangers cannot make the server hold what they send.
        let caller = try await caller(of: request, served, context)
        if let patience = endpoint.patience {
            context.channel.triggerUserOutboundEvent(ConnectionHandler.Extension(patience: patience), promise: nil)
        }
        let path = try pathValues(context.values)
        let query = try queryValues(request.uri.query)
        var bytes = ByteBuffer()
        let share = BodyRoom.Share(of: longWork.room)
        defer { withExtendedLifetime(share) {} }
        if let expected = endpoint.body {
            let begin = ContinuousClock.now
            bytes = try await read(expected, of: request, context, share)
            // A body may take minutes: whoever was shut out meanwhile is out.
            if ContinuousClock.now - begin > .seconds(1) { _ = try await self.caller(of: request, served, context) }
        }
        let key = endpoint.takesIdempotencyKey ? try idempotencyKey(of: request) : nil
        let handle = served?.handlers[place] ?? endpoint.handle
        let answer = { @Sendable [bytes] in
            var body = JSON.null
            if case .json(let schema) = self.endpoint.body {
                body = try JSON(parsing: Array(bytes.readableBytesView))
                try schema.validate(body)
            }
            return try await handle(
                Call(
                    method: request.method, target: request.head.path ?? "/", authority: request.head.authority,
                    headers: request.headers, path: path, query: query, body: body, bytes: bytes,
                    language: context.language, client: context.client, caller: caller, idempotencyKey: key))
        }
        let isLong = endpoint.patience != nil || bytes.readableBytes > LongWork.largeBody
        return fields.response(
            isLong ? try await longWork.run(file: endpoint.takesFile, of: caller, answer) : try await answer(),
            isAPI: isAPI, language: context.language)
    }

    /// RFC 9110, section 15.5.20: a host that is none of ours is told so.
    private func served(_ request: Request) async throws -> Served {
        guard let served = try await site.served(request.head.authority) else {
            throw Refusal(
                .notFound, "unknown-host", field: "Host", zh: "这里没有这个站点", en: "no site of that name is served here")
        }
        return served
    }

    private func caller(of request: Request, _ served: Served?, _ context: WebContext) async throws -> (any Caller)? {
        if case .anyone = endpoint.access { return nil }
        guard let token = site.token(request.headers) else { throw Refusal.notSignedIn }
        guard let served else { throw Refusal.notSignedIn }
        let caller = try await served.authenticate(token)
        context.record?.isCalled(by: caller.role.rawValue)
        guard endpoint.access.admits(caller.role) else {
            throw Refusal(.forbidden, "not-your-role", zh: "您的角色无权进行此操作", en: "your role may not do this")
        }
        return caller
    }

    private func pathValues(_ values: [Substring]) throws -> JSON {
        guard !endpoint.pathParameters.isEmpty else { return .null }
        return .object(
            try zip(endpoint.pathParameters, values).map { parameter, raw in
                guard
                    let text = raw.utf8.contains(UInt8(ascii: "%"))
                        ? FormText.decoded(raw.utf8, plusIsSpace: false) : String(raw),
                    let value = try? parameter.schema.validated(text: text, at: parameter.name)
                else { throw Refusal.noSuchPage.of(field: parameter.name) }
                return JSON.Member(parameter.name, value)
            })
    }

    private func queryValues(_ query: String?) throws -> JSON {
        guard let sent = query.map({ FormText.fields($0.utf8) }) ?? [] else {
            throw Refusal(.invalid, "malformed-query", zh: "地址中的参数编码有误", en: "the query is badly encoded")
        }
        var members: [JSON.Member] = []
        for (name, text) in sent {
            guard let parameter = endpoint.query.first(where: { $0.name == name }) else {
                if name == "lang" || endpoint.isPage { continue }
                throw Refusal(
                    .invalid, "unknown-parameter", field: name.shortened, zh: "没有此参数",
                    en: "there is no such parameter")
            }
            guard !members.contains(where: { $0.key == name }) else {
                throw Refusal(.invalid, "repeated-parameter", field: name, zh: "只能出现一次", en: "may be given once only")
            }
            members.append(JSON.Member(name, try parameter.schema.validated(text: text, at: name)))
        }
        for parameter in endpoint.query where parameter.isRequired {
            guard !members.contains(where: { $0.key == parameter.name }) else { continue }
            throw Refusal(.invalid, "missing-parameter", field: parameter.name, zh: "缺少此参数", en: "is missing")
        }
        return .object(members)
    }

    private func read(
        _ expected: Endpoint.Body, of request: Request, _ context: WebContext, _ share: BodyRoom.Share
    ) async throws -> ByteBuffer {
        if let coding = request.headers[.contentEncoding], coding.trimmed.lowercased() != "identity" {
            throw Self.unsupportedCoding
        }
        let type = Self.mediaType(request.headers[.contentType] ?? "")
        switch expected {
        case .json:
            guard type == "application/json" else { throw Self.unsupported(["application/json"]) }
            return try await collect(request, limit: bodyLimit, context, share)
        case .bytes(let types, let limit):
            guard types.contains(type) else { throw Self.unsupported(types) }
            return try await collect(request, limit: limit ?? bodyLimit, context, share)
        }
    }

    /// In lower case and without parameters; most callers write it so, which saves the search.
    private static func mediaType(_ field: String) -> String {
        field == "application/json" ? field : field.prefix { $0 != ";" }.trimmed.lowercased()
    }

    private func collect(
        _ request: Request, limit: Int, _ context: WebContext, _ share: BodyRoom.Share
    ) async throws -> ByteBuffer {
        let declared = request.headers[.contentLength].flatMap { Int($0) }
        guard declared ?? 0 <= limit else { throw Refusal.bodyTooLarge }
        if request.headers.contains(.expect) {
            context.channel.triggerUserOutboundEvent(ConnectionHandler.Continuation(), promise: nil)
        }
        var bytes = ByteBuffer()
        do {
            if limit <= LongWork.largeBody || declared ?? .max <= LongWork.largeBody {
                bytes = try await request.body.collect(upTo: limit)
            } else {
                for try await var piece in request.body {
                    guard bytes.readableBytes + piece.readableBytes <= limit else {
                        throw NIOTooManyBytesError(maxBytes: limit)
                    }
                    try share.grow(by: piece.readableBytes)
                    bytes.writeBuffer(&piece)
                }
            }
        } catch let error as NIOTooManyBytesError {
            throw error
        } catch let refusal as Refusal {
            throw refusal
        } catch let error as HTTPParserError {
            throw error
        } catch {
            throw Refusal.bodyTruncated
        }
        // Hummingbird takes a connection that closes for the end of a body.
        guard declared ?? bytes.readableBytes == bytes.readableBytes else { throw Refusal.bodyTruncated }
        return bytes
    }

    private func idempotencyKey(of request: Request) throws -> String? {
        guard let key = request.headers[.idempotencyKey] else { return nil }
        guard (1...200).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Refusal(
                .invalid, "bad-idempotency-key", field: "Idempotency-Key", zh: "须为 1 到 200 个可见 ASCII 字符",
                en: "must be 1 to 200 visible ASCII characters")
        }
        return key
    }

    private static let unsupportedCoding = RefusalWithFields(
        refusal: Refusal(
            .invalid, "unsupported-media-type", field: "Content-Encoding", zh: "请不要压缩正文",
            en: "the body must not be compressed"),
        headers: [.acceptEncoding: "identity"])

    private static func unsupported(_ types: [String]) -> Refusal {
        let list = types.joined(separator: ", ")
        return Refusal(
            .invalid, "unsupported-media-type", field: "Content-Type", zh: "正文须为 \(list)",
            en: "the body must be \(list)")
    }
}

/// Answers a known path that is asked with a method it does not have: OPTIONS with what it has, others with 405.
struct OtherMethodResponder: HTTPResponder {
    let allowed: String
    let fields: AnswerFields
    let isAPI: Bool

    func respond(to request: Request, context: WebContext) async throws -> Response {
        guard request.method != .options else {
            let answer = Answer(status: .noContent, headers: [.allow: allowed])
            return fields.response(answer, isAPI: isAPI, language: context.language)
        }
        throw RefusalWithFields(
            refusal: Refusal(
                .invalid, "method-not-allowed", zh: "此地址只支持 \(allowed)", en: "this address takes only \(allowed)"),
            headers: [.allow: allowed])
    }
}

/// The token of `Authorization: Bearer` (RFC 6750, section 2.1).
@Sendable public func bearerToken(_ headers: HTTPFields) -> String? {
    guard let value = headers[.authorization], value.prefix(7).lowercased() == "bearer " else { return nil }
    let token = value.dropFirst(7).trimmed
    return token.isEmpty ? nil : token
}
