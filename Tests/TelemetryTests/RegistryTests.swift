import CoreMetrics
import Foundation
import Testing

@testable import Telemetry

@Suite struct RegistryTests {
    @Test func `the page is what Prometheus reads`() {
        let registry = Registry([
            "asked_total": .init("Asked."), "asked_seconds": .init("How long.", bounds: [0.1, 1]),
        ])
        Counter(label: "asked_total", dimensions: [("route", "/b")], factory: registry).increment()
        Counter(label: "asked_total", dimensions: [("route", "/a\"\\\n")], factory: registry).increment(by: 2)
        Counter(label: "asked_total", dimensions: [("route", "/b")], factory: registry).increment()
        let timer = Timer(label: "asked_seconds", factory: registry)
        for milliseconds in [50, 100, 250, 2100] as [Int64] { timer.recordNanoseconds(milliseconds * 1_000_000) }
        Meter(label: "waiting", factory: registry).set(1.5)
        #expect(
            registry.page == """
                # HELP asked_seconds How long.
                # TYPE asked_seconds histogram
                asked_seconds_bucket{le="0.1"} 2
                asked_seconds_bucket{le="1"} 3
                asked_seconds_bucket{le="+Inf"} 4
                asked_seconds_sum 2.5
                asked_seconds_count 4
                # HELP asked_total Asked.
                # TYPE asked_total counter
                asked_total{route="/a\\"\\\\\\n"} 2
                asked_total{route="/b"} 2
                # HELP waiting waiting
                # TYPE waiting gauge
                waiting 1.5

                """)
    }

    @Test func `nothing is lost when many count at once`() async {
        let registry = Registry([:])
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "c", factory: registry)
                    let meter = Meter(label: "m", factory: registry)
                    let recorder = Recorder(label: "r", factory: registry)
                    for _ in 0..<1000 {
                        counter.increment()
                        meter.increment(by: 2)
                        recorder.record(3)
                    }
                }
            }
        }
        #expect(registry.page.contains("c 8000\n") && registry.page.contains("m 16000\n"))
        #expect(registry.page.contains("r_sum 24000\n") && registry.page.contains("r_count 8000\n"))
    }

    @Test func `everything measured has a description, and no histogram more bounds than it can hold`() {
        for (name, description) in Measured.descriptions {
            #expect(!description.help.isEmpty && description.bounds.count <= 15, "\(name)")
            #expect(description.bounds == description.bounds.sorted())
        }
    }

    @Test func `the dashboard shows what is measured`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/operating/grafana.json"), encoding: .utf8)
        let names = Set(text.matches(of: /\b(?:taoyuan|process)_[a-z_]+/).map { String($0.output) })
        #expect(names.count > 10)
        for name in names {
            let base = name.replacing(/_(bucket|sum|count)$/, with: "")
            #expect(Measured.descriptions[base] != nil || Measured.descriptions[name] != nil, "\(name)")
        }
    }
}
