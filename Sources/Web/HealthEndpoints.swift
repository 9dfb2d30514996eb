import Documents
import Hummingbird
import Kernel
import Logging
import NIOCore
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
        guard let port = backend.configuration.adminPort else { return [] }
        var settings = settings
        settings.port = port
        settings.connections = 16
        settings.connectionsPerClient = 0
        return [AdminServer(settings: settings, site: adminSite, logger: logger)]
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
        do {
            try await makeApplication(settings, site: site, logger: logger).run()
        } catch let error as IOError {
            throw cannotListen(error.errnoCode, settings: settings)?.renamed(field: "TAOYUAN_ADMIN_PORT") ?? error
        }
    }
}
