import ArgumentParser
import Backend
import Batches
import Codes
import Database
import Documents
import Foundation
import Income
import Kernel
import Orchard
import Sales
import Signing

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: words(
            "载入示范村，演示从采收到收入的全过程。",
            "Loads the sample village and walks through the main job, from a harvest to its income."),
        discussion: "taoyuan demo --data-dir /tmp/taoyuan-demo")

    @OptionGroup var options: SharedOptions

    func validate() throws {
        guard !options.json else {
            throw ValidationError(words("演示是给人看的，没有 --json。", "The demo talks to people: it has no --json."))
        }
    }

    func run() async throws {
        let founding = try Founding.sample(at: options.configuration().origin)
        try await options.withBackend(founding: founding) { backend in
            try await SampleVillage.load(into: backend)
            try await Walk(backend: backend).run()
        }
    }
}

/// The main job, step by step, each with the command that a person would type.
private struct Walk {
    let backend: Backend

    func run() async throws {
        let code = try await register()
        try await verify(code)
        try verifyOffline(code)
        try await forge(code)
        try await sell(code.batch)
        try await oversell(code.batch)
        try await sumUp()
        Terminal.say(words("到此完成。接着可运行 taoyuan serve", "That was all. Go on with: taoyuan serve"))
    }

    private var database: CodeStore { CodeStore(backend.database, keys: backend.keys) }

    /// A small harvest of today, from the first plot that has room for it.
    private func register() async throws -> IssuedCode {
        let orchard = OrchardStore(backend.database)
        let scope = SampleVillage.scope(of: backend)
        let today = backend.clock.today
        let products = try await orchard.products(scope)
        let grade = try await orchard.grades(scope).first?.name ?? ""
        var full: Refusal?
        for plot in try await orchard.plots(scope) {
            let variety = products.first { $0.id == plot.productID }?.varieties.last?.name ?? ""
            let harvest = Harvest(
                plot: plot.number, product: nil, variety: variety, grade: grade, day: today,
                weight: Weight(grams: 20_000), picker: nil)
            do {
                let code = try await backend.database.change(scope, database.register(harvest, today: today))
                try heading(
                    words("登记一次采收，得到批次和它的溯源码", "Register a harvest: a batch with its signed code"),
                    "batch register --plot \(plot.number) --variety \(variety) --grade \(grade) --harvested \(today) "
                        + "--weight 20kg")
                try Terminal.print(try QRCode(url: code.url).forTerminal + code.text)
                return code
            } catch let refusal as Refusal where refusal.code == "over-ceiling" {
                full = refusal
            }
        }
        throw full
            ?? Refusal(.conflict, "no-plots", zh: "还没有地块，请先导入", en: "there are no plots yet: import them first")
    }

    private func verify(_ code: IssuedCode) async throws {
        try heading(words("买家扫码查验", "A buyer verifies it"), "code verify \(shortened(code.url))")
        try show(try await backend.verification.verify(code.payload))
    }

    private func verifyOffline(_ code: IssuedCode) throws {
        guard let key = backend.keys[code.signed.body.keyID] else {
            throw SigningKeyStore.unknownKey(code.signed.body.keyID.hex)
        }
        try heading(
            words("不问服务器，只凭公钥查验", "Anybody verifies it with the public key alone"),
            "key export --key-id \(key.id) --format pem --output key.pem",
            "code verify \(shortened(code.url)) --offline --public-key key.pem --origin \(code.origin)")
        try show(
            CodeRules.verifyOffline(
                code.payload, keys: try PublicKey.all(in: key.publicKey.pem), origin: code.origin,
                today: backend.clock.today))
    }

    /// The last character but one: all of its bits belong to the signature.
    private func forge(_ code: IssuedCode) async throws {
        var letters = Array(code.payload)
        let place = letters.count - 2
        letters[place] = letters[place] == "A" ? "B" : "A"
        let copy = String(letters)
        try heading(
            words("改动一个字符的仿品", "A copy with one character changed"),
            "code verify \(shortened(code.origin.url(payload: copy)))")
        try show(try await backend.verification.verify(copy))
    }

    private func sell(_ batch: Int64) async throws {
        let channel = "批发"
        let buyer = words("王老板", "Wang")
        try heading(
            words("卖出一部分", "Sell some of it"),
            "sale record --batch \(batch) --weight 15kg --price 8.50/斤 --channel \(channel) --buyer \(buyer)")
        let sale = try await backend.database.change(
            SampleVillage.scope(of: backend), plan(batch, "15kg", channel: channel, buyer: buyer))
        try Terminal.print(sale.text)
    }

    private func oversell(_ batch: Int64) async throws {
        let channel = "批发"
        let buyer = words("李大姐", "Li")
        try heading(
            words("再卖就超过采收的重量", "Selling more than was harvested"),
            "sale record --batch \(batch) --weight 15kg --price 8.50/斤 --channel \(channel) --buyer \(buyer)")
        do {
            _ = try await backend.database.change(
                SampleVillage.scope(of: backend), plan(batch, "15kg", channel: channel, buyer: buyer))
        } catch let refusal as Refusal {
            try Terminal.print(Terminal.mark(refusal.message[.ofThisRun], good: false))
        }
    }

    private func plan(_ batch: Int64, _ weight: String, channel: String, buyer: String) throws -> Plan<Sale> {
        let today = backend.clock.today
        let line = NewSale.Line(batch: batch, weight: try Weight(weight), price: try Price("8.50/斤"))
        let sale = NewSale(number: nil, day: today, channel: channel, buyer: buyer, paidHow: nil, lines: [line])
        return SaleStore.record(sale, today: today)
    }

    private func sumUp() async throws {
        let today = backend.clock.today
        guard let from = CivilDay(year: today.year - 1, month: 1, day: 1) else { return }
        try heading(
            words("去年和今年的收入", "The income of last year and this"),
            "income summary --from \(from) --to \(today) --by source,cooperative")
        let summary = try await IncomeRowStore(backend.database).summary(
            from: from, to: today, by: [.source, .cooperative], SampleVillage.scope(of: backend))
        try Terminal.print(summary.table.text)
    }

    private func show(_ verdict: Verdict) throws {
        try Terminal.print(SeenLabel(verdict, origin: backend.keys.origin, of: backend.village).text)
    }

    private func heading(_ title: String, _ commands: String...) throws {
        try Terminal.print("\n" + Terminal.bold("■ \(title)"))
        for command in commands { try Terminal.print("  $ taoyuan \(command)") }
        try Terminal.print("")
    }

    private func shortened(_ url: String) -> String { url.prefix(url.count - 112) + "…" + url.suffix(8) }
}
