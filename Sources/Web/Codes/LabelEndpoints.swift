import Codes
import Documents
import Kernel
import Signing

extension Site {
    /// What is printed of a batch, revoked and recalled.
    var labelEndpoints: [Endpoint] {
        let reason = Endpoint.Body.json(.object([Field("reason", .string(1...1000))]))
        return [
            Endpoint(
                .get, "/api/v1/batches/{number}/code.svg", "The batch's QR code as SVG", access: .whoMay(.exportCodes),
                pathParameters: [Self.batchNumber], outcomes: [.init(200, "The picture", contentType: "image/svg+xml")]
            ) { call in
                let code = try await issued(call)
                return .bytes(try QRCode(url: code.url).svg(title: code.url).utf8, "image/svg+xml")
            },
            Endpoint(
                .get, "/api/v1/batches/{number}/code.png", "The batch's QR code as PNG", access: .whoMay(.exportCodes),
                pathParameters: [Self.batchNumber], outcomes: [.init(200, "The picture", contentType: "image/png")]
            ) { call in
                .bytes(try QRCode(url: try await issued(call).url).png(), "image/png")
            },
            Endpoint(
                .post, "/api/v1/batches/{number}/revocations", "Revoke all codes of a batch",
                access: .whoMay(.revokeCodes),
                pathParameters: [Self.batchNumber], body: reason, outcomes: [.init(201, "Revoked", Shapes.revocation)]
            ) { call in
                let number = try call.path["number"].int64
                let plan = CodeStore.revoke(batch: number, reason: try call.body["reason"].string)
                let answer = try await carryOut(call, plan) { Shapes.revocation.json((number, nil)) }
                backend.verification.forget()
                return answer
            },
            Endpoint(
                .post, "/api/v1/batches/{number}/recalls", "Open a batch's recall, or end it",
                access: .whoMay(.recallBatches),
                pathParameters: [Self.batchNumber],
                body: .json(
                    .object([Field("step", .enumeration(["open", "end"])), Field("reason", .string(1...1000))])),
                outcomes: [.init(201, "Recorded", Shapes.recallStep)]
            ) { call in
                let (number, opens) = (try call.path["number"].int64, try call.body["step"].string == "open")
                let plan = CodeStore.recall(batch: number, open: opens, reason: try call.body["reason"].string)
                let answer = try await carryOut(call, plan) { Shapes.recallStep.json((number, opens)) }
                backend.verification.forget()
                return answer
            },
        ]
    }

    private func issued(_ call: Call) async throws -> IssuedCode {
        try await CodeStore(backend.database, keys: backend.keys).label(
            batch: try call.path["number"].int64, call.scope)
    }
}
