import Foundation
import Kernel
import Telemetry

extension County {
    /// Brings up to date what is not counted as it happens, for whoever reads what is measured. What the database does not
    /// tell in time stays as it was.
    public func measure() async {
        for (name, pool) in database.pools {
            Measured.gauge("taoyuan_pool_connections", [("pool", name), ("state", "idle")]).set(pool.idle)
            Measured.gauge("taoyuan_pool_connections", [("pool", name), ("state", "in use")]).set(pool.open - pool.idle)
            Measured.gauge("taoyuan_pool_waiting", [("pool", name)]).set(pool.waiting)
        }
        measureProcess()
        let begin = ContinuousClock.now
        guard openIsAskedAfter.withLock({ $0 <= begin }),
            let (bookings, outbox) = try? await UpkeepStore(database).open(now: clock.now())
        else { return }
        // However much is open in a county, counting it takes a twentieth of a connection at most.
        let end = ContinuousClock.now
        openIsAskedAfter.withLock { $0 = end + (end - begin) * 20 }
        for (state, count) in bookings { Measured.gauge("taoyuan_bookings", [("state", state)]).set(count) }
        Measured.gauge("taoyuan_outbox_waiting").set(outbox.waiting)
        Measured.gauge("taoyuan_outbox_age_seconds").set(outbox.age)
    }

    private func measureProcess() {
        Measured.gauge("process_start_time_seconds").set(Self.started)
        if let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            Measured.gauge("process_open_fds").set(open.count)
        }
        if let words = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " "),
            words.count > 1, let pages = Int(words[1])
        {
            Measured.gauge("process_resident_memory_bytes").set(pages * sysconf(Int32(_SC_PAGESIZE)))
        }
    }

    /// When this was asked for first, which the opening of a backend does.
    static let started = Date().timeIntervalSince1970
}
