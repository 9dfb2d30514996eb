import ArgumentParser
import Backend
import Documents
import Kernel
import Tours

struct TourProgrammeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "programme", abstract: words("研学课程。", "What study tours offer."),
        subcommands: [Add.self, List.self, Show.self, Change.self, Extra.self, RemoveExtra.self])

    /// By which rules it is booked; what is not given stays as it is.
    struct Rules: ParsableArguments {
        @Option(help: .words("语言，每个两个字母：zh,en。", "Two letters each: zh,en.")) var languages: String?
        @Option(help: .words("团队最少人数。", "The smallest group.")) var minGroup: Int?
        @Option(help: .words("团队最多人数。", "The largest group.")) var maxGroup: Int?
        @Option(help: .words("申请的名额保留多少分钟。", "For how many minutes a request keeps its seats.")) var holdMinutes: Int?
        @Option(
            help: .words("开始前多少小时以内不能再改预约。", "Until how many hours before its start a group may change its booking."))
        var changeHours: Int?
        @Option(help: .words("开始前多少小时以内取消要收费。", "Until how many hours before its start cancelling costs nothing."))
        var freeCancelHours: Int?
        @Option(help: .words("逾期取消收取费用的百分之几。", "Per cent of the fee that cancelling later costs.")) var lateFee: Int?
        @Option(help: .words("未到的团队收取费用的百分之几。", "Per cent of the fee that is kept of a group that does not come."))
        var noShowFee: Int?

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
            abstract: words("添加课程。", "Adds a programme."),
            discussion: #"""
                taoyuan tour programme add 蟠桃采摘与农耕研学 --minutes 150 --price 68 --min-group 10 \
                  --max-group 60 --late-fee 30 --no-show-fee 50
                """#)

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("名称。", "Its name.")) var name: String
        @Option(help: .words("一次参观多少分钟。", "How many minutes a visit takes.")) var minutes: Int
        @Option(help: .words("每人多少元。", "Yuan a head."), transform: reading(Money.init(yuan:))) var price: Money
        @OptionGroup var rules: Rules

        func run() async throws {
            var details = TourProgramme.Details(name: name, minutes: minutes, price: price)
            rules.apply(to: &details)
            let plan = ProgrammeStore.add(details)
            try await options.change(Shapes.tourProgramme) { _ in plan }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出课程。", "Lists the programmes."), discussion: "taoyuan tour programme list")

        @OptionGroup var options: SharedOptions

        func run() async throws {
            try options.show(try await options.read { try await ProgrammeStore($0).list($1) }, Shapes.tourProgramme)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("显示课程、规定和附加项目。", "Shows a programme, its rules and its extras."),
            discussion: "taoyuan tour programme show 蟠桃采摘与农耕研学")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("名称。", "Its name.")) var name: String

        func run() async throws {
            let found = try await options.read { try await ProgrammeStore($0).show(name, $1) }
            try options.show(found, Shapes.tourProgramme)
        }
    }

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "更改课程；已有的预约和场次保持原来的价格和时长。",
                "Changes a programme; bookings and sessions that are there keep their price and length."),
            discussion: "taoyuan tour programme change 蟠桃采摘与农耕研学 --price 72")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("名称。", "Its name.")) var name: String
        @Option(help: .words("新名称。", "Another name.")) var rename: String?
        @Option(help: .words("一次参观多少分钟。", "How many minutes a visit takes.")) var minutes: Int?
        @Option(help: .words("每人多少元。", "Yuan a head."), transform: reading(Money.init(yuan:))) var price: Money?
        @OptionGroup var rules: Rules

        func validate() throws {
            guard rename != nil || minutes != nil || price != nil || !rules.isEmpty else {
                throw ValidationError(words("请说明改什么，如 --price。", "Say what changes, such as --price."))
            }
        }

        func run() async throws {
            try await options.change(Shapes.tourProgramme) { _ in
                ProgrammeStore.change(name) { details in
                    if let rename { details.name = rename }
                    if let minutes { details.minutes = minutes }
                    if let price { details.price = price }
                    rules.apply(to: &details)
                }
            }
        }
    }

    struct Extra: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "添加附加项目：用餐按人，伴手礼按件，采摘按斤。", "Adds an extra: a meal a head, a gift a piece, or picking by the 斤."),
            discussion: "taoyuan tour programme extra 蟠桃采摘与农耕研学 --kind meal --name 农家午餐 --price 35")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("课程名称。", "The programme's name.")) var programme: String
        @Option(
            help: .words("meal（用餐）、picking（采摘）或 gift（伴手礼）。", "meal (用餐), picking (采摘) or gift (伴手礼)."),
            transform: reading(TourExtra.Kind.init(named:)))
        var kind: TourExtra.Kind
        @Option(help: .words("名称。", "Its name.")) var name: String
        @Option(help: .words("每人、每斤或每件多少元。", "Yuan a head, a 斤 or a piece."), transform: reading(Money.init(yuan:)))
        var price: Money

        func run() async throws {
            try await options.change(Shapes.tourProgramme) { _ in
                ProgrammeStore.addExtra(TourExtra(kind: kind, name: name, price: price), to: programme)
            }
        }
    }

    struct RemoveExtra: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("去掉没有预约用到的附加项目。", "Removes an extra that no booking has."),
            discussion: "taoyuan tour programme remove-extra 蟠桃采摘与农耕研学 --name 农家午餐")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("课程名称。", "The programme's name.")) var programme: String
        @Option(help: .words("附加项目名称。", "The extra's name.")) var name: String

        func run() async throws {
            try await options.change(Shapes.tourProgramme) { _ in ProgrammeStore.removeExtra(name, from: programme) }
        }
    }
}
