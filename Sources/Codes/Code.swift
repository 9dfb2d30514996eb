import Batches
import Kernel
import Signing
import Synchronization

/// A code that was issued, with all that its label needs.
public struct IssuedCode: Sendable {
    public let batch: Int64
    public let signed: SignedCode
    public let origin: Origin
    public let revoked: Bool
    /// The recall that the batch is under, where that was asked for.
    public var recall: OpenRecall?

    public var payload: String { signed.payload }
    public var url: String { origin.url(payload: signed.payload) }
}

/// What a verifier answers; the raw values are those of CODE-FORMAT.
public enum Answer: String, Sendable, CaseIterable {
    case malformed
    case unknownKey = "unknown_key"
    case forged
    case unregistered
    case revoked
    case recalled
    case genuine
    /// Offline only: a good signature whose register could not be asked.
    case signed

    /// Whether who holds the goods may rely on the label.
    public var isGood: Bool { self == .genuine || self == .signed }
}

/// The answer to one code, with what may be told of a code that we really issued.
public struct Verdict: Sendable {
    /// What a stranger may know of the goods.
    public struct Goods: Sendable {
        public let product: String
        public let variety: String
        public let grade: String
        public let harvestedOn: CivilDay
        public let cooperative: String
    }

    public let answer: Answer
    /// The code's own fields, as soon as its signature is good.
    public let body: CodeBody?
    public let goods: Goods?
    /// Past its best-before day: a flag beside the answer, not another answer.
    public let pastBestBefore: Bool
    /// For as long as the verdict is remembered, so is what was made of it.
    public let form = VerdictForm()

    init(_ answer: Answer, body: CodeBody? = nil, goods: Goods? = nil, today: CivilDay) {
        self.answer = answer
        self.body = body
        self.goods = goods
        self.pastBestBefore = body?.bestBefore.map { today > $0 } ?? false
    }
}

/// The bytes in which a verdict is sent, made once for all who ask while it is remembered.
public final class VerdictForm: Sendable {
    private let made = Mutex<[UInt8]?>(nil)

    /// - Parameter make: always the same for one verdict.
    public func bytes(_ make: () -> [UInt8]) -> [UInt8] {
        if let bytes = made.withLock({ $0 }) { return bytes }
        let bytes = make()
        made.withLock { $0 = bytes }
        return bytes
    }
}
