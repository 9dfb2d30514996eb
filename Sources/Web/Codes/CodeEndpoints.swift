import Codes
import Documents
import Kernel
import Signing

extension Site {
    private static let payload = Endpoint.Parameter(
        "payload", .string(1...400), "The code: 120 or 128 letters and digits")

    var codeEndpoints: [Endpoint] {
        return [
            Endpoint(
                .get, "/api/v1/codes/{payload}", "Whether a code is genuine; 200 whatever the answer is",
                access: .anyone, pathParameters: [Self.payload],
                outcomes: [.init(200, "The answer", Shapes.verification)]
            ) { call in
                try verifications?.check(call.client)
                let verdict = try await backend.verification.verify(call.path["payload"].string)
                return .bytes(verdict.form.bytes { Shapes.verification.json(seen(verdict)).bytes }, "application/json")
            },
            Endpoint(
                .post, "/api/v1/codes/{payload}/scans", "Count a scan; who scanned is not kept", access: .anyone,
                pathParameters: [Self.payload],
                body: .json(.object([.optional("place", .string(1...40), "As coarse as a town")])),
                outcomes: [
                    .init(
                        201, "Counted",
                        .object([
                            Field("visitorsToday", .integer(0...Int64.max), "Different visitors on this day")
                        ]))
                ], takesIdempotencyKey: false
            ) { call in
                try verifications?.check(call.client)
                let visitors = try await countScan(
                    try call.path["payload"].string, place: call.body["place"].orNil?.string, call)
                return .json(["visitorsToday": JSON(visitors)], status: .created)
            },
        ]
    }

    /// Counts a scan of a code that we really issued; of any other there is nothing to count.
    func countScan(_ payload: String, place: String?, _ call: Call) async throws -> Int {
        let verdict = try await backend.verification.verify(payload)
        guard let body = verdict.body, verdict.goods != nil else {
            throw Refusal(
                .notFound, "not-our-code", zh: "这不是本村签发的溯源码", en: "this is no code that we issued")
        }
        return try await backend.scans.count(
            body, visitor: call.client.visitor + (call.headers[.userAgent] ?? ""), place: place,
            today: backend.clock.today)
    }

    private func seen(_ verdict: Verdict) -> SeenLabel {
        SeenLabel(verdict, origin: backend.keys.origin(of: verdict.body?.keyID), of: backend.village)
    }
}
