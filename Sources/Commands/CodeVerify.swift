import ArgumentParser
import Backend
import Codes
import Kernel
import Signing

struct CodeVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verifies a code; exit status 0 when it is genuine (offline: signed), 1 when it is not.",
        discussion: """
            taoyuan code verify https://trace.example.cn/CEAIUMI…
            taoyuan code verify CEAIUMI… --offline --public-key key.pem --origin trace.example.cn
            """)

    @OptionGroup var options: SharedOptions
    @Argument(help: "The code's text, or the address that its QR symbol holds.") var text: String
    @Flag(help: "Ask no register: check the signature alone, with the keys given.") var offline = false
    @Option(
        help: ArgumentHelp(
            "A PEM or JWKS file of public keys; may be given several times. Only with --offline.", valueName: "file"))
    var publicKey: [String] = []
    @Option(
        help: "The host that issued the code (default: TAOYUAN_ORIGIN). Only with --offline.",
        transform: reading(Origin.init(_:)))
    var origin: Origin?

    func validate() throws {
        guard offline != publicKey.isEmpty else {
            throw ValidationError("--offline and --public-key go together.")
        }
        guard offline || origin == nil else { throw ValidationError("--origin goes with --offline.") }
    }

    func run() async throws {
        let (verdict, origin) = try await offline ? verifyOffline() : verifyOnline()
        try options.show(verdict.json(origin: origin), verdict.text(origin: origin))
        guard verdict.answer.isGood else { throw ExitCode.failure }
    }

    private func verifyOnline() async throws -> (Verdict, Origin) {
        try await options.withBackend { backend in
            (try await backend.verification.verify(CodeRules.payload(in: text)), backend.keys.origin)
        }
    }

    private func verifyOffline() throws -> (Verdict, Origin) {
        let keys = try publicKey.flatMap { try PublicKey.all(in: Files.text($0)) }
        let origin = try self.origin ?? Origin(options.configuration().origin)
        let verdict = CodeRules.verifyOffline(
            CodeRules.payload(in: text), keys: keys, origin: origin, today: WallClock.system.today)
        return (verdict, origin)
    }
}
