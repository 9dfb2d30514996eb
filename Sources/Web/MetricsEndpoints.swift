import Backend
import Documents
import HTTPTypes
import Kernel
import Telemetry

extension Site {
    /// What is measured, for Prometheus. It tells strangers nothing: where it has no port of its own, whoever asks is at
    /// this machine, and is no proxy that asks for somebody else.
    var metricsEndpoints: [Endpoint] {
        [
            Endpoint(
                .get, "/metrics", "What is measured, for Prometheus", access: .anyone, isDocumented: false,
                isOfAnyHost: true
            ) { call in
                let isForwarded = call.headers.contains { field in
                    let name = field.name.canonicalName
                    return name == "forwarded" || name == "via" || name.hasPrefix("x-forwarded-") || name == "x-real-ip"
                }
                guard backend.configuration.adminPort != nil || call.client.isThisMachine && !isForwarded else {
                    throw Refusal.noSuchPage
                }
                await backend.county.measure()
                return .bytes(Registry.shared.page.utf8, "text/plain; version=0.0.4; charset=utf-8")
            }
        ]
    }
}
