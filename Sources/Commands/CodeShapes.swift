import Codes
import Documents
import Kernel
import Signing

extension IssuedCode {
    /// Prints the code with its QR symbol when that can be seen.
    func show(_ options: SharedOptions) throws {
        let symbol = Terminal.showsOutput && !options.json ? try QRCode(url: url).forTerminal : ""
        let warning = recall?.warning(of: batch) ?? ""
        try options.show(Shapes.batchCode.json(self), warning + (recall == nil ? symbol : "") + text)
    }

    var text: String {
        Table(told: Shapes.batchCode.facts(of: self, .ofThisRun) + Shapes.code.facts(of: self, .ofThisRun)).text
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

extension SeenLabel {
    var text: String {
        let foreign = foreignHost.map {
            Terminal.mark(CodeRules.foreign($0, origin: origin)[.ofThisRun], good: false) + "\n"
        }
        let answer = verdict.answer
        let sentence = Terminal.mark(answer.sentence(origin: origin, body: verdict.body), good: answer.isGood)
        return (foreign ?? "") + sentence + "\n" + Table(Shapes.seenLabel, of: self).text
    }
}
