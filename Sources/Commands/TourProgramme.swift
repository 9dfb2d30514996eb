import ArgumentParser
import Backend
import Documents
import Kernel
import Tours

struct TourProgrammeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "programme", abstract: "What study tours offer.",
        subcommands: [Add.self, List.self, Show.self, Change.self, Extra.self, RemoveExtra.self])

    /// By which rules it is booked; what is not given stays as it is.
    struct Rules: ParsableArguments {
        @Option(help: "Two letters each: zh,en.") var languages: String?
        @Option(help: "The smallest group.") var minGroup: Int?
        @Option(help: "The largest group.") var maxGroup: Int?
        @Option(help: "For how many minutes a request keeps its seats.") var holdMinutes: Int?
        @Option(help: "Until how many hours before its start a group may change its booking.") var changeHours: Int?
        @Option(help: "Until how many hours before its start cancelling costs nothing.") var freeCancelHours: Int?
        @Option(help: "Per cent of the fee that cancelling later costs.") var lateFee: Int?
        @Option(help: "Per cent of the fee that is kept of a group that does not come.") var noShowFee: Int?

        var isEmpty: Bool {
            languages == nil && minGroup == nil && maxGroup == nil && holdMinutes == nil && changeHours == nil
                && freeCancelHours == nil && lateFee == nil && noShowFee == nil
        }

        func apply(to details: inout TourProgramme.Details) {
            if let languages {
                details.languages = languages.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
            }
            if let minGroup { details.minGroup = minGroup }
            if let maxGroup { details.maxGroup = maxGroup }
            if let holdMinutes { details.holdMinutes = holdMinutes }
            if let changeHours { details.changeHours = changeHours }
            if let freeCancelHours { details.freeCancelHours = freeCancelHours }
            if let lateFee { details.lateFeePercent = lateFee }
            if let noShowFee { details.noShowFeePercent = noShowFee }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a programme.",
            discussion: #"""
                taoyuan tour programme add 蟠桃采摘与农耕研学 --minutes 150 --price 68 --min-group 10 \
                  --max-group 60 --late-fee 30 --no-show-fee 50
                """#)

        @OptionGroup var options: SharedOptions
        @Argument(help: "Its name.") var name: String
        @Option(help: "How many minutes a visit takes.") var minutes: Int
        @Option(help: "Yuan a head.", transform: reading(Money.init(yuan:))) var price: Money
        @OptionGroup var rules: Rules

        func run() async throws {
            let programme = try await options.withBackend { backend in
                var details = TourProgramme.Details(name: name, minutes: minutes, price: price)
                rules.apply(to: &details)
                return try await backend.database.change(backend.local.scope, ProgrammeStore.add(details))
            }
            try options.show(programme.json, Table(facts: programme.facts).text)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the programmes.", discussion: "taoyuan tour programme list")

        @OptionGroup var options: SharedOptions

        func run() async throws {
            let programmes = try await options.withBackend { backend in
                try await ProgrammeStore(backend.database).list(backend.local.scope)
            }
            try options.show(
                programmes, json: \.json,
                [
                    .left("课程", "programme"), .right("时长（分）", "minutes"), .right("每人（元）", "yuan a head"),
                    .left("人数", "group"), .left("语言", "languages"), .left("附加项目", "extras"),
                ]
            ) { programme in
                let details = programme.details
                return [
                    programme.name, "\(details.minutes)", details.price.yuan, "\(details.minGroup)–\(details.maxGroup)",
                    details.languages.joined(separator: ","),
                    programme.extras.map(\.name).joined(separator: words("、", ", ")),
                ]
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a programme, its rules and its extras.",
            discussion: "taoyuan tour programme show 蟠桃采摘与农耕研学")

        @OptionGroup var options: SharedOptions
        @Argument(help: "Its name.") var name: String

        func run() async throws {
            let programme = try await options.withBackend { backend in
                try await ProgrammeStore(backend.database).show(name, backend.local.scope)
            }
            try options.show(programme.json, Table(facts: programme.facts).text)
        }
    }

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes a programme; bookings and sessions that are there keep their price and length.",
            discussion: "taoyuan tour programme change 蟠桃采摘与农耕研学 --price 72")

        @OptionGroup var options: SharedOptions
        @Argument(help: "Its name.") var name: String
        @Option(help: "Another name.") var rename: String?
        @Option(help: "How many minutes a visit takes.") var minutes: Int?
        @Option(help: "Yuan a head.", transform: reading(Money.init(yuan:))) var price: Money?
        @OptionGroup var rules: Rules

        func validate() throws {
            guard rename != nil || minutes != nil || price != nil || !rules.isEmpty else {
                throw ValidationError("Say what changes, such as --price.")
            }
        }

        func run() async throws {
            let programme = try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope,
                    ProgrammeStore.change(name) { details in
                        if let rename { details.name = rename }
                        if let minutes { details.minutes = minutes }
                        if let price { details.price = price }
                        rules.apply(to: &details)
                    })
            }
            try options.show(programme.json, Table(facts: programme.facts).text)
        }
    }

    struct Extra: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds an extra: a meal a head, a gift a piece, or picking by the 斤.",
            discussion: "taoyuan tour programme extra 蟠桃采摘与农耕研学 --kind meal --name 农家午餐 --price 35")

        @OptionGroup var options: SharedOptions
        @Argument(help: "The programme's name.") var programme: String
        @Option(help: "meal (用餐), picking (采摘) or gift (伴手礼).", transform: reading(TourExtra.Kind.init(named:)))
        var kind: TourExtra.Kind
        @Option(help: "Its name.") var name: String
        @Option(help: "Yuan a head, a 斤 or a piece.", transform: reading(Money.init(yuan:))) var price: Money

        func run() async throws {
            let changed = try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope,
                    ProgrammeStore.addExtra(TourExtra(kind: kind, name: name, price: price), to: programme))
            }
            try options.show(changed.json, Table(facts: changed.facts).text)
        }
    }

    struct RemoveExtra: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes an extra that no booking has.",
            discussion: "taoyuan tour programme remove-extra 蟠桃采摘与农耕研学 --name 农家午餐")

        @OptionGroup var options: SharedOptions
        @Argument(help: "The programme's name.") var programme: String
        @Option(help: "The extra's name.") var name: String

        func run() async throws {
            let changed = try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope, ProgrammeStore.removeExtra(name, from: programme))
            }
            try options.show(changed.json, Table(facts: changed.facts).text)
        }
    }
}

extension TourProgramme {
    var json: JSON {
        [
            "programme": .string(name), "minutes": JSON(details.minutes), "price": JSON(details.price),
            "languages": .array(details.languages.map { .string($0) }), "minGroup": JSON(details.minGroup),
            "maxGroup": JSON(details.maxGroup), "holdMinutes": JSON(details.holdMinutes),
            "changeHours": JSON(details.changeHours), "freeCancelHours": JSON(details.freeCancelHours),
            "lateFeePercent": JSON(details.lateFeePercent), "noShowFeePercent": JSON(details.noShowFeePercent),
            "extras": .array(
                extras.map { extra in
                    [
                        "extra": extra.id.map { JSON($0) } ?? .null, "kind": .string(extra.kind.rawValue),
                        "name": .string(extra.name), "price": JSON(extra.price),
                    ]
                }),
            "version": JSON(version),
        ]
    }

    var facts: [(name: String, value: String?)] {
        [
            (words("课程", "programme"), name),
            (words("时长", "takes"), words("\(details.minutes) 分钟", "\(details.minutes) minutes")),
            (words("每人", "a head"), words("\(details.price.yuan) 元", "\(details.price.yuan) yuan")),
            (words("语言", "languages"), details.languages.joined(separator: ",")),
            (words("团队人数", "group"), "\(details.minGroup)–\(details.maxGroup)"),
            (
                words("保留名额", "seats kept"), words("\(details.holdMinutes) 分钟", "\(details.holdMinutes) minutes")
            ),
            (
                words("可改期", "changes"),
                words("开始前 \(details.changeHours) 小时", "until \(details.changeHours) hours before")
            ),
            (
                words("免费取消", "free cancelling"),
                words("开始前 \(details.freeCancelHours) 小时", "until \(details.freeCancelHours) hours before")
            ),
            (words("逾期取消收取", "later cancelling costs"), "\(details.lateFeePercent)%"),
            (words("未到收取", "not coming costs"), "\(details.noShowFeePercent)%"),
        ]
            + extras.map {
                (
                    $0.kind.label[.ofThisRun],
                    words("\($0.name) \($0.price.yuan) 元", "\($0.name) \($0.price.yuan) yuan")
                )
            }
    }
}
