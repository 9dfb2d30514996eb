import Foundation
import Kernel

extension PublicKey {
    /// Reads a file of public keys: one or more `PUBLIC KEY` blocks of PEM, a JSON Web Key, or a set of them.
    ///
    /// - Throws: a `Refusal` of kind `invalid` when a key in it can't be used, or there is none.
    public static func all(in text: String) throws -> [PublicKey] {
        // Thousands of keys.
        guard text.utf8.count <= 1 << 20 else { throw unsupported }
        if text.trimmed.hasPrefix("{") {
            guard let found = try? JSONDecoder().decode(KeySet.self, from: Data(text.utf8)) else { throw unsupported }
            return try found.keys.map(PublicKey.init(jwk:))
        }
        let end = "-----END PUBLIC KEY-----"
        let blocks = text.components(separatedBy: end).dropLast()
        guard !blocks.isEmpty else { throw unsupported }
        return try blocks.map { try PublicKey(pem: $0 + end + "\n") }
    }

    /// Reads what `jwk(kid:)` writes.
    private convenience init(jwk: JSONWebKey) throws {
        let algorithm = Algorithm.allCases.first { $0.curve == jwk.crv }
        guard let algorithm, let point = Base64URL.decode(jwk.x), let rest = Base64URL.decode(jwk.y ?? "") else {
            throw Self.unsupported
        }
        try self.init(der: algorithm.publicKeyPrefix + point + rest)
    }
}

extension Algorithm {
    fileprivate var curve: String {
        switch self {
        case .ed25519: "Ed25519"
        case .sm2: "SM2"
        }
    }
}

private struct JSONWebKey: Decodable {
    let crv: String
    let x: String
    let y: String?
}

private struct KeySet: Decodable {
    let keys: [JSONWebKey]

    private enum Key: CodingKey { case keys }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        keys =
            container.contains(.keys)
            ? try container.decode([JSONWebKey].self, forKey: .keys) : [try JSONWebKey(from: decoder)]
    }
}
