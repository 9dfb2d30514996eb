import Hummingbird
import Testing

@testable import Web

/// A path and the route that is found for it.
@Suite struct HTTPRoutesTests {
    private struct Silent: HTTPResponder {
        func respond(to request: Request, context: WebContext) async throws -> Response { Response(status: .ok) }
    }

    private static let routes: Routes = {
        var routes = Routes()
        for path in [
            "/", "/tours", "/{payload}", "/api/v1/batches", "/api/v1/batches/{number}", "/api/v1/batches/list/all",
            "/api/v1/batches/{number}/codes/{serial}", "/tours/{session}", "/tours/{session}.ics",
        ] {
            routes.add(.get, path, Silent())
        }
        routes.add(.post, "/tours", Silent())
        return routes
    }()

    @Test(arguments: [
        ("/", "/", []), ("/tours", "/tours", []), ("/tours/", "/tours", []), ("/CIAB", "/{payload}", ["CIAB"]),
        ("/桃", "/{payload}", ["桃"]), ("/api/v1/batches/17", "/api/v1/batches/{number}", ["17"]),
        ("/tours/7", "/tours/{session}", ["7"]), ("/tours/7.ics", "/tours/{session}.ics", ["7"]),
        // What is named goes first, and where it leads no further any part may stand.
        ("/api/v1/batches/list/all", "/api/v1/batches/list/all", []),
        ("/api/v1/batches/list", "/api/v1/batches/{number}", ["list"]),
        ("/api/v1/batches/list/codes/a%2Fb", "/api/v1/batches/{number}/codes/{serial}", ["list", "a%2Fb"]),
    ])
    func `a path has the route that is named for it, or else one that takes any part`(
        path: String, route: String, values: [String]
    ) throws {
        let found = try #require(Self.routes.find(.get, path))
        #expect(found.route.path == route)
        #expect(found.values.map(String.init) == values)
    }

    @Test(arguments: [
        "", "*", "tours", "//", "//tours", "/tours//", "/api//v1/batches", "/api/v1", "/api/v1/batches/17/codes",
        "/api/v1/batches/17/codes/1/2", "/TOURS/x",
    ])
    func `other paths have none`(path: String) {
        #expect(Self.routes.find(.get, path) == nil)
    }

    @Test func `a route answers its own methods alone`() {
        #expect(Self.routes.find(.post, "/tours") != nil)
        #expect(Self.routes.find(.post, "/tours/7") == nil)
    }
}
