import Documents
import Kernel
import Orchard

extension Site {
    var nameEndpoints: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/names/merges", "Make two spellings of a name one", access: .whoMay(.keepNames),
                body: .json(.object(Shapes.nameMerge.fields + [Self.create])),
                outcomes: [.init(201, "Merged", Shapes.nameMerge)]
            ) { call in
                let kind = try NameKind(named: call.body["kind"].string)
                let (from, to) = (try call.body["from"].string, try call.body["to"].string)
                let creates = try call.body["create"].orNil?.bool ?? false
                return try await carryOut(call, NameMerge.merge(kind, from: from, to: to, creates: creates)) {
                    Shapes.nameMerge.json((kind, from, to))
                }
            }
        ]
    }

    private static let create = Field.optional(
        "create", .boolean, "Whether a channel or a buyer may get a name that nobody has used yet")
}
