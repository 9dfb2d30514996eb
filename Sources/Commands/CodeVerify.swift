import ArgumentParser
import Backend
import Codes
import Documents
import Kernel
import Signing

struct CodeVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: words(
            "查验溯源码；为真（离线时：签名有效）、网址（如给出）也是我们的，退出码为 0，否则为 1。",
            "Verifies a code; exit status 0 when it is genuine (offline: signed) and the address, if given, is ours; else 1."
        ),
        discussion: """
            taoyuan code verify https://trace.example.cn/CEAIUMI…
            taoyuan code verify CEAIUMI… --offline --public-key key.pem --origin trace.example.cn
            """)

    @OptionGroup var options: SharedOptions
    @Argument(help: .words("溯源码的文字，或二维码里的网址。", "The code's text, or the address that its QR symbol holds.")) var text:
        String
    @Flag(help: .words("不查登记，只凭给出的公钥查验签名。", "Ask no register: check the signature alone, with the keys given."))
    var offline = false
    @Option(
        help: .words(
            "公钥文件（PEM 或 JWKS），可重复给出；只与 --offline 同用。",
            "A PEM or JWKS file of public keys; may be given several times. Only with --offline.", value: "file"))
    var publicKey: [String] = []
    @Option(
        help: .words(
            "签发溯源码的站点（默认 TAOYUAN_ORIGIN）；只与 --offline 同用。",
            "The host that issued the code (default: TAOYUAN_ORIGIN). Only with --offline."),
        transform: reading(Origin.init(_:)))
    var origin: Origin?

    func validate() throws {
        guard offline != publicKey.isEmpty else {
            throw ValidationError(words("--offline 与 --public-key 须同时给出。", "--offline and --public-key go together."))
        }
        guard offline || origin == nil else {
            throw ValidationError(words("--origin 须与 --offline 同用。", "--origin goes with --offline."))
        }
    }

    func run() async throws {
        let seen = try await offline ? verifyOffline() : verifyOnline()
        try options.show(Shapes.seenLabel.json(seen), seen.text)
        if offline, let hint = try mismatch(seen.verdict.answer, origin: seen.origin) { Terminal.say(hint) }
        guard seen.verdict.answer.isGood, seen.foreignHost == nil else { throw ExitCode.failure }
    }

    private func verifyOnline() async throws -> SeenLabel {
        try await options.withBackend { backend in
            let verdict = try await backend.verification.verify(CodeRules.payload(in: text))
            return SeenLabel(
                text, verdict, origin: backend.keys.origin(of: verdict.body?.keyID), of: backend.village,
                ours: backend.keys.origins)
        }
    }

    private func verifyOffline() throws -> SeenLabel {
        let keys = try keys()
        let origin = try self.origin ?? options.configuration().origin ?? .local
        let verdict = CodeRules.verifyOffline(
            CodeRules.payload(in: text), keys: keys, origin: origin, today: WallClock.system.today)
        return SeenLabel(text, verdict, origin: origin, of: nil, ours: [origin])
    }

    private func keys() throws -> [PublicKey] { try publicKey.flatMap { try PublicKey.all(in: Files.text($0)) } }

    /// What does not fit: the origin is part both of a key's id and of what is signed, and so may be all that is wrong.
    private func mismatch(_ answer: Answer, origin: Origin) throws -> String? {
        guard let code = try? SignedCode(payload: CodeRules.payload(in: text)) else { return nil }
        let key = code.body.keyID
        switch answer {
        case .unknownKey:
            let given = try keys().map { $0.id(origin: origin).hex }.joined(separator: words("、", ", "))
            return words(
                "溯源码写的是密钥 \(key)；按站点 \(origin)，文件里的密钥是 \(given)。密钥编号由公钥和站点一起算出：请核对 --origin 和 --public-key",
                "the code names key \(key); for the origin \(origin) the keys given are \(given). A key's id comes from "
                    + "the key and the origin together: check --origin and --public-key")
        case .forged:
            return words(
                "溯源码写的是密钥 \(key)，文件里有它，但签名不符。站点 \(origin) 也在签名之内：如果 --origin 给错了，真码也会这样",
                "the code names key \(key), which was given, but its signature is another's. The origin \(origin) is part of "
                    + "what is signed: with a wrong --origin a good code looks like this, too")
        default: return nil
        }
    }
}
