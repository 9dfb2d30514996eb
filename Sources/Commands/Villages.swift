import ArgumentParser
import Backend
import Documents
import Kernel
import Orchard
import Signing

struct VillageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "village", abstract: words("村：名称、品牌、站点。", "Villages: name, brand and origins."),
        subcommands: [List.self, Add.self, Set.self, AddOrigin.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: words("列出数据库里的村。", "Lists the villages of the database."),
            discussion: "taoyuan village list")

        @OptionGroup var options: SharedOptions
        @OptionGroup var page: PageOptions
        @Option(help: .words("从这个编号之后开始。", "Those after this id.")) var after = 0

        func run() async throws {
            let configuration = try options.configuration()
            let villages = try await Interruption.watching {
                let county = try await County.open(
                    configuration, for: .command, settingUp: SharedOptions.tellSettingUp)
                let villages = await Result {
                    try await page.first { try await county.villages(after: after, limit: $0) }
                }
                await county.close()
                return try villages.get()
            }
            try options.show(villages, Shapes.village)
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: words(
                "在数据库里再加一个村，各村互不可见；服务按站点分别应答。",
                "Adds a village to the database. Villages see nothing of each other; the server answers for each under its origin."
            ),
            discussion: "taoyuan village add 老龙湾 --brand 老龙湾 --origin laolongwan.example.cn")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("村名。", "Its name.")) var name: String
        @OptionGroup var new: NewVillage
        @OptionGroup var same: SameName

        func run() async throws {
            let configuration = try options.configuration()
            let founding = try new.founding(name)
            let village = try await Interruption.watching {
                try await Backend.addVillage(configuration, founding, sharesName: same.sameName)
            }
            try options.done(
                Shapes.village.json(village),
                "已加入 \(village.name)（品牌 \(village.brand)），溯源码指向 \(new.origin.scheme)://\(new.origin)；此后的命令用 --village 说明是哪个村",
                "added \(village.name) (brand \(village.brand)), whose codes point to \(new.origin.scheme)://\(new.origin). Say from "
                    + "now on by --village which one a command is about")
            if let warning = new.origin.trialWarning { Terminal.say(warning) }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set",
            abstract: words(
                "改正村名或品牌。溯源码里没有这两样；站点不变。",
                "Puts a village's name or brand right. Codes carry neither; its origin stays."),
            discussion: "taoyuan village set --name 老龙湾 --brand 老龙湾")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("村名。", "Its name.")) var name: String?
        @Option(help: .words("产品的品牌。", "The brand of its products.")) var brand: String?
        @OptionGroup var same: SameName

        func validate() throws {
            guard name != nil || brand != nil else {
                throw ValidationError(words("请给出 --name 或 --brand。", "Give --name or --brand."))
            }
        }

        func run() async throws {
            let configuration = try options.configuration()
            let village = try await Interruption.watching {
                try await Backend.rename(
                    configuration, name: name, brand: brand, village: options.village, sharesName: same.sameName)
            }
            try options.done(
                Shapes.village.json(village), "现在是 \(village.name)（品牌 \(village.brand)）",
                "it is \(village.name) now (brand \(village.brand))")
        }
    }

    struct SameName: ParsableArguments {
        @Flag(help: .words("确是另一个同名的村。", "It is another village of that name indeed.")) var sameName = false
    }

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
            let village = options.village
            let key = try await Interruption.watching {
                try await Backend.addOrigin(configuration, origin, village: village)
            }
            try options.done(
                ["origin": .string(origin.text), "keyId": .string(key.hex)],
                "今后的溯源码指向 \(origin)，用新密钥 \(key) 签发。请让旧站点继续能打开",
                "new codes point to \(origin) and are signed with the new key \(key). Keep the old origin reachable")
            if let warning = origin.trialWarning { Terminal.say(warning) }
        }
    }
}
