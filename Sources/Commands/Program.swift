import ArgumentParser
import Backend
import Documents
import Foundation
import Kernel
import Orchard

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: words("把数据库结构更新到最新；重复执行无妨。", "Brings the database's schema up to date; harmless twice."),
        discussion: "DATABASE_URL=postgres://owner@db/taoyuan taoyuan migrate")

    @OptionGroup var options: ProgramOptions

    func run() async throws {
        let configuration = try options.configuration()
        let applied = try await Interruption.watching {
            try await Backend.migrate(configuration, settingUp: SharedOptions.tellSettingUp)
        }
        let names = applied.map(\.description)
        if applied.first?.number == 1, let village = try await Backend.village(of: configuration) {
            Terminal.say(village.founded)
        }
        let text = names.isEmpty ? words("数据库结构已是最新", "the schema is up to date") : names.joined(separator: "\n")
        try options.show(["applied": .array(names.map { .string($0) })], text)
    }
}

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: words(
            "显示生效的配置和来源；机密以圆点代替。", "Prints what is in effect and where it comes from; secrets as dots."),
        discussion: "taoyuan config --village 老龙湾")

    @OptionGroup var options: SharedOptions

    private struct Line {
        let name: String
        let value: String
        let source: Configuration.Source
    }

    func run() async throws {
        let configuration = try options.configuration()
        var lines = configuration.effective.map {
            Line(name: $0.name, value: $0.value, source: configuration.source(of: $0.name))
        }
        do {
            let village = try await Interruption.watching { [village = options.village] in
                try await Backend.village(of: configuration, named: village)
            }
            if let village {
                let made = [
                    "TAOYUAN_VILLAGE": village.name, "TAOYUAN_BRAND": village.brand, "TAOYUAN_ORIGIN": village.origin,
                ]
                lines = lines.map { line in
                    made[line.name].map { Line(name: line.name, value: $0, source: .database) } ?? line
                }
                for (name, given, inEffect) in configuration.withoutEffect(in: village) {
                    Terminal.say(
                        words(
                            "\(name)=\(given) 不起作用：数据库建立时定为 \(inEffect)",
                            "\(name)=\(given) has no effect: the database was made with \(inEffect)"))
                }
            }
        } catch let refusal as Refusal {
            Terminal.say(
                words("没能从数据库读出村名、品牌和站点：", "the database can't be asked for village, brand and origin: ")
                    + refusal.message[.ofThisRun])
        }
        try options.show(
            .object(
                lines.map {
                    .init($0.name, ["value": .string($0.value), "from": .string($0.source.rawValue)])
                }),
            Table(
                [.left("设置", "setting"), .left("值", "value"), .left("来源", "from")],
                rows: lines.map { [$0.name, $0.value, $0.source.label[.ofThisRun]] }
            ).text)
    }
}

struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: words(
            "本机的服务能正常工作时退出码为 0，否则为 1 并说明原因。",
            "Exit status 0 when a server on this machine can serve, 1 and the reason when it can't."),
        discussion: "taoyuan health --port 8080")

    @OptionGroup var options: ProgramOptions
    @Option(
        help: .words(
            "服务的端口（默认 TAOYUAN_ADMIN_PORT、TAOYUAN_PORT 或 8080）。",
            "The server's port (default: TAOYUAN_ADMIN_PORT, TAOYUAN_PORT or 8080)."))
    var port: UInt16?

    func run() async throws {
        let configuration = try options.configuration()
        let port = port ?? UInt16(clamping: configuration.adminPort ?? configuration.port)
        let isAlive = Self.answers("/healthz", port: port)
        let isReady = isAlive && Self.answers("/readyz", port: port)
        if isAlive, !isReady {
            // The server tells nobody what is wrong; whoever may run this may know.
            Terminal.say(await Self.trouble(configuration))
        }
        try options.show(
            ["port": .integer(Int64(port)), "alive": .bool(isAlive), "ready": .bool(isReady)],
            isReady
                ? words("端口 \(port) 上的服务正常", "the server on port \(port) is well")
                : isAlive
                    ? words("端口 \(port) 上的服务不能正常工作", "the server on port \(port) can't serve")
                    : words("端口 \(port) 上没有服务应答", "no server answers on port \(port)"))
        guard isReady else { throw ExitCode.failure }
    }

    /// What is in the way, as seen from here.
    private static func trouble(_ configuration: Configuration) async -> String {
        do {
            return try await Interruption.watching {
                let county = try await County.open(configuration, for: .command)
                let outcome = await Result {
                    try await county.checkReady()
                    return try await county.villagesUnableToSign()
                }
                await county.close()
                return unable(try outcome.get())
            }
        } catch {
            return (error as? Refusal)?.message[.ofThisRun] ?? "\(type(of: error))"
        }
    }

    /// Villages that can't sign, the first of them by name.
    private static func unable(_ villages: [(village: Village, why: Refusal)]) -> String {
        guard !villages.isEmpty else {
            return words("从这里看不出原因，请看服务的日志", "nothing is wrong as seen from here: look into the server's log")
        }
        let names = villages.prefix(20).map { "\($0.village.name)：\($0.why.message[.ofThisRun])" }
        let rest = villages.count > names.count ? ["…"] : []
        return words("\(villages.count) 个村不能签发：", "villages that can't sign: \(villages.count)") + "\n"
            + (names + rest).joined(separator: "\n")
    }

    /// Whether a GET is answered with 200 within a few seconds.
    private static func answers(_ path: String, port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        let request = Array("GET \(path) HTTP/1.1\r\nHost: localhost:\(port)\r\nConnection: close\r\n\r\n".utf8)
        guard connected == 0, send(descriptor, request, request.count, 0) == request.count else { return false }
        var answer = [UInt8](repeating: 0, count: 64)
        let count = recv(descriptor, &answer, answer.count, 0)
        return count > 0 && String(decoding: answer.prefix(count), as: UTF8.self).hasPrefix("HTTP/1.1 200 ")
    }
}
