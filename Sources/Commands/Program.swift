import ArgumentParser
import Backend
import Documents
import Foundation
import Kernel

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: words("把数据库结构更新到最新；重复执行无妨。", "Brings the database's schema up to date; harmless twice."),
        discussion: "DATABASE_URL=postgres://owner@db/taoyuan taoyuan migrate")

    @OptionGroup var options: SharedOptions

    func run() async throws {
        let configuration = try options.configuration()
        let applied = try await Interruption.watching {
            try await Backend.migrate(configuration, settingUp: SharedOptions.tellSettingUp)
        }
        let names = applied.map(\.description)
        let text = names.isEmpty ? words("数据库结构已是最新", "the schema is up to date") : names.joined(separator: "\n")
        try options.show(["applied": .array(names.map { .string($0) })], text)
    }
}

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: words("显示生效的配置；机密以圆点代替。", "Prints the effective configuration; secrets as dots."),
        discussion: "taoyuan config")

    @OptionGroup var options: SharedOptions

    func run() throws {
        let effective = try options.configuration().effective
        try options.show(
            .object(effective.map { .init($0.name, .string($0.value)) }),
            Table(facts: effective.map { ($0.name, $0.value) }).text)
    }
}

struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: words(
            "本机的服务正常时退出码为 0，否则为 1。", "Exit status 0 when a server on this machine is alive, 1 when it is not."),
        discussion: "taoyuan health --port 8080")

    @OptionGroup var options: SharedOptions
    @Option(
        help: .words(
            "服务的端口（默认 TAOYUAN_ADMIN_PORT、TAOYUAN_PORT 或 8080）。",
            "The server's port (default: TAOYUAN_ADMIN_PORT, TAOYUAN_PORT or 8080)."))
    var port: UInt16?

    func run() throws {
        let configuration = try options.configuration()
        let port = port ?? UInt16(clamping: configuration.adminPort ?? configuration.port)
        let alive = Self.answers(port: port)
        try options.show(
            ["port": .integer(Int64(port)), "alive": .bool(alive)],
            alive
                ? words("端口 \(port) 上的服务正常", "the server on port \(port) is alive")
                : words("端口 \(port) 上没有服务应答", "no server answers on port \(port)"))
        guard alive else { throw ExitCode.failure }
    }

    /// Whether `GET /healthz` is answered with 200 within a few seconds.
    private static func answers(port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var patience = timeval(tv_sec: 3, tv_usec: 0)
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
        let request = Array("GET /healthz HTTP/1.1\r\nHost: localhost:\(port)\r\nConnection: close\r\n\r\n".utf8)
        guard connected == 0, send(descriptor, request, request.count, 0) == request.count else { return false }
        var answer = [UInt8](repeating: 0, count: 64)
        let count = recv(descriptor, &answer, answer.count, 0)
        return count > 0 && String(decoding: answer.prefix(count), as: UTF8.self).hasPrefix("HTTP/1.1 200 ")
    }
}
