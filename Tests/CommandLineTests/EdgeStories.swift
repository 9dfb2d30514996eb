import Foundation
import Testing

/// Wrong usage, other circumstances, interruption.
@Suite struct EdgeStories {
    @Test(arguments: [
        [], ["--help"], ["help", "code", "verify"], ["batch"], ["--version"], ["--generate-completion-script", "bash"],
    ])
    func `help is given without a database`(arguments: [String]) async throws {
        let village = try Village()
        let outcome = try await village.run(arguments)
        #expect(outcome.status == 0 && !outcome.output.isEmpty && outcome.errors.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: village.file("data")))
    }

    @Test(arguments: [
        "foo", "batch foo", "batch list --limit 0", "household list --limit 0", "plot list --limit=-1",
        "batch list --limit x", "batch show", "batch show x",
        "batch register --plot D01", "batch register --plot D --variety V --grade G --weight 20",
        "batch register --plot D --variety V --grade G --weight 20kg --harvested 2025-02-30",
        "batch withdraw --batch 1 --kind sale --weight 1kg", "code show 1 --output f",
        "code show 1 --qr gif", "code show 1 --qr svg --json", "code verify X --offline",
        "code verify X --public-key f", "code verify X --origin h", "code revoke --batch 1 --reason r --serial 12",
        "import foo f", "import sales", "key create --algorithm rsa", "key retire --key-id 8a3",
        "sale record --batch 1 --weight 1kg --batch 2 --price 1/斤 --channel c --buyer b",
        "sale record --batch 1 --weight 1kg --price 1 --channel c --buyer b",
        "income summary --from 2025-01-01", "income summary --from 2025-01-01 --to 2025-01-02 --by foo",
        "income summary --from 2025-01-01 --to 2025-01-02 --by month,month",
        "income enter --source sales --memo m --amount 1", "income enter --source rent --memo m --amount 1.234",
        "token create --role king", "account create", "health --port 70000", "demo --json", "batch list --lang fr",
    ])
    func `wrong usage ends with 64 and touches nothing`(line: String) async throws {
        let village = try Village()
        let outcome = try await village.run(line.split(separator: " ").map(String.init))
        #expect(outcome.status == 64 && outcome.output.isEmpty && outcome.errors.contains("Error: "))
        #expect(!FileManager.default.fileExists(atPath: village.file("data")))
    }

    @Test(arguments: [
        (
            "sale record --batch 1 --weight 1kg --price 1/斤 --chanel c --buyer b",
            "'--chanel'. Did you mean '--channel'?"
        ),
        ("batch correct --harvested 2025-01-01 --batch 1 --reason r", "Unknown option '--harvested'"),
        (
            "sale record --batch 1 --weight 1kg --price 1/斤 --channel a --channel=b --buyer b",
            "'--channel' is given once"
        ),
        ("batch list --limit 5 --limit 6", "'--limit' is given once"),
    ])
    func `an option that is mistyped or given twice is named`(line: String, told: String) async throws {
        let village = try Village()
        let outcome = try await village.run(line.split(separator: " ").map(String.init))
        #expect(outcome.status == 64 && outcome.errors.contains(told), "\(outcome.errors)")
    }

    @Test(arguments: [
        (["batch", "register", "--picker", "张\u{1B}[2J三"], "--picker"),
        (["token", "create", "--name=a\r\nb"], "--name"),
        (["sale", "reverse", "1", "--reason", "a\nb"], "--reason"), (["account", "create", "li\u{7}"], "argument"),
        (["code", "revoke", "--batch", "1", "--reason", "a\u{9B}b"], "--reason"),
        (["booking", "request", "--note", "a\nb\u{1B}"], "--note"),
    ])
    func `control characters are refused in whatever is typed`(arguments: [String], field: String) async throws {
        let village = try Village()
        let outcome = try await village.run(arguments + ["--lang", "en"])
        #expect(outcome.status == 1 && outcome.output.isEmpty)
        #expect(outcome.errors == "\(field): must not contain control characters, such as a line break or ESC\n")
        #expect(!FileManager.default.fileExists(atPath: village.file("data")))
    }

