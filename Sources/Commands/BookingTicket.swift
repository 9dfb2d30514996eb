import ArgumentParser
import Backend
import Documents
import Kernel
import Signing
import Tours

struct BookingTicketCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ticket",
        abstract: words(
            "显示已确认预约的凭证，画出二维码或打印。", "Shows a confirmed booking's ticket, draws its QR symbol or prints it."),
        discussion: """
            taoyuan booking ticket 17 --qr png --output 17.png
            taoyuan booking ticket 17 --format html --output 17.html
            """)

    enum Drawing: String, ExpressibleByArgument, CaseIterable {
        case terminal, svg, png
    }

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, html
    }

    @OptionGroup var options: SharedOptions
    @Argument(help: .words("预约编号。", "The booking's number.")) var booking: Int64
    @Option(help: .words("画出二维码。", "Draw the QR symbol.")) var qr: Drawing?
    @Option(help: .words("html 写出供打印的页面（默认文字）。", "A page to print instead of text.")) var format = Format.text
    @Option(help: .words("写入的文件（默认标准输出）。", "The file to write to (default: standard output).")) var output: String?

    func validate() throws {
        guard qr == nil || format == .text else {
            throw ValidationError(words("--qr 与 --format 只能给一个。", "Give --qr or --format, not both."))
        }
        guard !options.json || qr == nil && format == .text else {
            throw ValidationError(words("--json、--qr、--format html 只能给一个。", "Give --json, or --qr, or --format html."))
        }
        guard output == nil || qr != nil || format == .html else {
            throw ValidationError(
                words("--output 须与 --qr 或 --format html 同用。", "--output goes with --qr or --format html."))
        }
        if qr == .png, output == nil, Terminal.showsOutput {
            throw ValidationError(
                words("PNG 不能显示在终端：请加 --output 文件。", "A PNG is not for a terminal: add --output FILE."))
        }
    }

    func run() async throws {
        let (ticket, village) = try await options.withBackend { backend in
            let store = TicketStore(backend.database, keys: backend.keys)
            let ticket = try await store.show(
                booking: booking, today: backend.clock.today, backend.local.scope)
            return (ticket, backend.village)
        }
        if format == .html {
            let page = try PrintedPages.ticket(ticket, village: village, language: options.language)
            return try Files.deliver(Array(page.utf8), to: output)
        }
        let symbol = try QRCode(url: ticket.url)
        guard let qr else {
            let drawn = Terminal.showsOutput && !options.json ? symbol.forTerminal : ""
            return try options.show(Shapes.ticket.json(ticket), drawn + Table(Shapes.ticket, of: ticket).text)
        }
        let bytes =
            switch qr {
            case .terminal: Array((output == nil ? symbol.forTerminal : symbol.terminal()).utf8)
            case .svg: Array(symbol.svg(title: ticket.url).utf8)
            case .png: try symbol.png()
            }
        try Files.deliver(bytes, to: output)
    }
}
