import Documents
import HTTPTypes
import Hummingbird
import Kernel
import NIOCore

/// An error as it is told to the caller: a problem document (RFC 9457), or a page for a browser.
public struct Problem: Sendable {
    public let status: HTTPResponse.Status
    public let code: String
    public let title: Bilingual
    /// nil when the error is ours: then nothing more is told.
    public let detail: Bilingual?
    public let field: String?
    public let row: Int?
    public let language: Language
    /// The id under which the log tells of it.
    public var requestID: String?
    /// Such as `Retry-After`.
    public var headers: HTTPFields = [:]

    static let malformedJSON = "malformed-json"
    static let changedMeanwhile = "changed-meanwhile"

    /// The one place where a refusal is given its status.
    static func status(of refusal: Refusal) -> HTTPResponse.Status {
        switch refusal.code {
        case malformedJSON, "malformed-form", "malformed-query", "body-truncated": return .badRequest
        case "body-too-large": return .contentTooLarge
        case "body-too-slow": return .requestTimeout
        case "unsupported-media-type": return .unsupportedMediaType
        case "method-not-allowed": return .methodNotAllowed
        case "method-unknown": return .notImplemented
        case "unknown-host": return .misdirectedRequest
        case changedMeanwhile: return .preconditionFailed
        default: break
        }
        return switch refusal.kind {
        case .invalid: .unprocessableContent
        case .notFound: .notFound
        case .conflict: .conflict
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .tooMany: .tooManyRequests
        case .unavailable: .serviceUnavailable
        }
    }

    init(_ refusal: Refusal, language: Language) {
        status = Self.status(of: refusal)
        code = refusal.code
        title = Self.title(of: status)
        detail = refusal.message
        field = refusal.field
        row = refusal.row
        self.language = language
        switch status {
        case .unauthorized: headers[.wwwAuthenticate] = "Bearer"
        case .tooManyRequests: headers[.retryAfter] = "60"
        case .serviceUnavailable: headers[.retryAfter] = "1"
        default: break
        }
    }

    /// An error that is no refusal: the status is all that is told.
    init(_ status: HTTPResponse.Status, language: Language) {
        self.status = status
        code = status == .internalServerError ? "internal" : "http-\(status.code)"
        title = Self.title(of: status)
        detail = nil
        field = nil
        row = nil
        self.language = language
    }

    /// What any error is to the caller; `isOurs` when it is a fault of the program, which then belongs in the log.
    static func of(_ error: any Error, language: Language) -> (problem: Problem, isOurs: Bool) {
        switch error {
        case let refusal as Refusal: return (Problem(refusal, language: language), false)
        case let refused as RefusalWithFields:
            var problem = Problem(refused.refusal, language: language)
            for field in refused.headers { problem.headers[field.name] = field.value }
            return (problem, false)
        case is CancellationError: return (Problem(.shuttingDown, language: language), false)
        case is NIOTooManyBytesError: return (Problem(.bodyTooLarge, language: language), false)
        case let error as any HTTPResponseError:
            return (Problem(error.status, language: language), error.status.kind == .serverError)
        default: return (Problem(.internalServerError, language: language), true)
        }
    }

    /// The problem document.
    var document: JSON {
        var members: [JSON.Member] = [
            .init("type", .string("urn:taoyuan:problem:\(code)")), .init("title", .string(title[language])),
            .init("status", JSON(status.code)),
        ]
        if let detail { members.append(.init("detail", .string(detail[language]))) }
        if let field { members.append(.init("field", .string(field))) }
        if let row { members.append(.init("row", JSON(row))) }
        if let requestID { members.append(.init("requestId", .string(requestID))) }
        return .object(members)
    }

    /// The schema of `document`.
    static let schema = Schema.named("Problem", .object(fields))

    static let fields = [
        Field("type", .string(), "A stable name: urn:taoyuan:problem: and the code"),
        Field("title", .string(), "What sort of problem it is, in the request's language"),
        Field("status", .integer(400...599), "The status of the answer"),
        Field("detail", .string(1...2000), "What is wrong, in the request's language", required: false),
        Field("field", .string(0...500), "The field that it is about, such as lines[0].weight", required: false),
        Field("row", .integer(1...Int64(Int32.max)), "The row of a register that it is about", required: false),
        Field("requestId", .string(1...64), "Names the request in the program's log", required: false),
    ]

    private static func title(of status: HTTPResponse.Status) -> Bilingual {
        switch status {
        case .badRequest: Bilingual(zh: "请求有误", en: "Malformed request")
        case .unauthorized: Bilingual(zh: "请先登录", en: "Not signed in")
        case .forbidden: Bilingual(zh: "没有权限", en: "Not permitted")
        case .notFound: Bilingual(zh: "没有找到", en: "Not found")
        case .methodNotAllowed: Bilingual(zh: "不支持此操作", en: "Method not allowed")
        case .requestTimeout: Bilingual(zh: "请求超时", en: "Request timeout")
        case .conflict: Bilingual(zh: "与现状冲突", en: "In conflict with the present state")
        case .preconditionFailed: Bilingual(zh: "内容已被更改", en: "Changed meanwhile")
        case .contentTooLarge: Bilingual(zh: "内容过大", en: "Content too large")
        case .unsupportedMediaType: Bilingual(zh: "不支持此内容类型", en: "Unsupported media type")
        case .unprocessableContent: Bilingual(zh: "输入有误", en: "Invalid input")
        case .tooManyRequests: Bilingual(zh: "请求过于频繁", en: "Too many requests")
        case .serviceUnavailable: Bilingual(zh: "暂时无法使用", en: "Temporarily unavailable")
        case .internalServerError: Bilingual(zh: "系统出错", en: "Internal error")
        default: Bilingual(zh: "无法处理", en: status.reasonPhrase)
        }
    }
}

/// A refusal that needs header fields of its own, such as `Allow`.
struct RefusalWithFields: Error {
    let refusal: Refusal
    let headers: HTTPFields
}

extension Refusal {
    static let notSignedIn = Refusal(
        .unauthenticated, "not-signed-in", zh: "请先登录", en: "sign in first")
    static let noSuchPage = Refusal(
        .notFound, "no-such-page", zh: "没有这个地址", en: "there is nothing at this address")
    static let methodUnknown = Refusal(
        .invalid, "method-unknown", zh: "不认识此操作", en: "this method is unknown here")
    static let bodyTooLarge = Refusal(
        .invalid, "body-too-large", zh: "请求正文过大", en: "the body of the request is too large")
    static let bodyTruncated = Refusal(
        .invalid, "body-truncated", zh: "请求正文没有传完", en: "the body of the request ended early")
    static let shuttingDown = Refusal(
        .unavailable, "shutting-down", zh: "服务正在停止，请稍后再试", en: "the service is stopping; try again shortly")
    static let crowded = Refusal(
        .unavailable, "too-many-connections", zh: "连接过多，请稍后再试", en: "there are too many connections; try again shortly")
    static let tookTooLong = Refusal(
        .unavailable, "took-too-long", zh: "处理超时，请稍后再试；登记类请求请先查看是否已登记",
        en: "this took too long; try again shortly, and look first whether what you record is there already")
    static let bodyTooSlow = Refusal(
        .invalid, "body-too-slow", zh: "请求正文传得太慢", en: "the body of the request came too slowly")
}
