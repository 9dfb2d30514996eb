import Batches
import Codes
import Kernel
import Orchard
import Signing

/// How codes look outside, and what is told of a label.
extension Shapes {
    public static let code = Shape<IssuedCode>(
        "Code",
        [
            .init("payload", .text(), note: "What the label carries, without the address", \.payload),
            .init("url", "溯源码", "code", .text(1...400), note: "The address in the QR", \.url),
            .init("keyId", "签发密钥", "key", .keyID, \.signed.body.keyID),
            .init("issuedDay", "签发日", "issued", .day, \.signed.body.issued),
            .init("bestBeforeDay", "最佳食用至", "best before", optional: .day, \.signed.body.bestBefore),
            .init("revoked", .flag, \.revoked),
            .reading("state", "状态", "state") { $0.revoked ? Bilingual(zh: "已作废", en: "revoked")[$1] : nil },
        ], facts: ["url", "keyId", "issuedDay", "bestBeforeDay", "state"])

    /// The code of a batch, as one asks for it alone.
    public static let batchCode = Shape<IssuedCode>(
        "BatchCode",
        [
            .init("batch", "批次", "batch", .batch, \.batch), .init("code", .object(code), \.self),
            .init("recall", optional: .object(recall), \.recall),
        ], facts: ["batch"])

    /// A batch with its code and what happened to it.
    public static let batchRecord = Shape<(history: BatchHistory, code: IssuedCode)>(
        nil,
        [
            .init("batch", .object(batch)) { $0.history.batch },
            .init("recall", optional: .object(recall)) { $0.history.recall },
            .init("code", .object(code)) { $0.code }, .init("revoked", .flag) { $0.code.revoked },
            .init("corrections", .list(of: .object(batchCorrection)), note: "Oldest first") { $0.history.corrections },
            .init("movements", .list(of: .object(movement)), note: "Their sum, on all pages, is the stock") {
                $0.history.movements
            },
            .init("olderMovements", .count(), note: "How many there are on later pages") { $0.history.older },
        ])

    public static let revocation = Shape<(batch: Int64, serial: [UInt8]?)>(
        nil,
        [
            .init("batch", .batch) { $0.batch },
            .init("serial", optional: .serial, note: "Of the one item whose code it is") { $0.serial },
            .init("revoked", .flag) { _ in true },
        ])

    public static let recallStep = Shape<(batch: Int64, isOpen: Bool)>(
        nil, [.init("batch", .batch) { $0.batch }, .init("recalled", .flag) { $0.isOpen }])

    /// The verdict on a code, as strangers are told it.
    public static let verification = Shape<SeenLabel>(
        "Verification",
        [
            .init("answer", .names(Answer.allCases.filter { $0 != .signed })) { $0.verdict.answer },
            .init("kind", optional: .oneOf("batch", "item")) { label in
                label.verdict.body.map { $0.kind == .item ? "item" : "batch" }
            },
            .init("batch", "批次", "batch", optional: .batch) { label in label.verdict.body.map { Int64($0.batch) } },
            .init("serial", "序列号", "serial", optional: .serial) { $0.verdict.body?.serial },
            .init("issuedDay", "签发日", "issued", optional: .day) { $0.verdict.body?.issued },
            .init("bestBeforeDay", optional: .day) { $0.verdict.body?.bestBefore },
            .init("pastBestBefore", .flag) { $0.verdict.pastBestBefore },
            .init("keyId", "签发密钥", "key", optional: .keyID) { $0.verdict.body?.keyID },
            .init("origin", .text()) { $0.origin.text },
            .init("product", optional: .text()) { $0.verdict.goods?.product },
            .init("variety", optional: .text()) { $0.verdict.goods?.variety },
            .init("grade", optional: .text()) { $0.verdict.goods?.grade },
            .init("harvestedOn", "采收日期", "harvested", optional: .day) { $0.verdict.goods?.harvestedOn },
            .init("cooperative", "合作社", "cooperative", optional: .text()) { $0.verdict.goods?.cooperative },
            .init("village", optional: .text()) { $0.village?.name },
            .init("brand", optional: .text()) { $0.village?.brand },
            .reading("gradedGoods", "产品", "product") { label, _ in
                label.verdict.goods.map { "\($0.product) \($0.variety) \($0.grade)" }
            },
            .reading("bestBefore", "最佳食用至", "best before") { label, language in
                label.verdict.body?.bestBefore.map { day in
                    label.verdict.pastBestBefore ? Bilingual(zh: "\(day)（已过）", en: "\(day) (past)")[language] : "\(day)"
                }
            },
        ])

    /// What a label shows to whoever scans it.
    public static let seenLabel = Shape<SeenLabel>(
        nil,
        verification.members + [
            .init("foreignHost", optional: .text(), note: "Of its address, where that is not ours") {
                $0.foreignHost
            }
        ],
        facts: [
            "batch", "serial", "gradedGoods", "harvestedOn", "cooperative", "issuedDay", "bestBefore", "keyId",
        ])
}

/// What a label shows to whoever scans it: the verdict on its code, whose code it is, and whether its address is ours.
public struct SeenLabel: Sendable {
    public let verdict: Verdict
    /// Where the code belongs.
    public let origin: Origin
    let village: Village?
    public let foreignHost: String?

    /// Of a payload alone.
    /// - Parameter village: nil where no register was asked.
    public init(_ verdict: Verdict, origin: Origin, of village: Village?) {
        self.verdict = verdict
        self.origin = origin
        self.village = village
        foreignHost = nil
    }

    /// Of a text that may be a whole address.
    /// - Parameter ours: all origins under which we issue or issued.
    public init(_ text: String, _ verdict: Verdict, origin: Origin, of village: Village?, ours: Set<Origin>) {
        self.verdict = verdict
        self.origin = origin
        self.village = village
        foreignHost = verdict.answer == .malformed ? nil : CodeRules.foreignHost(in: text, ours: ours)
    }
}

extension Look where Value == Int64 {
    /// The number of a batch.
    public static var batch: Self { number(1...4_294_967_295) }
}

extension Look where Value == [UInt8] {
    /// The serial of an item.
    static var serial: Self { Look(.string(10...10), json: { .string($0.hex) }) { serial, _ in serial.hex } }
}
