import ArgumentParser
import Backend
import Documents
import Kernel
import Signing

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: words(
            "建立一个村：新的数据目录，或空的数据库。", "Founds a village: a new data folder, or an empty database."),
        discussion: "taoyuan init --village 老龙湾 --brand 老龙湾 --origin trace.example.cn")

    @OptionGroup var options: SharedOptions
    @Option(help: .words("村名。", "Its name.")) var village: String
    @Option(help: .words("产品的品牌。", "The brand of its products.")) var brand: String
    @Option(
        help: .words(
            "溯源码指向的站点（主机名，或“主机名:端口”），写进每个签名。",
            "Where its codes point to, `host` or `host:port`: part of every signature."),
        transform: reading(Origin.init(_:)))
    var origin: Origin

    func run() async throws {
        let configuration = try options.configuration()
        let founding = try Founding(village: village, brand: brand, origin: origin)
        let found = try await Interruption.watching {
            try await Backend.found(configuration, founding, settingUp: SharedOptions.tellSettingUp)
        }
        let address = "\(origin.scheme)://\(origin)"
        try options.show(
            ["village": .string(found.name), "brand": .string(found.brand), "origin": .string(found.origin)],
            words(
                "已建立 \(found.name)（品牌 \(found.brand)），溯源码指向 \(address)",
                "founded \(found.name) (brand \(found.brand)), whose codes point to \(address)"))
        if let warning = origin.trialWarning { Terminal.say(warning) }
    }
}

struct VillageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "village", abstract: words("本村自身。", "The village itself."), subcommands: [AddOrigin.self])

    struct AddOrigin: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add-origin",
            abstract: words(
                "换用新的站点：今后签发的溯源码指向它，以前的仍可查验。",
                "Gives it another origin: new codes point there, and those of before go on being verified."),
            discussion: "taoyuan village add-origin suyuan.example.cn")

        @OptionGroup var options: SharedOptions
        @Argument(
            help: .words("站点：主机名，或“主机名:端口”。", "The origin, host or host:port."), transform: reading(Origin.init(_:)))
        var origin: Origin

        func run() async throws {
            let configuration = try options.configuration()
            let key = try await Interruption.watching { try await Backend.addOrigin(configuration, origin) }
            try options.done(
                ["origin": .string(origin.text), "keyId": .string(key.hex)],
                "今后的溯源码指向 \(origin)，用新密钥 \(key) 签发。请重启正在运行的服务，并让旧站点继续能打开",
                "new codes point to \(origin) and are signed with the new key \(key). Restart servers that run, and keep "
                    + "the old origin reachable")
            if let warning = origin.trialWarning { Terminal.say(warning) }
        }
    }
}

extension Origin {
    /// What is to be known of an address that strangers can't reach.
    var trialWarning: String? {
        guard isLocal else { return nil }
        return words(
            "\(self) 只在本机或本地网络上能打开，没有证书，只适合试用；正式使用前请用 taoyuan village add-origin 换成域名",
            "\(self) is reached on this machine or its local network only, without a certificate: it is for trials. Before "
                + "real use, give a name by `taoyuan village add-origin`")
    }
}
