import HTTPTypes
import Hummingbird
import Kernel
import Telemetry

/// Who answers one method at one address of the site. A class, because every request carries it through all that
/// surrounds its answer.
final class Route: Sendable {
    /// Such as `/api/v1/batches/{number}`.
    let path: String
    let responder: any HTTPResponder<WebContext>
    let measure: RouteMeasure

    fileprivate init(_ method: HTTPRequest.Method, _ path: String, _ responder: any HTTPResponder<WebContext>) {
        self.path = path
        self.responder = responder
        measure = RouteMeasure(method: method.rawValue, route: path)
    }
}

/// Finds a request's route, part by part of its path, so that what this costs does not grow with the number of routes.
/// Hummingbird's own router compares each part with its siblings in turn, character by character.
struct Routes: Sendable {
    private struct Node: Sendable {
        var named: [Substring: Int] = [:]
        /// Where a part goes on that none of `named` is, by what it ends with; the longest first.
        var any: [(suffix: Substring, node: Int)] = []
        var routes: [HTTPRequest.Method: Route] = [:]
    }

    private var nodes = [Node()]

    var all: [(method: HTTPRequest.Method, path: String)] {
        nodes.flatMap { $0.routes.map { ($0.key, $0.value.path) } }
    }

    mutating func add(_ method: HTTPRequest.Method, _ path: String, _ responder: any HTTPResponder<WebContext>) {
        let node = path.split(separator: "/").reduce(0) { next($1, from: $0) }
        nodes[node].routes[method] = Route(method, path, responder)
    }

    private mutating func next(_ part: Substring, from node: Int) -> Int {
        let new = nodes.count
        if let end = part.firstIndex(of: "}") {
            let suffix = part[part.index(after: end)...]
            if let known = nodes[node].any.first(where: { $0.suffix == suffix }) { return known.node }
            nodes[node].any.append((suffix, new))
            nodes[node].any.sort { $0.suffix.utf8.count > $1.suffix.utf8.count }
        } else {
            if let known = nodes[node].named[part] { return known }
            nodes[node].named[part] = new
        }
        nodes.append(Node())
        return new
    }

    /// - Returns: the route and what stands in the place of each `{name}` of its path, in their order.
    func find(_ method: HTTPRequest.Method, _ path: String) -> (route: Route, values: [Substring])? {
        var values: [Substring] = []
        guard let node = find(path[...].utf8, from: 0, &values) else { return nil }
        return nodes[node].routes[method].map { ($0, values) }
    }

    /// A path may end with a slash. Two in a row are none of ours: whoever guards a path in front of us would not know it.
    private func find(_ rest: Substring.UTF8View, from node: Int, _ values: inout [Substring]) -> Int? {
        let slash = UInt8(ascii: "/")
        guard let first = rest.first else { return node == 0 || nodes[node].routes.isEmpty ? nil : node }
        guard first == slash else { return nil }
        let part = rest.dropFirst().prefix { $0 != slash }
        let after = rest[part.endIndex...]
        guard !part.isEmpty else { return after.isEmpty && !nodes[node].routes.isEmpty ? node : nil }
        if let next = nodes[node].named[Substring(part)], let found = find(after, from: next, &values) { return found }
        for (suffix, next) in nodes[node].any where suffix.isEmpty || Substring(part).hasSuffix(suffix) {
            values.append(Substring(part.dropLast(suffix.utf8.count)))
            if let found = find(after, from: next, &values) { return found }
            values.removeLast()
        }
        return nil
    }
}

/// Answers every request: tells of it, keeps it within bounds, and lets its route answer.
struct SiteResponder: HTTPResponder {
    let routes: Routes
    let log: RequestLog
    let edge: Edge

    func respond(to request: Request, context: WebContext) async throws -> Response {
        // What a client has not taken is held for it: no more than this, and two answers.
        if !context.channel.isWritable {
            try await context.channel.triggerUserOutboundEvent(ConnectionHandler.Room()).get()
        }
        var context = context
        if let (route, values) = routes.find(request.method, request.uri.path) {
            context.route = route
            context.values = values
        }
        return try await log.handle(request, context: context) { context in
            try await edge.handle(request, context: context) { context in
                guard let route = context.route else { throw Refusal.noSuchPage }
                return try await route.responder.respond(to: request, context: context)
            }
        }
    }
}
