import Codes
import Documents
import Kernel
import Signing

extension Site {
    private static let payload = Endpoint.Parameter(
        "payload", .string(1...400), "The code: 120 or 128 letters and digits")

    var codeEndpoints: [Endpoint] {
        let verdict = Schema.named(
            "Verification",
            .object([
                Field("answer", .enumeration(Answered.names)),
                .optional("kind", .enumeration(["batch", "item"])), .optional("batch", .integer(1...4_294_967_295)),
                .optional("serial", .string(10...10)), .optional("issuedDay", .day), .optional("bestBeforeDay", .day),
                Field("pastBestBefore", .boolean), .optional("keyId", .string(4...4)), .optional("origin", .string()),
                .optional("product", .string()), .optional("variety", .string()), .optional("grade", .string()),
                .optional("harvestedOn", .day), .optional("cooperative", .string()), .optional("village", .string()),
                .optional("brand", .string()),
            ]))
        return [
            Endpoint(
                .get, "/api/v1/codes/{payload}", "Whether a code is genuine; 200 whatever the answer is",
                access: .anyone, pathParameters: [Self.payload], outcomes: [.init(200, "The answer", verdict)]
            ) { call in
                try verifications?.check(call.client)
                let verdict = try await backend.verification.verify(call.path["payload"].string)
                return .bytes(verdict.form.bytes { render(verdict).bytes }, "application/json")
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

    private func render(_ verdict: Verdict) -> JSON {
        let body = verdict.body
        let goods = verdict.goods
        return [
            "answer": .string(verdict.answer.rawValue),
            "kind": Shapes.text(body.map { $0.kind == .item ? "item" : "batch" }),
            "batch": body.map { .integer(Int64($0.batch)) } ?? .null,
            "serial": Shapes.text(body?.serial.map(Self.hex)),
            "issuedDay": body.map { JSON($0.issued) } ?? .null,
            "bestBeforeDay": body?.bestBefore.map { JSON($0) } ?? .null,
            "pastBestBefore": .bool(verdict.pastBestBefore), "keyId": Shapes.text(body?.keyID.hex),
            "origin": .string(backend.keys.origin(of: body?.keyID).text), "product": Shapes.text(goods?.product),
            "variety": Shapes.text(goods?.variety), "grade": Shapes.text(goods?.grade),
            "harvestedOn": goods.map { JSON($0.harvestedOn) } ?? .null,
            "cooperative": Shapes.text(goods?.cooperative), "village": .string(backend.village.name),
            "brand": .string(backend.village.brand),
        ]
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// The answers as JSON names them. `Codes.Answer` and the answer to a request share a name.
private enum Answered {
    static let names = Codes.Answer.allCases.filter { $0 != .signed }.map(\.rawValue)
}
