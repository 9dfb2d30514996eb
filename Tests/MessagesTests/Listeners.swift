import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// A real SMTP server (Python's aiosmtpd) or HTTP listener on loopback, which keeps what it is sent in files.
final class Listener: Sendable {
    /// What arrived, in its order.
    struct Delivery: Decodable, Sendable {
        let to: [String]
        let sender: String
        /// Of the mail or request, in lower case.
        let headers: [String: String]
        let subject: String
        let body: String
        let login: String
    }

    enum Kind: String {
        case smtp, http
    }

    private static let program = """
        import asyncio, base64, email, email.policy, http.server, json, os, sys
        kind, folder, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
        count = 0

        def keep(**record):
            global count
            count += 1
            name = os.path.join(folder, "%06d.json" % count)
            with open(name + ".part", "w") as file: json.dump(record, file)
            os.rename(name + ".part", name)

        def setting(name):
            try:
                with open(os.path.join(folder, name)) as file: return file.read()
            except FileNotFoundError: return ""

        def ready(port):
            with open(os.path.join(folder, "port.part"), "w") as file: file.write(str(port))
            os.rename(os.path.join(folder, "port.part"), os.path.join(folder, "port"))

        class Mail:
            async def handle_RCPT(self, server, session, envelope, address, options):
                answer = setting("refuse")
                if answer: return answer
                envelope.rcpt_tos.append(address)
                return "250 OK"

            async def handle_DATA(self, server, session, envelope):
                message = email.message_from_bytes(envelope.content, policy=email.policy.default)
                answer = setting("reply")
                if answer: return answer
                keep(to=envelope.rcpt_tos, sender=envelope.mail_from, subject=str(message["subject"]),
                    headers={k.lower(): str(v) for k, v in message.items()}, body=message.get_content(),
                    login=str(session.auth_data or ""))
                delay = setting("delay").split()
                if delay and envelope.rcpt_tos[0].endswith(delay[1]): await asyncio.sleep(float(delay[0]))
                return "250 kept"

        async def mail():
            from aiosmtpd.smtp import SMTP, AuthResult
            def check(server, session, envelope, mechanism, data):
                text = (data.login + b":" + data.password).decode()
                return AuthResult(success=text == setting("login"), handled=False, auth_data=text)
            wants = bool(setting("login"))
            make = lambda: SMTP(Mail(), authenticator=check, auth_require_tls=False, auth_required=wants)
            server = await asyncio.get_running_loop().create_server(make, "0.0.0.0", port)
            ready(server.sockets[0].getsockname()[1])
            await server.serve_forever()

        class Hook(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                answer = setting("reply")
                if not answer:
                    keep(to=[self.path], sender="", subject="", headers={k.lower(): v for k, v in self.headers.items()},
                        body=text, login="")
                self.send_response(int(answer or 200))
                self.send_header("Content-Length", "0")
                self.end_headers()
            def log_message(self, *words): pass

        if kind == "smtp": asyncio.run(mail())
        else:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Hook)
            ready(server.server_port)
            server.serve_forever()
        """

    let port: Int
    private let folder: String
    private let process: Process

    /// - Parameters:
    ///   - port: 0 for any.
    ///   - login: `user:password` that is asked for.
    init(_ kind: Kind, port: Int = 0, login: String? = nil) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/taoyuan-listener-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        if let login { try Data(login.utf8).write(to: URL(filePath: folder + "/login")) }
        let process = Process()
        // Debian's own, which finds Debian's packages.
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = ["-c", Self.program, kind.rawValue, folder, "\(port)"]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        self.folder = folder
        self.process = process
        let file = folder + "/port"
        try await awaitCondition("the listener's start") { FileManager.default.fileExists(atPath: file) }
        self.port = try #require(Int(String(contentsOfFile: file, encoding: .utf8)))
    }

    /// Kills it, and waits until its port is free.
    func stop() async throws {
        kill(process.processIdentifier, SIGKILL)
        try await awaitCondition("the listener's end") { !process.isRunning }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// From now on it answers so; nil takes what comes again.
    func reply(_ text: String?) throws {
        let file = URL(filePath: folder + "/reply")
        if let text { try Data(text.utf8).write(to: file) } else { try FileManager.default.removeItem(at: file) }
    }

    /// From now on it refuses every recipient so.
    func refuse(_ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: folder + "/refuse"))
    }

    /// From now on mails to a host keep it busy for so long.
    func delay(seconds: Double, to host: String) throws {
        try Data("\(seconds) \(host)".utf8).write(to: URL(filePath: folder + "/delay"))
    }

    var deliveries: [Delivery] {
        get throws {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".json") }
            return try names.sorted().map { name in
                try JSONDecoder().decode(Delivery.self, from: Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
            }
        }
    }
}
