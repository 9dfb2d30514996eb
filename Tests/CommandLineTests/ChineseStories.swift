import Foundation
import Testing

/// What a user of Chinese reads: help, complaints about usage, refusals.
@Suite struct ChineseStories {
    private let chinese = ["LANG": "zh_CN.UTF-8"]

    /// A command of `--experimental-dump-help`, with its path.
    private struct Command {
        let path: [String]
        let record: [String: Any]
        let arguments: [[String: Any]]
    }

    private func commands(_ record: [String: Any], below path: [String] = []) -> [Command] {
        let subcommands = (record["subcommands"] as? [[String: Any]] ?? []).filter {
            $0["commandName"] as? String != "help"
        }
        return [Command(path: path, record: record, arguments: record["arguments"] as? [[String: Any]] ?? [])]
            + subcommands.flatMap { commands($0, below: path + [$0["commandName"] as? String ?? ""]) }
    }

    private func allCommands(_ village: Village) async throws -> [Command] {
        let dump = try await village.run(["--experimental-dump-help"], environment: chinese).json()
        return commands(try #require(dump["command"] as? [String: Any]))
    }

    /// Whether three words of English follow each other, commands and options aside.
    private func hasProse(_ text: String) -> Bool {
        text.replacing(/taoyuan [a-z -]+|--[a-z-]+( <[a-z-]+>)?/, with: "").range(
            of: #"(?i)\b[a-z]{2,} [a-z]+ [a-z]{2,}\b"#, options: .regularExpression) != nil
    }

    private func isChinese(_ text: String?) -> Bool {
        text?.range(of: #"\p{Han}"#, options: .regularExpression) != nil
    }

    @Test func `every command and every option has its help in Chinese`() async throws {
        let commands = try await allCommands(try Village())
        #expect(commands.count > 80)
        for command in commands {
            #expect(isChinese(command.record["abstract"] as? String), "\(command.path)")
            for line in (command.record["discussion"] as? String ?? "").split(separator: "\n")
            where line.range(of: #"^ *([A-Z_]+=\S+ )?taoyuan |^ *--"#, options: .regularExpression) == nil {
                #expect(isChinese(String(line)), "\(command.path): \(line)")
            }
            for argument in command.arguments {
                let name = argument["valueName"] as? String ?? ""
                guard !["help", "version", "experimental-dump-help"].contains(name) else { continue }
                let abstract = argument["abstract"] as? String
                #expect(isChinese(abstract) && !hasProse(abstract ?? ""), "\(command.path) \(name)")
            }
        }
    }

    @Test func `the commands that refusals point to are there`() async throws {
        let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/Commands/RefusalTalk.swift")
        let told = try String(contentsOf: source, encoding: .utf8).matches(of: /": "([a-z ]+ list)"/).map { $0.1 }
        #expect(told.count > 10)
        let paths = try await allCommands(try Village()).map { $0.path.joined(separator: " ") }
        #expect(Set(told.map(String.init)).isSubset(of: paths))
    }

    @Test func `a screen of help has no English line and fits a terminal`() async throws {
        let village = try Village()
        for command in try await allCommands(village) {
            let help = try await village.run(["help"] + command.path, environment: chinese)
            #expect(help.status == 0 && help.errors.isEmpty && help.output.hasPrefix("说明："), "\(help.output)")
            for line in help.output.split(separator: "\n") {
                let text = line.trimmingCharacters(in: .whitespaces)
                let isExample =
                    text.range(of: #"^(用法：|([A-Z_]+=\S+ )?taoyuan )"#, options: .regularExpression) != nil
                #expect(isExample || !hasProse(text), "\(command.path): \(line)")
                let width = line.unicodeScalars.reduce(0) { $0 + ($1.value < 0x2E80 ? 1 : 2) }
                #expect(isExample || width <= 82, "\(command.path): \(line)")
            }
        }
    }

    @Test(arguments: [
        ("batch register --plot D01", "错误：缺少 --variety <variety>"), ("batch show", "错误：缺少 <batch>"),
        ("batch list --in-stok", "错误：没有选项 --in-stok；是不是 --in-stock？"), ("foo", "错误：无法识别的参数“foo”"),
        ("batch list --frobnicate", "错误：没有选项 --frobnicate"), ("batch show 1 2 3", "错误：2 个无法识别的参数：2、3"),
        ("batch list --limit", "错误：--limit <limit> 后面缺少内容（以 - 开头的内容要写成 --limit=…）"),
        ("batch list --limit x", "错误：“x”不能用于 --limit <limit>：须是整数，如 17"),
        ("batch show 1.5", "错误：“1.5”不能用于 <batch>：须是整数，如 17"),
        ("batch show 99999999999999999999", "错误：“99999999999999999999”不能用于 <batch>：须在 "),
        ("batch list --limit 0", "错误：--limit 须在 1 到 10000000 之间。"),
        ("batch list --in-stock=1", "错误：选项 --in-stock 不带内容，却给了“1”"),
        ("batch list --lang fr", "错误：--lang 可以是 zh 或 en，不是“fr”。"),
        ("--lang fr batch list", "错误：--lang 可以是 zh 或 en，不是“fr”。"),
        ("key create --algorithm rsa", "错误：“rsa”不能用于 --algorithm <algorithm>，可用：ed25519、sm2"),
        ("sale record --batch 1 --weight 1 --price 1/斤", "错误：“1”不能用于 --weight <weight>：“1”不是带单位的重量"),
    ])
    func `wrong usage is told in Chinese`(line: String, complaint: String) async throws {
        let village = try Village()
        let arguments = line.split(separator: " ").map(String.init)
        let outcome = try await village.run(arguments, environment: chinese)
        #expect(outcome.status == 64 && outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix(complaint), "\(outcome.errors)")
        let lines = outcome.errors.split(separator: "\n").filter { !$0.hasPrefix("用法：") && !$0.hasPrefix("  - ") }
        #expect(lines.allSatisfy { isChinese(String($0)) && !hasProse(String($0)) }, "\(outcome.errors)")
        #expect(outcome.errors.contains("--help”。"))
        let named = try await village.run(arguments + ["--lang=zh"])
        #expect(named.errors == outcome.errors)
    }

    @Test(arguments: [
        ["--lang", "zh"], ["help", "batch", "--lang", "zh"], ["batch", "--lang=zh"],
        ["--lang", "zh", "batch", "list", "-h"],
        ["batch", "list", "--help", "--lang", "en", "--lang", "zh"],
    ])
    func `--lang is heard wherever it stands`(arguments: [String]) async throws {
        let outcome = try await Village().run(arguments)
        #expect(outcome.status == 0 && outcome.output.hasPrefix("说明："), "\(outcome.output)\(outcome.errors)")
    }

    @Test func `English help stays the parser's own`() async throws {
        let outcome = try await Village().run("batch", "register", "--help", "--lang", "en")
        #expect(
            outcome.output.hasPrefix("OVERVIEW: Registers a harvest")
                && !isChinese(outcome.output.prefix(40).description))
        let shell = try await Village().run(["--generate-completion-script", "zsh"], environment: chinese)
        #expect(shell.status == 0 && shell.output.hasPrefix("#compdef taoyuan"))
    }

    @Test func `a refusal names the option that the user typed and the command that lists what there is`() async throws
    {
        let village = try await Village.founded()
        try await village.importPlots()
        func errors(_ line: String) async throws -> String {
            let outcome = try await village.run(line.split(separator: " ").map(String.init), environment: chinese)
            #expect(outcome.status == 1 && outcome.output.isEmpty)
            return outcome.errors
        }
        let harvest = "batch register --harvested 2023-08-21"
        let full = try await errors("\(harvest) --plot D01 --variety 瑞蟠21号 --grade 特级 --weight 900吨")
        #expect(full.hasPrefix("--weight：地块 D01"))
        let future = try await errors(
            "batch register --plot D01 --variety 瑞蟠21号 --grade 特级 --weight 1kg --harvested 2199-01-01")
        #expect(future.hasPrefix("--harvested："))
        let plot = try await errors("\(harvest) --plot X --variety 瑞蟠21号 --grade 特级 --weight 1kg")
        #expect(
            plot.hasPrefix("--plot：没有地块“X”；已有：D01、D02、") && plot.contains(" 等 48 个（全部见 taoyuan plot list）"), "\(plot)")
        let variety = try await errors("\(harvest) --plot D01 --variety 小小 --grade 特级 --weight 1kg")
        #expect(variety.hasPrefix("--variety：没有品种“小小”；已有：") && variety.contains("瑞蟠21号"), "\(variety)")
        let grade = try await errors("\(harvest) --plot D01 --variety 瑞蟠21号 --grade 九级 --weight 1kg")
        #expect(grade.hasPrefix("--grade：没有等级“九级”；已有：") && grade.contains("特级"), "\(grade)")
        let cooperative = try await errors("token create --role clerk --cooperative 无")
        #expect(cooperative.hasPrefix("--cooperative：没有合作社“无”；已有：") && cooperative.contains("韩村蟠桃专业合作社"))

        let batch = try await village.register().batch
        let lines = "--batch \(batch) --weight 1kg --price 1/斤 --batch \(batch) --weight 900kg --price 1/斤"
        let sale = try await errors("sale record \(lines) --channel 批发 --buyer 王")
        #expect(sale.hasPrefix("第 2 个 --weight："), "\(sale)")
        #expect(try await errors("tour site show 园").contains("taoyuan tour site list"))
        #expect(try await errors("batch show 99") == "<batch>：没有批次 99\n")
        #expect(try await errors("key retire --key-id 0000").hasPrefix("--key-id："))
        // What was not given by an option is told without one.
        let password = try await village.run(
            ["account", "create", "wu", "--role", "auditor"], input: "kurz\n", environment: chinese)
        #expect(password.status == 1 && password.errors.hasPrefix("密码须有"))
    }
}
