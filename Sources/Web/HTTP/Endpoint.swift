import Access
import Documents
import HTTPTypes
import Kernel
import NIOCore

/// One route of the API: what it is, who may call it, what goes in and out, and what it does.
///
/// The routes of the server and `/openapi.json` are made from the same table of endpoints.
public struct Endpoint: Sendable {
    public enum Access: Sendable {
        case anyone
        case signedIn
        case whoMay(Permission)

        /// Whether one may who is signed in.
        func admits(_ role: Role) -> Bool {
            if case .whoMay(let permission) = self { role.may(permission) } else { true }
        }
    }

    /// A value in the path or the query.
    public struct Parameter: Sendable {
        public let name: String
        public let schema: Schema
        public let description: String
        public let isRequired: Bool

        public init(_ name: String, _ schema: Schema, _ description: String, required: Bool = false) {
            self.name = name
            self.schema = schema
            self.description = description
            self.isRequired = required
        }
    }

    public enum Body: Sendable {
        case json(Schema)
        /// Anything of these media types, such as a file or a form, up to a limit of its own.
        case bytes([String], limit: Int? = nil)
    }

    /// An answer that the endpoint gives when all is well; one for each format in which it may come.
    public struct Outcome: Sendable {
        public let status: Int
        public let description: String
        public let schema: Schema?
        public let contentType: String?

        public init(
            _ status: Int, _ description: String, _ schema: Schema? = nil, contentType: String? = nil
        ) {
            self.status = status
            self.description = description
            self.schema = schema
            self.contentType = contentType ?? (schema == nil ? nil : "application/json")
        }

        public init<Value>(_ status: Int, _ description: String, _ shape: Shape<Value>) {
            self.init(status, description, shape.schema)
        }
    }

    public let method: HTTPRequest.Method
    /// Such as `/api/v1/batches/{number}`.
    public let path: String
    /// In English, for the description of the API.
    public let summary: String
    public let access: Access
    /// One for each `{name}` of `path`, in their order; a value that does not fit is a 404.
    public let pathParameters: [Parameter]
    public let query: [Parameter]
    public let body: Body?
    public let outcomes: [Outcome]
    /// False for what only our own pages call: it is not in the description.
    public let isDocumented: Bool
    /// Whether a request that is repeated under its `Idempotency-Key` acts once.
    public let takesIdempotencyKey: Bool
    /// How long its answer may take; nil is as long as usual. What may take longer is worked at on other threads.
    public let patience: TimeAmount?
    /// Whether it is the program's and no village's, and so answers whatever host is named.
    public let isOfAnyHost: Bool
    public typealias Handler = @Sendable (Call) async throws -> Answer
    public let handle: Handler

    public init(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, access: Access = .signedIn,
        pathParameters: [Parameter] = [], query: [Parameter] = [], body: Body? = nil, outcomes: [Outcome] = [],
        isDocumented: Bool = true, takesIdempotencyKey: Bool = true, isOfAnyHost: Bool = false,
        patience: TimeAmount? = nil,
        handle: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.access = access
        self.pathParameters = path.split(separator: "/").compactMap { part in
            pathParameters.first { part.hasPrefix("{\($0.name)}") }.map {
                Parameter($0.name, $0.schema, $0.description, required: true)
            }
        }
        self.query = query
        self.body = body
        self.outcomes = outcomes
        self.isDocumented = isDocumented
        self.isOfAnyHost = isOfAnyHost
        self.takesIdempotencyKey = takesIdempotencyKey && method == .post
        self.patience = patience
        self.handle = handle
    }

    /// Whether it is sent a file, however large.
    var takesFile: Bool { if case .bytes = body { patience != nil } else { false } }

    /// What a person opens. Unknown parameters in its query are ignored, because messengers append to links.
    var isPage: Bool {
        !isDocumented
            || !path.hasPrefix("/api/") && outcomes.contains { $0.contentType?.hasPrefix("text/html") ?? false }
    }
}

/// Whoever an `Authenticator` recognises.
public protocol Caller: Sendable {
    var name: String { get }
    var role: Role { get }
    /// Among whom what takes long is shared.
    var parties: [Places.Party] { get }
}

/// Finds out who shows a token.
/// - Throws: a `Refusal` of kind `unauthenticated` for a token that is unknown or over.
public typealias Authenticator = @Sendable (_ token: String) async throws -> any Caller

/// One request that its endpoint's description has accepted.
public struct Call: Sendable {
    public let method: HTTPRequest.Method
    /// The path with its query, as it was sent.
    public let target: String
    /// The host, and the port unless it is the usual one, that the caller has addressed.
    public let authority: String?
    public let headers: HTTPFields
    /// The values of the path by name, decoded and validated.
    public let path: JSON
    /// The values of the query by name, decoded and validated.
    public let query: JSON
    /// The validated body; null where the endpoint takes no JSON.
    public let body: JSON
    public let bytes: ByteBuffer
    public let language: Language
    public let client: ClientAddress
    /// nil where anyone may call.
    public let caller: (any Caller)?
    public let idempotencyKey: String?

    /// Method, target and body: what a digest is taken of to tell a repeated request from another one.
    public var fingerprint: [UInt8] {
        Array("\(method.rawValue) \(target)\n".utf8) + Array(bytes.readableBytesView)
    }

    /// The fields of a body of type `application/x-www-form-urlencoded`.
    public var form: [(name: String, value: String)] {
        get throws {
            guard let fields = FormText.fields(bytes.readableBytesView) else {
                throw Refusal(.invalid, "malformed-form", zh: "表单编码有误", en: "the form is badly encoded")
            }
            return fields
        }
    }

    /// Who calls, as the type that the authenticator gave.
    public func caller<Person: Caller>(as type: Person.Type) throws -> Person {
        guard let person = caller as? Person else { throw Refusal.notSignedIn }
        return person
    }
}
