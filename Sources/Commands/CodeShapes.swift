import Codes
import Documents
import Kernel
import Signing

extension IssuedCode {
    var json: JSON {
        [
            "batch": .integer(batch), "recall": recall.map(Shapes.recall.json) ?? .null,
            "code": [
                "payload": .string(payload), "url": .string(url), "keyId": .string(signed.body.keyID.hex),
                "issuedDay": JSON(signed.body.issued), "bestBeforeDay": JSON(signed.body.bestBefore),
                "revoked": .bool(revoked),
            ],
        ]
    }

    var facts: [(name: String, value: String?)] {
        [
            (words("批次", "batch"), "\(batch)"), (words("溯源码", "code"), url),
            (words("签发密钥", "key"), signed.body.keyID.hex), (words("签发日", "issued"), "\(signed.body.issued)"),
            (words("最佳食用至", "best before"), signed.body.bestBefore?.description),
            (words("状态", "state"), revoked ? words("已作废", "revoked") : nil),
        ]
    }

    /// Prints the code with its QR symbol when that can be seen.
    func show(_ options: SharedOptions) throws {
        let symbol = Terminal.showsOutput && !options.json ? try QRCode(url: url).forTerminal : ""
        let warning = recall?.warning(of: batch) ?? ""
        try options.show(json, warning + (recall == nil ? symbol : "") + Table(facts: facts).text)
    }
}

extension QRCode {
    /// Black on white wherever colours can be set.
    var forTerminal: String { terminal(colours: Terminal.hasColours) }
}

extension Answer {
    func sentence(origin: Origin, body: CodeBody?) -> String {
        switch self {
        case .genuine: words("真：是我们签发的溯源码", "Genuine: we issued this code")
        case .signed:
            words(
                "签名有效：由 \(origin) 于 \(body?.issued.description ?? "—") 签发；状态未查",
                "Signed: issued by \(origin) on \(body?.issued.description ?? "—"); status not checked")
        case .malformed: words("这不是溯源码", "This is no code of ours")
        case .unknownKey: words("签发密钥未知", "No key that we know signed this")
        case .forged: words("假：签名不符", "Forged: the signature is not ours")
        case .unregistered:
            words("假：签名有效，但我们没有签发过", "Not registered: well signed, but never issued by us")
        case .revoked: words("已作废", "Revoked")
        case .recalled: words("召回中，请勿食用", "Under recall: do not eat it")
        }
    }
}

/// What a label shows to whoever scans it: the verdict on its code, and whether its address is ours.
struct SeenLabel {
    let verdict: Verdict
    /// Where the code belongs.
    let origin: Origin
    let foreignHost: String?

    /// - Parameter ours: all origins under which we issue or issued.
    init(_ text: String, _ verdict: Verdict, origin: Origin, ours: Set<Origin>) {
        self.verdict = verdict
        self.origin = origin
        foreignHost = verdict.answer == .malformed ? nil : CodeRules.foreignHost(in: text, ours: ours)
    }

    /// Of a payload alone.
    init(_ verdict: Verdict, origin: Origin) {
        self.verdict = verdict
        self.origin = origin
        foreignHost = nil
    }

    var json: JSON {
        let (body, goods) = (verdict.body, verdict.goods)
        return [
            "answer": .string(verdict.answer.rawValue), "kind": JSON(body.map { $0.kind == .batch ? "batch" : "item" }),
            "batch": body.map { .integer(Int64($0.batch)) } ?? .null, "serial": JSON(body?.serial?.hex),
            "issuedDay": JSON(body?.issued), "bestBeforeDay": JSON(body?.bestBefore),
            "pastBestBefore": .bool(verdict.pastBestBefore), "keyId": JSON(body?.keyID.hex),
            "product": JSON(goods?.product), "variety": JSON(goods?.variety), "grade": JSON(goods?.grade),
            "harvestedOn": JSON(goods?.harvestedOn), "cooperative": JSON(goods?.cooperative),
            "origin": .string(origin.text), "foreignHost": JSON(foreignHost),
        ]
    }

    var text: String {
        let (body, goods) = (verdict.body, verdict.goods)
        let bestBefore = body?.bestBefore.map {
            verdict.pastBestBefore ? words("\($0)（已过）", "\($0) (past)") : $0.description
        }
        let facts: [(name: String, value: String?)] = [
            (words("批次", "batch"), body.map { "\($0.batch)" }), (words("序列号", "serial"), body?.serial?.hex),
            (words("产品", "product"), goods.map { "\($0.product) \($0.variety) \($0.grade)" }),
            (words("采收日期", "harvested"), goods?.harvestedOn.description),
            (words("合作社", "cooperative"), goods?.cooperative), (words("签发日", "issued"), body?.issued.description),
            (words("最佳食用至", "best before"), bestBefore), (words("签发密钥", "key"), body?.keyID.hex),
        ]
        let foreign = foreignHost.map {
            Terminal.mark(CodeRules.foreign($0, origin: origin)[.ofThisRun], good: false) + "\n"
        }
        let answer = verdict.answer
        let sentence = Terminal.mark(answer.sentence(origin: origin, body: body), good: answer.isGood)
        return (foreign ?? "") + sentence + "\n" + Table(facts: facts).text
    }
}

extension [UInt8] {
    var hex: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

    /// - Returns: nil unless the text is pairs of hexadecimal digits.
    init?(hex: String) {
        let digits = [Character](hex)
        guard digits.count.isMultiple(of: 2), digits.allSatisfy(\.isHexDigit) else { return nil }
        self = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
    }
}
