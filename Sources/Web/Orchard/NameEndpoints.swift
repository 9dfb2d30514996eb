import Documents
import Kernel
import Orchard

extension Site {
    var nameEndpoints: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/names/merges", "Make two spellings of a name one", access: .whoMay(.keepNames),
                body: .json(.object(Self.merge + [Self.create])), outcomes: [.init(201, "Merged", .object(Self.merge))]
            ) { call in
                let kind = try NameKind(named: call.body["kind"].string)
                let (from, to) = (try call.body["from"].string, try call.body["to"].string)
                let creates = try call.body["create"].orNil?.bool ?? false
                return try await carryOut(call, NameMerge.merge(kind, from: from, to: to, creates: creates)) {
                    ["kind": .string(kind.rawValue), "from": .string(from), "to": .string(to)]
                }
            }
        ]
    }

    private static let merge = [
        Field("kind", .enumeration(NameKind.allCases.map(\.rawValue))),
        Field("from", .string(1...200), "The spelling that is given up"),
        Field("to", .string(1...200), "The one that is meant"),
    ]
    private static let create = Field.optional(
        "create", .boolean, "Whether a channel or a buyer may get a name that nobody has used yet")
}
