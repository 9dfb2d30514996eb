import Documents
import Hummingbird
import Kernel
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

extension Site {
    /// What those ask who run the program: on a port of their own where there is one.
    var adminEndpoints: [Endpoint] {
        let state = Schema.object([Field("status", .enumeration(["ok"]))])
        let ok = JSON.object([.init("status", "ok")]).bytes
        return [
            Endpoint(
                .get, "/healthz", "Whether the program is alive", access: .anyone,
                outcomes: [.init(200, "Alive", state)], isOfAnyHost: true
            ) { _ in .bytes(ok, "application/json") },
            Endpoint(
                .get, "/readyz", "Whether the database answers and its schema fits", access: .anyone,
                outcomes: [.init(200, "Ready", state)], isOfAnyHost: true
            ) { _ in
                guard await sites.readiness.isReady() else {
                    throw Refusal(.unavailable, "not-ready", zh: "暂未就绪，请稍后再试", en: "not ready; try again shortly")
                }
                return .bytes(ok, "application/json")
            },
        ] + metricsEndpoints
    }

    /// The server on the port of those who run the program, if they have one.
    func adminServer(_ settings: ServerSettings, _ logger: Logger) -> [any Service] {
        guard let admin = adminSettings(settings) else { return [] }
        return [AdminServer(settings: admin, site: adminSite, logger: logger)]
    }

    /// Finds out whether its port is free before anything is served: what fails afterwards ends the other server, too.
    func checkAdminPort(_ settings: ServerSettings) async throws {
        guard let admin = adminSettings(settings) else { return }
        try await refusingAdminPort(admin) {
            try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: admin.host, port: admin.port).get().close()
        }
    }

    func adminSettings(_ settings: ServerSettings) -> ServerSettings? {
        guard let port = backend.configuration.adminPort else { return nil }
        var settings = settings
        settings.host = backend.configuration.adminHost
        settings.port = port
        settings.connections = 16
        settings.connectionsPerClient = 0
        return settings
    }

    private var adminSite: WebSite {
        var site = webSite
        site.endpoints = adminEndpoints
        return site
    }
}

private struct AdminServer: Service {
    let settings: ServerSettings
    let site: WebSite
    let logger: Logger

    func run() async throws {
        try await refusingAdminPort(settings) { try await makeApplication(settings, site: site, logger: logger).run() }
    }
}

private func refusingAdminPort(_ settings: ServerSettings, _ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as IOError {
        guard let refusal = cannotListen(error.errnoCode, settings: settings) else { throw error }
        throw refusal.renamed(field: refusal.field == "host" ? "TAOYUAN_ADMIN_HOST" : "TAOYUAN_ADMIN_PORT")
    } catch is SocketAddressError.UnknownHost {
        throw addressNotHere(settings).renamed(field: "TAOYUAN_ADMIN_HOST")
    }
}
