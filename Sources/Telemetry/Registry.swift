import CoreMetrics
import Synchronization

/// What is measured in this process, as a backend of swift-metrics that Prometheus can read.
public final class Registry: MetricsFactory {
    /// Everything that the program measures. Given by name where something is measured, so that it does not matter who
    /// comes first: libraries get it by `MetricsSystem.bootstrap`.
    public static let shared = Registry()

    /// What a measure is, for whoever reads the page.
    public struct Description: Sendable {
        let help: String
        /// The upper bounds of a histogram, in the unit of its name; at most 15.
        let bounds: [Double]

        public init(_ help: String, bounds: [Double] = []) {
            self.help = help
            self.bounds = bounds
        }
    }

    private enum Series {
        case counter(CounterCell)
        case gauge(GaugeCell)
        case histogram(HistogramCell)

        var type: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    /// By name, and then by labels as they are written.
    private let families = Mutex<[String: [String: Series]]>([:])
    private let descriptions: [String: Description]

    /// - Parameter descriptions: of measures by their names; the others are called by their name alone.
    public init(_ descriptions: [String: Description] = Measured.descriptions) {
        self.descriptions = descriptions
    }

    /// The page as Prometheus reads it, text format 0.0.4.
    public var page: String {
        var text = ""
        for (name, series) in families.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            guard let type = series.values.first?.type else { continue }
            text += "# HELP \(name) \(descriptions[name]?.help ?? name)\n# TYPE \(name) \(type)\n"
            for (labels, cell) in series.sorted(by: { $0.key < $1.key }) {
                switch cell {
                case .counter(let cell): text += Self.line(name, labels, "\(cell.value)")
                case .gauge(let cell): text += Self.line(name, labels, Self.number(cell.value))
                case .histogram(let cell): text += Self.lines(name, labels, cell.snapshot)
                }
            }
        }
        return text
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let made = series(label, dimensions) { _ in .counter(CounterCell()) }
        return if case .counter(let cell) = made { cell } else { CounterCell() }
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        let made = series(label, dimensions) { _ in .gauge(GaugeCell()) }
        return if case .gauge(let cell) = made { cell } else { GaugeCell() }
    }

    /// One that does not aggregate is a gauge.
    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else {
            let made = series(label, dimensions) { _ in .gauge(GaugeCell()) }
            return if case .gauge(let cell) = made { cell } else { GaugeCell() }
        }
        return histogram(label, dimensions, scale: 1)
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions, scale: 1e-9)
    }

    // A series that is gone would look to Prometheus as if the program had been started anew, so all stay.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}

    private func histogram(_ name: String, _ labels: [(String, String)], scale: Double) -> HistogramCell {
        let bounds = descriptions[name]?.bounds ?? []
        let made = series(name, labels) { _ in .histogram(HistogramCell(bounds: bounds, scale: scale)) }
        return if case .histogram(let cell) = made { cell } else { HistogramCell(bounds: bounds, scale: scale) }
    }

    private func series(
        _ name: String, _ labels: [(String, String)], make: (String) -> Series
    ) -> Series {
        let written = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        return families.withLock { families in
            if let known = families[name]?[written] { return known }
            let made = make(name)
            // What has the name of a measure of another kind is counted, and not shown.
            if let other = families[name]?.values.first, other.type != made.type { return made }
            families[name, default: [:]][written] = made
            return made
        }
    }

    private static func lines(_ name: String, _ labels: String, _ histogram: HistogramCell.Snapshot) -> String {
        var text = ""
        var sum = 0
        let before = labels.isEmpty ? "" : labels + ","
        for (bound, count) in zip(histogram.bounds.map(number) + ["+Inf"], histogram.counts) {
            sum += count
            text += line("\(name)_bucket", "\(before)le=\"\(bound)\"", "\(sum)")
        }
        return text + line("\(name)_sum", labels, number(histogram.sum)) + line("\(name)_count", labels, "\(sum)")
    }

    private static func line(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }
}
