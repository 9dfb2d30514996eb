import Codes
import Documents
import Kernel
import Signing

extension Site {
    var keyEndpoints: [Endpoint] {
        let keyID = Endpoint.Parameter("keyId", .string(4...4), "Four hexadecimal digits")
        let key = Schema.named(
            "Key",
            .object([
                Field("keyId", .string(4...4)), Field("origin", .string()), Field("algorithm", .string()),
                Field("createdAt", .instant), .optional("retiredOn", .day), .optional("compromisedSince", .day),
            ]))
        let created = Schema.object([Field("keyId", .string(4...4))])
        return [
            Endpoint(
                .get, "/.well-known/jwks.json", "The public keys, for checking codes offline (RFC 7517)",
                access: .anyone,
                outcomes: [
                    .init(200, "The keys", .object([Field("keys", .array(of: Self.jwk))]))
                ]
            ) { call in
                // A compromised key must not make codes good for those who can't ask the register.
                let keys = backend.keys.all.filter { $0.compromisedSince == nil }
                return Answer.json(["keys": .array(keys.map(jwk))], headers: [.cacheControl: "public, max-age=300"])
                    .tagged(for: call)
            },
            Endpoint(
                .get, "/api/v1/keys", "The signing keys", access: .whoMay(.readKeys),
                outcomes: [.init(200, "The keys", .object([Field("items", .array(of: key))]))]
            ) { _ in .json(["items": .array(backend.keys.all.map(Self.render))]) },
            Endpoint(
                .post, "/api/v1/keys", "Make a signing key; it signs from now on", access: .whoMay(.manageKeys),
                body: .json(.object([Field("algorithm", .enumeration(Algorithm.allCases.map(\.name)))])),
                outcomes: [.init(201, "Made", created)]
            ) { call in
                let algorithm = Algorithm(name: try call.body["algorithm"].string) ?? .ed25519
                let answer = try await carryOut(call, backend.keys.creation(of: algorithm)) {
                    ["keyId": .string($0.hex)]
                }
                try await backend.keys.reload()
                return answer
            },
            Endpoint(
                .post, "/api/v1/keys/{keyId}/retirements", "Retire a key: it signs nothing new",
                access: .whoMay(.manageKeys), pathParameters: [keyID], body: .json(.object([])),
                outcomes: [.init(201, "Retired", created)]
            ) { call in
                let id = try named(call)
                let plan = SigningKeyStore.retire(id, today: backend.clock.today)
                let answer = try await carryOut(call, plan) { ["keyId": .string(id.hex)] }
                try await backend.keys.reload()
                return answer
            },
            Endpoint(
                .post, "/api/v1/keys/{keyId}/compromises", "Say that others may hold a key since a day",
                access: .whoMay(.manageKeys), pathParameters: [keyID], body: .json(.object([Field("since", .day)])),
                outcomes: [.init(201, "Marked", created)]
            ) { call in
                let id = try named(call)
                let plan = SigningKeyStore.compromise(
                    id, since: try call.body["since"].day, today: backend.clock.today)
                let answer = try await carryOut(call, plan) { ["keyId": .string(id.hex)] }
                try await backend.keys.reload()
                return answer
            },
        ]
    }

    private func named(_ call: Call) throws -> KeyID {
        let text = try call.path["keyId"].string
        guard let id = KeyID(hex: text) else { throw SigningKeyStore.unknownKey(text) }
        return id
    }

    private static let jwk = Schema.object([
        Field("kty", .string()), Field("crv", .string()), Field("x", .string()), .optional("y", .string()),
        Field("kid", .string()), Field("use", .string()), .optional("alg", .string()),
    ])

    private func jwk(_ key: SigningKey) -> JSON {
        .object(
            key.publicKey.jwk(kid: key.id.hex).sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
        )
    }

    private static func render(_ key: SigningKey) -> JSON {
        [
            "keyId": .string(key.id.hex), "origin": .string(key.origin.text),
            "algorithm": .string(key.publicKey.algorithm.name), "createdAt": Shapes.instant(key.createdAt),
            "retiredOn": key.retiredOn.map { JSON($0) } ?? .null,
            "compromisedSince": key.compromisedSince.map { JSON($0) } ?? .null,
        ]
    }
}
