import Documents
import Foundation
import Hummingbird
import Testing

@testable import Web

@Suite struct HTTPOpenAPITests {
    /// The routes of the running server and the operations of the document are the same set.
    @Test func routesAndDescriptionAgree() async throws {
        let site = WebSite(endpoints: sampleEndpoints, authenticate: testAuthenticator)
        let pages = Set(sampleEndpoints.filter { !$0.isDocumented }.map(\.path))
        let document = try await withServer { try await $0.send("GET", "/openapi.json").json }
        var described: Set<String> = []
        for path in try document["paths"].members {
            for operation in try path.value.members { described.insert("\(operation.key.uppercased()) \(path.key)") }
        }
        let answersWell: Set<String> = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        var routes: Set<String> = []
        try await withServer { server in
            for (method, path) in makeResponder(ServerSettings(), site: site).routes.all
            where !pages.contains(path) && answersWell.contains(method.rawValue) {
                let target = path.replacing("{number}", with: "7").replacing("{kind}", with: "conflict")
                if try await server.send(method.rawValue, target).status != 405 { routes.insert("\(method) \(path)") }
            }
        }
        #expect(routes == described)
        #expect(described.contains("GET /openapi.json"))
        #expect(try Set(operationIds(in: document)).count == described.count)
    }

    private func operationIds(in document: JSON) throws -> [String] {
        try document["paths"].members.flatMap { try $0.value.members.map { try $0.value["operationId"].string } }
    }

    @Test func describesAccessAndBody() async throws {
        let document = OpenAPI(title: "T", version: "1", endpoints: sampleEndpoints).document
        let create = document["paths"]["/api/v1/sales"]["post"]
        #expect(create["operationId"] == "postSales")
        #expect(create["security"] == [["bearer": ["clerk", "administrator"]]])
        #expect(
            create["requestBody"]["content"]["application/json"]["schema"] == ["$ref": "#/components/schemas/NewSale"])
        for status in ["201", "400", "401", "403", "413", "415", "422", "default"] {
            #expect(create["responses"][status].orNil != nil)
        }
        #expect(document["paths"]["/api/v1/sales/{number}"]["get"]["operationId"] == "getSalesByNumber")
        #expect(document["components"]["schemas"]["Line"]["required"] == ["batch", "weight"])
        #expect(document["paths"]["/page/{name}"].orNil == nil)
    }

    @Test(.enabled("needs Python's openapi_spec_validator") { python(["-c", "import openapi_spec_validator"]) })
    func isValid() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "openapi-\(UUID()).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(OpenAPI(title: "T", version: "1", endpoints: sampleEndpoints).document.bytes).write(to: file)
        #expect(python(["-m", "openapi_spec_validator", file.path]))
    }
}

/// Whether Python ran to a good end.
@Sendable private func python(_ arguments: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
}
