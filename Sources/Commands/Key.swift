import ArgumentParser
import Backend
import Codes
import Documents
import Foundation
import Kernel
import Signing

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: words("签名密钥。私钥加密存放在数据目录里。", "Signing keys. Private halves lie encrypted in the data folder."),
        subcommands: [Create.self, List.self, Export.self, Import.self, Retire.self, Compromise.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("生成密钥，今后用它签名。", "Makes a key, which signs from now on."),
            discussion: "taoyuan key create --algorithm sm2")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("算法：ed25519 或 sm2（国密）。", "ed25519 or sm2.")) var algorithm: Algorithm

        func run() async throws {
            let id = try await options.withBackend { backend in
                try await backend.keys.create(algorithm, backend.database, backend.local.scope)
            }
            try options.show(Shapes.madeKey.json((id, algorithm)), id.hex)
            Terminal.say(words("已生成密钥 \(id)，今后用它签发", "made the key \(id), which signs from now on"))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出密钥。", "Lists the keys."), discussion: "taoyuan key list")

        @OptionGroup var options: SharedOptions

        func run() async throws {
            let (keys, origin) = try await options.withBackend { ($0.keys.all, $0.keys.origin) }
            try options.show(keys, Shapes.key(under: origin))
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "导出公钥：一把，或以 JWKS 格式导出所有未泄露的。",
                "Prints public keys: one, or as a JSON Web Key Set all that are not compromised."),
            discussion: "taoyuan key export --key-id 8a31 --format pem --output key.pem")

        enum Format: String, ExpressibleByArgument, CaseIterable {
            case pem, jwks
        }

        @OptionGroup var options: SharedOptions
        @Option(help: .words("密钥编号（默认全部密钥）。", "The key's id (default: all keys)."), transform: KeyID.reader) var keyID:
            KeyID?
        @Option(help: .words("格式：pem 或 jwks。", "pem or jwks.")) var format = Format.jwks
        @Option(help: .words("写入的文件（默认标准输出）。", "The file to write to (default: standard output).")) var output: String?

        func run() async throws {
            let keys = try await options.withBackend { backend in
                guard let keyID else { return backend.keys.published }
                guard let key = backend.keys[keyID] else { throw SigningKeyStore.unknownKey(keyID.hex) }
                return [key]
            }
            let text =
                switch format {
                case .pem: keys.map(\.publicKey.pem).joined()
                case .jwks: Shapes.keySet.json(keys).text + "\n"
                }
            try Files.deliver(Array(text.utf8), to: output)
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "接管密钥：私钥（PKCS#8）今后用于签名，公钥只用于查验。",
                "Takes a key over: a private one (PKCS#8) signs from now on, a public one only verifies."),
            discussion: "taoyuan key import old.pem --passphrase-file old.txt")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("PEM 文件。", "A PEM file.")) var file: String
        @Option(help: .words("加密私钥的口令所在的文件。", "The file with the passphrase of an encrypted key.")) var passphraseFile:
            String?

        func run() async throws {
            let pem = try Files.text(file)
            let passphrase = try passphraseFile.map { try Passphrase.read(file: $0) }
            let id = try await options.withBackend { backend in
                try await backend.keys.adopt(
                    pem: pem, passphrase: passphrase, backend.database, backend.local.scope)
            }
            try options.show(Shapes.keyID.json(id), id.hex)
            Terminal.say(words("已接管密钥 \(id)", "took over the key \(id)"))
        }
    }

    struct Retire: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "停用密钥：不再签名，已签发的仍然有效。", "Retires a key: it signs nothing new, and what it signed stays good."),
            discussion: "taoyuan key retire --key-id 8a31")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("密钥编号。", "The key's id."), transform: KeyID.reader) var keyID: KeyID

        func run() async throws {
            try await options.change { SigningKeyStore.retire(keyID, today: $0.clock.today) }
            try options.done(Shapes.keyID.json(keyID), "密钥 \(keyID) 已停用", "key \(keyID) is retired")
        }
    }

    struct Compromise: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "标记密钥已泄露：真伪只以登记为准。", "Marks a key as known to others: only the register tells what it really signed."),
            discussion: "taoyuan key compromise --key-id 8a31 --since 2025-08-01")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("密钥编号。", "The key's id."), transform: KeyID.reader) var keyID: KeyID
        @Option(help: .words("从哪一天起。", "Since which day."), transform: reading(CivilDay.init(_:))) var since: CivilDay

        func run() async throws {
            try await options.change { SigningKeyStore.compromise(keyID, since: since, today: $0.clock.today) }
            try options.done(
                Shapes.compromisedKey.json((keyID, since)), "密钥 \(keyID) 自 \(since) 起视为泄露",
                "key \(keyID) counts as compromised since \(since)")
        }
    }
}

extension Algorithm: ExpressibleByArgument {
    public init?(argument: String) {
        self.init(name: argument)
    }

    public static var allValueStrings: [String] { allCases.map(\.name) }
}

extension KeyID {
    static let reader = reading { text in
        guard let id = KeyID(hex: text) else {
            throw Refusal(
                .invalid, "bad-key-id", zh: "密钥编号是四位十六进制数，如 8a31", en: "a key id is four hexadecimal digits: 8a31")
        }
        return id
    }
}
