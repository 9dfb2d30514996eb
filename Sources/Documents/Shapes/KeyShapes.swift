import Codes
import Kernel
import Signing

/// How signing keys look outside: never their private halves.
extension Shapes {
    /// - Parameter current: the origin under which codes are issued now, which matters to what people read alone.
    public static func key(under current: Origin) -> Shape<SigningKey> {
        Shape(
            "Key",
            [
                .init("keyId", "编号", "id", .keyID, \.id), .init("origin", "站点", "origin", .text(), \.origin.text),
                .init("algorithm", "算法", "algorithm", .algorithm, \.publicKey.algorithm),
                .init("createdAt", "生成", "made", .instant, \.createdAt),
                .init("retiredOn", optional: .day, \.retiredOn),
                .init("compromisedSince", optional: .day, \.compromisedSince),
                .reading("state", "状态", "state") { $0.state(under: current)[$1] },
            ], list: ["keyId", "algorithm", "origin", "createdAt", "state"])
    }

    /// A key that something was done with.
    public static let keyID = Shape<KeyID>(nil, [.init("keyId", .keyID, \.self)])

    public static let madeKey = Shape<(id: KeyID, algorithm: Algorithm)>(
        nil, [.init("keyId", .keyID) { $0.id }, .init("algorithm", .algorithm) { $0.algorithm }])

    public static let compromisedKey = Shape<(id: KeyID, since: CivilDay)>(
        nil, [.init("keyId", .keyID) { $0.id }, .init("compromisedSince", .day) { $0.since }])

    /// A JSON Web Key Set (RFC 7517).
    public static let keySet = Shape<[SigningKey]>(nil, [.init("keys", .list(of: jwk), \.self)])

    private static let jwk = Look<SigningKey>(
        .object([
            Field("kty", .string()), Field("crv", .string()), Field("x", .string()), .optional("y", .string()),
            Field("kid", .string()), Field("use", .string()), .optional("alg", .string()),
        ]),
        json: { key in
            .object(
                key.publicKey.jwk(kid: key.id.hex).sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })
        }, text: { key, _ in key.id.hex })
}

extension Look where Value == KeyID {
    public static var keyID: Self { Look(.string(4...4), json: { .string($0.hex) }) { id, _ in id.hex } }
}

extension Look where Value == Algorithm {
    public static var algorithm: Self {
        Look(.enumeration(Algorithm.allCases.map(\.name)), json: { .string($0.name) }) { algorithm, _ in algorithm.name
        }
    }
}

extension SigningKey {
    fileprivate func state(under current: Origin) -> Bilingual {
        if let compromisedSince {
            Bilingual(zh: "自 \(compromisedSince) 起泄露", en: "compromised since \(compromisedSince)")
        } else if let retiredOn {
            Bilingual(zh: "\(retiredOn) 停用", en: "retired on \(retiredOn)")
        } else if origin != current {
            Bilingual(zh: "只查验（旧站点）", en: "verifies only (former origin)")
        } else {
            Bilingual(zh: "可用", en: "good")
        }
    }
}
