import ArgumentParser
import Backend
import Documents
import Kernel
import Orchard
import Signing

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: words(
            "建立一个村：新的数据目录，或空的数据库。", "Founds a village: a new data folder, or an empty database."),
        discussion: "taoyuan init --village 老龙湾 --brand 老龙湾 --origin trace.example.cn")

    @OptionGroup var options: SharedOptions
    @OptionGroup var new: NewVillage

    func validate() throws {
        guard options.village != nil else {
            throw ValidationError(words("请用 --village 给出村名", "give the village's name by --village"))
        }
    }

    func run() async throws {
        let configuration = try options.configuration()
        let founding = try new.founding(options.village ?? "")
        let found = try await Interruption.watching {
            try await Backend.found(configuration, founding, settingUp: SharedOptions.tellSettingUp)
        }
        try options.show(Shapes.village.json(found), found.founded)
        if let warning = new.origin.trialWarning { Terminal.say(warning) }
    }
}

extension Village {
    var founded: String {
        let address = (try? Origin(origin)).map { "\($0.scheme)://\($0)" } ?? origin
        return words(
            "已建立 \(name)（品牌 \(brand)），溯源码指向 \(address)",
            "founded \(name) (brand \(brand)), whose codes point to \(address)")
    }
}

/// What a village is founded with, but for its name.
struct NewVillage: ParsableArguments {
    @Option(help: .words("产品的品牌。", "The brand of its products.")) var brand: String
    @Option(
        help: .words(
            "溯源码指向的站点（主机名，或“主机名:端口”），写进每个签名。",
            "Where its codes point to, `host` or `host:port`: part of every signature."),
        transform: reading(Origin.init(_:)))
    var origin: Origin

    func founding(_ village: String) throws -> Founding {
        try Founding(village: village, brand: brand, origin: origin)
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