    @Test func `refusals are one sentence in the user's language`() async throws {
        let village = try await Village.founded()
        let arguments = ["batch", "show", "17"]
        let chinese = "<batch>：没有批次 17\n"
        let english = "<batch>: there is no batch 17\n"
        for (environment, extra, expected) in [
            (["LANG": "zh_CN.UTF-8"], [], chinese), (["LANG": "C"], [], chinese), (["LANG": ""], [], chinese),
            (["LANG": "en_GB.UTF-8"], [], english), (["LANG": "en", "LC_ALL": "zh_CN"], [], chinese),
            (["LANG": "zh_CN"], ["--lang", "en"], english), (["LANG": "en"], ["--lang=zh"], chinese),
        ] as [([String: String], [String], String)] {
            let outcome = try await village.run(arguments + extra, environment: environment)
            #expect(outcome.status == 1 && outcome.output.isEmpty && outcome.errors == expected)
        }
        let setting = try await village.run(arguments, environment: ["TAOYUAN_PORT": "x"])
        #expect(setting.status == 1 && setting.errors.hasPrefix("TAOYUAN_PORT: "))
        let unreachable = ["DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "TAOYUAN_KEY_PASSPHRASE": "x"]
        let away = try await village.run(arguments, environment: unreachable)
        #expect(away.status == 1 && away.errors.split(separator: "\n").count == 1, "\(away.errors)")
    }

    @Test func `the configuration shows no secret`() async throws {
        let village = try Village()
        let secrets = [
            "DATABASE_URL": "postgres://a:hunter2@h/d", "TAOYUAN_KEY_PASSPHRASE": "hunter2", "TAOYUAN_PORT": "8181",
        ]
        for format in [[], ["--json"]] {
            let outcome = try await village.run(["config"] + format, environment: secrets)
            #expect(outcome.status == 0 && !outcome.output.contains("hunter2"))
            #expect(outcome.output.contains("8181") && outcome.output.contains("•••"))
        }
        #expect(try await village.run("health", "--port", "1").status == 1)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `an interrupted import records nothing and leaves no server behind`(signal: Int32) async throws {
        let village = try await Village.founded()
        for kind in ["households", "plots"] {
            try await village.run("import", kind, "\(Village.samples)/\(kind).csv")
        }
        var text = "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤\n"
        for number in 0..<300_000 { text += "B\(number),2023-07-01,韩村蟠桃专业合作社,D01,蟠桃,瑞蟠21号,特级,0.01\n" }
        let file = try village.write("big.csv", text)
        let running = try village.launch(Village.program, ["import", "harvest", file], input: "", environment: [:])
        // Its server runs, and of the register it has read a part.
        while try processes(of: village).count < 2 { try await Task.sleep(for: .milliseconds(50)) }
        try await Task.sleep(for: .seconds(2))
        running.signal(signal)
        let outcome = try await running.finish()
        #expect(outcome.status == 128 + signal && outcome.output.isEmpty, "\(outcome.errors)")
        #expect(try processes(of: village).isEmpty)
        #expect(try await village.run("batch", "list", "--json").output == "[]\n")
    }

    /// The processes that name the village's folder: its program and its server.
    private func processes(of village: Village) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { process in
            let words = Int(process) == nil ? nil : FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
            return String(decoding: words ?? Data(), as: UTF8.self).contains(village.folder)
        }
    }

    @Test func `migrating twice is harmless`() async throws {
        let village = try Village()
        func applied(_ environment: [String: String] = [:]) async throws -> [String]? {
            try await village.run(["migrate", "--json"], environment: environment).json()["applied"] as? [String]
        }
        let complete = [
            "TAOYUAN_VILLAGE": "老龙湾", "TAOYUAN_BRAND": "老龙湾", "TAOYUAN_ORIGIN": "trace.example.cn",
        ]
        #expect(try await applied(complete)?.first == "0001_orchard")
        #expect(try await applied()?.isEmpty == true)
    }

    @Test func `migrate founds no village of which it was told a part`() async throws {
        let village = try Village()
        let part = try await village.run(
            ["migrate"], environment: ["TAOYUAN_VILLAGE": "老龙湾", "TAOYUAN_ORIGIN": "llw.example.cn"])
        #expect(part.status == 1 && part.errors.contains("TAOYUAN_BRAND"), "\(part.errors)")
        #expect(!part.errors.contains("TAOYUAN_VILLAGE"))
        #expect(!FileManager.default.fileExists(atPath: village.folder + "/data"))
        let whole = try await village.run(
            ["migrate"],
            environment: [
                "TAOYUAN_VILLAGE": "老龙湾", "TAOYUAN_BRAND": "湾里", "TAOYUAN_ORIGIN": "llw.example.cn",
            ])
        #expect(whole.status == 0 && whole.errors.contains("founded 老龙湾 (brand 湾里)"), "\(whole.errors)")
    }

    @Test func `the demo is for the sample village alone`() async throws {
        let village = try Village()
        #expect(
            try await village.run("init", "--village", "老龙湾", "--brand", "湾里", "--origin", "llw.example.cn").status == 0
        )
        let demo = try await village.run("demo")
        #expect(demo.status == 1 && demo.errors.contains("老龙湾 is not the sample village"), "\(demo.errors)")
        #expect(try await village.run("batch", "list", "--json").output == "[]\n")
    }

    @Test func `what concerns the whole database takes no village`() async throws {
        let village = try Village()
        for command in [["backup", "x.taoyuan"], ["restore", "x.taoyuan"], ["migrate"], ["health"], ["jobs", "run"]] {
            let refused = try await village.run(command + ["--village", "韩村"], environment: [:])
            #expect(refused.status == 64 && refused.errors.contains("--village"), "\(command): \(refused.errors)")
        }
    }

    @Test func `a data folder and a database are not both taken`() async throws {
        let village = try await Village.founded(origin: "trace.example.cn")
        let both = try await village.run(
            ["batch", "list", "--data-dir", village.folder + "/data"],
            environment: ["DATABASE_URL": "postgres://owner@localhost:1/other"])
        #expect(both.status == 1 && both.errors.contains("DATABASE_URL"), "\(both.errors)")
    }
}
