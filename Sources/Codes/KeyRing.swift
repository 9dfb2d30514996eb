import Database
import Kernel
import Orchard
import Signing
import Synchronization

/// The village's keys in memory: a check of a code asks no database for them, so that forged codes cost no I/O.
public final class KeyRing: Sendable {
    private struct State {
        var keys: [KeyID: SigningKey] = [:]
        var signer: CodeSigner?
    }

    public let village: Village
    public let origin: Origin
    private let store: SigningKeyStore
    private let folder: KeyFolder
    private let state = Mutex(State())

    /// Reads the records. The private key is opened when something is signed first.
    public init(_ database: Database, village: Village, folder: KeyFolder) async throws {
        self.village = village
        self.origin = try Origin(village.origin)
        self.store = SigningKeyStore(database)
        self.folder = folder
        try await reload()
    }

    /// Reads the records again, after one of them was changed.
    public func reload() async throws {
        let keys = try await store.list(village: village.id)
        let active = keys.last { $0.signsNew && $0.origin == origin }?.id
        state.withLock { state in
            state.keys = Dictionary(uniqueKeysWithValues: keys.map { ($0.id, $0) })
            if state.signer?.keyID != active { state.signer = nil }
        }
    }

    public subscript(id: KeyID) -> SigningKey? {
        state.withLock { $0.keys[id] }
    }

    /// Where codes and tickets that name this key belong: to its own origin, or to ours when we don't know it.
    public func origin(of id: KeyID?) -> Origin {
        id.flatMap { self[$0]?.origin } ?? origin
    }

    /// All under which the village issues or issued.
    public var origins: Set<Origin> {
        state.withLock { Set($0.keys.values.map(\.origin)).union([origin]) }
    }

    public var all: [SigningKey] {
        state.withLock { $0.keys.values.sorted { ($0.createdAt, $0.id.value) < ($1.createdAt, $1.id.value) } }
    }

    /// Those of a key set: a compromised key must not make codes good for those who can't ask the register.
    public var published: [SigningKey] { all.filter { $0.compromisedSince == nil } }

    /// Who signs new codes: the newest key of our origin that is neither retired nor compromised. Public keys that were
    /// imported to verify have no file and do not count.
    /// - Throws: a `Refusal` when there is none or its file can't be opened.
    public func signer() throws -> CodeSigner {
        try state.withLock { state in
            if let signer = state.signer { return signer }
            let usable = state.keys.values.filter { $0.signsNew && $0.origin == origin }
            let held = Set(try folder.list())
            let ours = usable.contains { held.contains($0.id) } ? usable.filter { held.contains($0.id) } : usable
            guard let newest = ours.max(by: { ($0.createdAt, $0.id.value) < ($1.createdAt, $1.id.value) }) else {
                let command = "taoyuan key create --algorithm ed25519 --village \(origin)"
                throw Refusal(
                    .unavailable, "no-signing-key", zh: "站点 \(origin) 没有可用的签发密钥，请先运行 \(command)",
                    en: "the origin \(origin) has no key to sign with: run \(command)")
            }
            let signer: CodeSigner
            do {
                signer = CodeSigner(key: try folder.load(newest.id), origin: origin)
            } catch let refusal as Refusal {
                // Nothing of what the caller asks for is absent or forbidden: we can't sign.
                throw Refusal(.unavailable, refusal.code, zh: refusal.message.zh, en: refusal.message.en)
            }
            state.signer = signer
            return signer
        }
    }

    /// Whether new codes can be signed: the key's file is there and opens.
    /// - Throws: a `Refusal` that says what is wrong with it.
    public func checkReady() throws {
        let id = try signer().keyID
        // The key in memory would do until the next start, and nobody would know that it is the last copy.
        guard try folder.list().contains(id) else { throw Self.noFile([id]) }
    }

    public static func noFile(_ ids: [KeyID]) -> Refusal {
        let names = ids.map(\.hex).joined(separator: ", ")
        return Refusal(
            .unavailable, "no-key-file", zh: "密钥目录中没有密钥 \(names) 的文件",
            en: "the key folder has no file of the key \(names)")
    }

    /// What a bare ticket tells, for the origin that its key was made for.
    public func check(ticket payload: String) -> TicketAnswer {
        guard let ticket = try? SignedTicket(payload: payload) else { return .malformed }
        let key = self[ticket.body.keyID]
        return TicketVerifier(origin: key?.origin ?? origin) { _ in
            key.map { KnownKey($0.publicKey, isCompromised: $0.compromisedSince != nil) }
        }.check(payload)
    }

    /// Makes a key that signs from now on.
    public func create(_ algorithm: Algorithm, _ database: Database, _ scope: Scope) async throws -> KeyID {
        let id = try await database.change(scope, creation(of: algorithm))
        try await reload()
        return id
    }

    /// The plan of a new key, its file first: a record without its file would be a key that can't sign. Whoever carries
    /// it out calls `reload` afterwards.
    public func creation(of algorithm: Algorithm) -> Plan<KeyID> {
        { [self] transaction, scope in
            var key = try PrivateKey.generate(algorithm)
            while self[key.publicKey.id(origin: origin)] != nil { key = try PrivateKey.generate(algorithm) }
            try folder.store(key)
            return try await SigningKeyStore.add(key.publicKey, origin: origin)(transaction, scope)
        }
    }

    /// Takes a key over from elsewhere: a private one (PEM, plain or encrypted) signs, a public one only verifies.
    public func adopt(pem: String, passphrase: Passphrase?, _ database: Database, _ scope: Scope) async throws -> KeyID
    {
        let publicKey: PublicKey
        if pem.contains("PRIVATE KEY") {
            let key =
                try passphrase.map { try PrivateKey(encryptedPEM: pem, passphrase: $0.bytes) } ?? PrivateKey(pem: pem)
            publicKey = key.publicKey
            guard self[publicKey.id(origin: origin)] == nil else { throw Self.taken(publicKey.id(origin: origin)) }
            try folder.store(key)
        } else {
            publicKey = try PublicKey(pem: pem)
        }
        let id = try await database.change(
            scope, SigningKeyStore.add(publicKey, origin: origin, action: "key.import"))
        try await reload()
        return id
    }

    private static func taken(_ id: KeyID) -> Refusal {
        Refusal(.conflict, "key-id-taken", zh: "密钥编号 \(id) 已被占用", en: "key id \(id) is taken")
    }
}
