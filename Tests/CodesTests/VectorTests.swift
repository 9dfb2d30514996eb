import Codes
import Foundation
import Kernel
import Signing
import TestSupport
import Testing

/// The format's vectors against the register.
struct CodeVectors: Decodable {
    struct Vector: Decodable, Sendable {
        let payload: String
        let expect: String
        let why: String
    }

    let origin: String
    let keyId: String
    let publicKeyPEM: String
    let vectors: [Vector]

    static func read() throws -> CodeVectors {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "SigningTests/Resources/code-vectors.json")
        return try JSONDecoder().decode(CodeVectors.self, from: Data(contentsOf: file))
    }
}

@Suite struct VectorTests {
    @Test func `each vector gets its answer, and good ones are not in our register`() async throws {
        let file = try CodeVectors.read()
        try await withVillage(origin: file.origin) { village in
            let id = try await village.keys.adopt(
                pem: file.publicKeyPEM, passphrase: nil, village.database, village.committee)
            #expect(id.hex == file.keyId)
            for vector in file.vectors {
                let verdict = try await village.verification.verify(vector.payload)
                let expected = vector.expect == "valid" ? "unregistered" : vector.expect
                #expect(verdict.answer.rawValue == expected, "\(vector.why)")
                #expect(verdict.goods == nil)
            }
            #expect(Set(file.vectors.map(\.expect)) == ["valid", "forged", "malformed", "unknown_key"])
        }
    }

    @Test func `an imported public key verifies and does not sign`() async throws {
        let file = try CodeVectors.read()
        try await withVillage(origin: file.origin) { village in
            let own = try village.keys.signer().keyID
            let id = try await village.keys.adopt(
                pem: file.publicKeyPEM, passphrase: nil, village.database, village.committee)
            #expect(try village.keys.signer().keyID == own)
            #expect(Set(village.keys.all.map(\.id)) == [own, id])
            let again = try await refusal {
                try await village.keys.adopt(
                    pem: file.publicKeyPEM, passphrase: nil, village.database, village.committee)
            }
            #expect(again?.code == "key-id-taken")
        }
    }

    @Test func `without any key of its own the village signs nothing and knows no code`() async throws {
        let file = try CodeVectors.read()
        try await withVillage(origin: file.origin) { village in
            for key in village.keys.all {
                try await village.change(SigningKeyStore.retire(key.id, today: village.today))
            }
            try await village.keys.reload()
            let refused = try await refusal { try village.keys.signer() }
            #expect(refused?.code == "no-signing-key")
            let valid = try #require(file.vectors.first { $0.expect == "valid" })
            #expect(try await village.verification.verify(valid.payload).answer == .unknownKey)
        }
    }
}
