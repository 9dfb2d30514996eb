import CoreMetrics
import Synchronization

/// What counts: each is a few atomic additions, because some are met by every request.
final class CounterCell: CounterHandler {
    private let count = Atomic<Int64>(0)

    var value: Int64 { count.load(ordering: .relaxed) }

    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }

    func reset() { count.store(0, ordering: .relaxed) }
}

final class GaugeCell: MeterHandler, RecorderHandler {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func increment(by amount: Double) {
        var known = bits.load(ordering: .relaxed)
        while true {
            let wanted = (Double(bitPattern: known) + amount).bitPattern
            let (done, now) = bits.weakCompareExchange(expected: known, desired: wanted, ordering: .relaxed)
            if done { return }
            known = now
        }
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    func record(_ value: Int64) { set(value) }

    func record(_ value: Double) { set(value) }
}

/// How often what was measured was at most so much, and their sum.
final class HistogramCell: RecorderHandler, TimerHandler {
    struct Snapshot {
        let bounds: [Double]
        /// Not summed; the last is of what exceeds every bound.
        let counts: [Int]
        let sum: Double
    }

    private let bounds: [Double]
    /// The bounds as they are recorded.
    private let limits: [Int64]
    private let scale: Double
    private let counts = InlineArray<16, Atomic<Int>> { _ in Atomic(0) }
    private let total = Atomic<Int64>(0)

    /// - Parameters:
    ///   - bounds: in ascending order, at most 15.
    ///   - scale: what one of what is recorded is in the unit of the bounds.
    init(bounds: [Double], scale: Double) {
        self.bounds = Array(bounds.prefix(15))
        self.scale = scale
        limits = self.bounds.map { Int64(($0 / scale).rounded()) }
    }

    var snapshot: Snapshot {
        Snapshot(
            bounds: bounds, counts: (0...bounds.count).map { counts[$0].load(ordering: .relaxed) },
            sum: Double(total.load(ordering: .relaxed)) * scale)
    }

    func record(_ value: Int64) {
        var place = 0
        while place < limits.count, value > limits[place] { place += 1 }
        counts[place].wrappingAdd(1, ordering: .relaxed)
        total.wrappingAdd(value, ordering: .relaxed)
    }

    func record(_ value: Double) { record(Int64(value.rounded())) }

    func recordNanoseconds(_ duration: Int64) { record(duration) }
}
