import Documents
import Kernel
import Testing

@testable import Web

extension ServedVillage {
    /// A site, a programme and a session that nothing changes.
    func settleTours() async throws -> Int64 {
        _ = try await post("/api/v1/tours/sites", as: "desk", ["name": .string(Self.tourSite), "kind": "orchard"])
        _ = try await post(
            "/api/v1/tours/programmes", as: "desk",
            ["name": .string(Self.tourProgramme), "minutes": 120, "price": JSON(Money(fen: 6800))])
        _ = try await post(
            "/api/v1/tours/programmes/\(Self.tourProgramme)/extras", as: "desk",
            ["kind": "meal", "name": "lunch", "price": JSON(Money(fen: 3500))])
        return try await planSession(at: Self.tourSite)
    }

    /// Makes a site and gives its name.
    func makeSite() async throws -> String {
        try await post("/api/v1/tours/sites", as: "desk", ["name": .string(fresh("site")), "kind": "base"])["site"]
            .string
    }

    /// Plans a session thirty days ahead, at a site of its own unless told, and gives its number.
    func planSession(at site: String? = nil) async throws -> Int64 {
        let site = if let site { site } else { try await makeSite() }
        let planned = try await post("/api/v1/tours/sessions", as: "desk", sessionBody(at: site))
        return try planned["sessions"].array[0]["session"].int64
    }

    func sessionBody(at site: String) -> JSON {
        [
            "site": .string(site), "programme": .string(Self.tourProgramme), "day": JSON(today.adding(days: 30)),
            "time": "09:00", "capacity": 30,
        ]
    }

    private func makeProgramme() async throws -> String {
        try await post(
            "/api/v1/tours/programmes", as: "desk",
            ["name": .string(fresh("p")), "minutes": 60, "price": JSON(Money(fen: 0))])["programme"].string
    }

    /// The accepted request of an endpoint of the desk's catalogue, as `example(of:)` has it.
    func tourExample(of endpoint: Endpoint) async throws -> Example {
        let desk = "desk"
        let closure: JSON = ["day": JSON(today.adding(days: 3)), "reason": .string(fresh("r"))]
        let lunch: JSON = ["kind": "meal", "name": .string(fresh("x")), "price": JSON(Money(fen: 1))]
        switch endpoint.name {
        case "POST /api/v1/tours/sites":
            return Example(
                endpoint.path, as: desk,
                [
                    "name": .string(fresh("s")), "kind": "orchard", "opens": "8:30", "closes": "17:30",
                    "weekdays": [6, 7],
                ])
        case "GET /api/v1/tours/sites/{site}": return Example("/api/v1/tours/sites/\(Self.tourSite)", as: desk)
        case "PATCH /api/v1/tours/sites/{site}":
            return Example("/api/v1/tours/sites/\(try await makeSite())", as: desk, ["closes": "19:00"])
        case "POST /api/v1/tours/sites/{site}/closures":
            return Example("/api/v1/tours/sites/\(try await makeSite())/closures", as: desk, closure)
        case "DELETE /api/v1/tours/sites/{site}/closures/{day}":
            let site = try await makeSite()
            _ = try await post("/api/v1/tours/sites/\(site)/closures", as: desk, closure)
            return Example("/api/v1/tours/sites/\(site)/closures/\(try closure["day"].string)", as: desk)
        case "POST /api/v1/tours/programmes":
            return Example(
                endpoint.path, as: desk,
                [
                    "name": .string(fresh("p")), "minutes": 90, "price": JSON(Money(fen: 4500)),
                    "languages": ["zh", "en"],
                ])
        case "GET /api/v1/tours/programmes/{programme}":
            return Example("/api/v1/tours/programmes/\(Self.tourProgramme)", as: desk)
        case "PATCH /api/v1/tours/programmes/{programme}":
            return Example("/api/v1/tours/programmes/\(try await makeProgramme())", as: desk, ["maxGroup": 60])
        case "POST /api/v1/tours/programmes/{programme}/extras":
            return Example("/api/v1/tours/programmes/\(try await makeProgramme())/extras", as: desk, lunch)
        case "DELETE /api/v1/tours/programmes/{programme}/extras/{extra}":
            let extras = "/api/v1/tours/programmes/\(try await makeProgramme())/extras"
            _ = try await post(extras, as: desk, lunch)
            return Example("\(extras)/\(try lunch["name"].string)", as: desk)
        case "POST /api/v1/tours/resources":
            return Example(endpoint.path, as: desk, ["name": .string(fresh("g")), "kind": "guide"])
        case "PATCH /api/v1/tours/resources/{resource}":
            let name = fresh("g")
            _ = try await post("/api/v1/tours/resources", as: desk, ["name": .string(name), "kind": "guide"])
            return Example("/api/v1/tours/resources/\(name)", as: desk, ["kind": "coach"])
        case "POST /api/v1/tours/sessions":
            return Example(endpoint.path, as: desk, sessionBody(at: try await makeSite()))
        case "GET /api/v1/tours/sessions/{session}": return Example("/api/v1/tours/sessions/\(session)", as: desk)
        case "GET /tours/sessions/{session}.ics": return Example("/tours/sessions/\(session).ics")
        case "PATCH /api/v1/tours/sessions/{session}":
            return Example("/api/v1/tours/sessions/\(try await planSession())", as: desk, ["capacity": 31])
        case "POST /api/v1/tours/sessions/{session}/steps":
            return Example("/api/v1/tours/sessions/\(try await planSession())/steps", as: desk, ["step": "close"])
        default:
            try #require(endpoint.method == .get && !endpoint.path.contains("{"), "\(endpoint.name) lacks an example")
            return Example(endpoint.path, as: endpoint.isForPeople ? desk : nil)
        }
    }
}
