import Codes
import Documents
import Kernel
import Signing

extension Site {
    var keyEndpoints: [Endpoint] {
        let keyID = Endpoint.Parameter("keyId", .string(4...4), "Four hexadecimal digits")
        let key = Shapes.key(under: backend.keys.origin)
        return [
            Endpoint(
                .get, "/.well-known/jwks.json", "The public keys, for checking codes offline (RFC 7517)",
                access: .anyone,
                outcomes: [.init(200, "The keys", Shapes.keySet)]
            ) { call in
                let keys = Shapes.keySet.json(backend.keys.published)
                return Answer.json(keys, headers: [.cacheControl: "public, max-age=300"]).tagged(for: call)
            },
            Endpoint(
                .get, "/api/v1/keys", "The signing keys", access: .whoMay(.readKeys),
                outcomes: [.init(200, "The keys", .list(of: key))]
            ) { _ in .list(backend.keys.all, key) },
            Endpoint(
                .post, "/api/v1/keys", "Make a signing key; it signs from now on", access: .whoMay(.manageKeys),
                body: .json(.object([Field("algorithm", Look<Algorithm>.algorithm.schema)])),
                outcomes: [.init(201, "Made", Shapes.madeKey)]
            ) { call in
                let algorithm = Algorithm(name: try call.body["algorithm"].string) ?? .ed25519
                let answer = try await carryOut(call, backend.keys.creation(of: algorithm)) {
                    Shapes.madeKey.json(($0, algorithm))
                }
                try await backend.keys.reload()
                return answer
            },
            Endpoint(
                .post, "/api/v1/keys/{keyId}/retirements", "Retire a key: it signs nothing new",
                access: .whoMay(.manageKeys), pathParameters: [keyID], body: .json(.object([])),
                outcomes: [.init(201, "Retired", Shapes.keyID)]
            ) { call in
                let id = try named(call)
                let plan = SigningKeyStore.retire(id, today: backend.clock.today)
                let answer = try await carryOut(call, plan) { Shapes.keyID.json(id) }
                try await backend.keys.reload()
                return answer
            },
            Endpoint(
                .post, "/api/v1/keys/{keyId}/compromises", "Say that others may hold a key since a day",
                access: .whoMay(.manageKeys), pathParameters: [keyID], body: .json(.object([Field("since", .day)])),
                outcomes: [.init(201, "Marked", Shapes.compromisedKey)]
            ) { call in
                let (id, since) = (try named(call), try call.body["since"].day)
                let plan = SigningKeyStore.compromise(id, since: since, today: backend.clock.today)
                let answer = try await carryOut(call, plan) { Shapes.compromisedKey.json((id, since)) }
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
}
