import Access
import Documents
import HTTPTypes
import Kernel

/// The description of the API, OpenAPI 3.1, made from the endpoints themselves.
struct OpenAPI {
    let title: String
    let version: String
    let endpoints: [Endpoint]

    /// Where the description is served: an endpoint like the others, and part of itself.
    static func endpoint(title: String, version: String, describing endpoints: [Endpoint]) -> Endpoint {
        func make(_ bytes: [UInt8]) -> Endpoint {
            // However many ask, and however slowly they read, there is one of it.
            let (answer, tag) = (Answer.bytes(bytes, "application/json"), EntityTag(of: bytes))
            return Endpoint(
                .get, "/openapi.json", "This description", access: .anyone,
                outcomes: [.init(200, "The description, OpenAPI 3.1", contentType: "application/json")],
                isOfAnyHost: true
            ) { call in
                answer.tagged(tag, for: call)
            }
        }
        let all = endpoints + [make([])]
        return make(OpenAPI(title: title, version: version, endpoints: all).document.bytes)
    }

    var document: JSON {
        var schemas: [String: JSON] = [:]
        Problem.schema.collectNames(into: &schemas)
        var paths: [(path: String, operations: [JSON.Member])] = []
        for endpoint in endpoints where endpoint.isDocumented {
            endpoint.collectNames(into: &schemas)
            let operation = JSON.Member(endpoint.method.rawValue.lowercased(), endpoint.operation)
            if let index = paths.firstIndex(where: { $0.path == endpoint.path }) {
                paths[index].operations.append(operation)
            } else {
                paths.append((endpoint.path, [operation]))
            }
        }
        let problem: JSON = ["application/problem+json": ["schema": Problem.schema.description]]
        return [
            "openapi": "3.1.0",
            "info": ["title": .string(title), "version": .string(version)],
            "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
            "paths": .object(paths.map { JSON.Member($0.path, .object($0.operations)) }),
            "components": [
                "schemas": .object(schemas.sorted { $0.key < $1.key }.map { JSON.Member($0.key, $0.value) }),
                "responses": ["Problem": ["description": "A problem document (RFC 9457)", "content": problem]],
                "securitySchemes": ["bearer": ["type": "http", "scheme": "bearer"]],
            ],
        ]
    }
}

extension Endpoint {
    /// A name for programs: `GET /api/v1/batches/{number}` is `getBatchesByNumber`.
    var operationId: String {
        let words = path.split(whereSeparator: { "/-._".contains($0) }).filter { $0 != "api" && $0 != "v1" }
        return method.rawValue.lowercased()
            + words.map { word in
                let name = word.filter { $0 != "{" && $0 != "}" }
                return (word.hasPrefix("{") ? "By" : "") + name.prefix(1).uppercased() + name.dropFirst()
            }.joined()
    }

    fileprivate var operation: JSON {
        var members: [JSON.Member] = [
            .init("operationId", .string(operationId)), .init("summary", .string(summary)),
        ]
        var parameters = pathParameters.map { $0.description(in: "path") }
        parameters += query.map { $0.description(in: "query") }
        parameters.append(
            Parameter("lang", .enumeration(Language.allCases.map(\.rawValue)), "The language of messages")
                .description(in: "query"))
        if takesIdempotencyKey {
            parameters.append(
                Parameter("Idempotency-Key", .string(1...200), "A retry under the same key acts once")
                    .description(in: "header"))
        }
        members.append(.init("parameters", .array(parameters)))
        if let body { members.append(.init("requestBody", ["required": true, "content": body.content])) }
        members.append(.init("responses", responses))
        members.append(.init("security", .array(security)))
        return .object(members)
    }

    private var security: [JSON] {
        switch access {
        case .anyone: []
        case .signedIn: [["bearer": []]]
        case .whoMay(let permission):
            [["bearer": .array(Role.allCases.filter(permission.roles.contains).map { .string($0.rawValue) })]]
        }
    }

    private var responses: JSON {
        // An answer that may come in several formats is one answer with several contents.
        let byStatus = Dictionary(grouping: outcomes, by: \.status).sorted { $0.key < $1.key }
        var members = byStatus.map { status, outcomes in
            var response: [JSON.Member] = [
                .init("description", .string(outcomes.map(\.description).joined(separator: "; ")))
            ]
            let contents = outcomes.compactMap { outcome in
                outcome.contentType.map { type in
                    JSON.Member(type, outcome.schema.map { ["schema": $0.description] } ?? [:])
                }
            }
            if !contents.isEmpty { response.append(.init("content", .object(contents))) }
            return JSON.Member(String(status), .object(response))
        }
        for status in problemStatuses.sorted() {
            members.append(.init(String(status), ["$ref": "#/components/responses/Problem"]))
        }
        members.append(.init("default", ["$ref": "#/components/responses/Problem"]))
        return .object(members)
    }

    /// The problems that follow from the description alone; a handler's own come under `default`.
    private var problemStatuses: Set<Int> {
        var statuses: Set<Int> = [422, 429, 500, 503]
        if !security.isEmpty { statuses.formUnion([401, 403]) }
        if !pathParameters.isEmpty { statuses.insert(404) }
        if body != nil { statuses.formUnion([400, 413, 415]) }
        return statuses.subtracting(outcomes.map(\.status))
    }

    fileprivate func collectNames(into names: inout [String: JSON]) {
        if case .json(let schema) = body { schema.collectNames(into: &names) }
        for parameter in pathParameters + query { parameter.schema.collectNames(into: &names) }
        for outcome in outcomes { outcome.schema?.collectNames(into: &names) }
    }
}

extension Endpoint.Parameter {
    fileprivate func description(in place: String) -> JSON {
        [
            "name": .string(name), "in": .string(place), "description": .string(description),
            "required": .bool(isRequired), "schema": schema.description,
        ]
    }
}

extension Endpoint.Body {
    fileprivate var content: JSON {
        switch self {
        case .json(let schema): ["application/json": ["schema": schema.description]]
        case .bytes(let types, _): .object(types.map { JSON.Member($0, [:]) })
        }
    }
}
