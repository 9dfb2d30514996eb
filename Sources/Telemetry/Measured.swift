import CoreMetrics
import Synchronization

/// Everything that the program measures, by name.
public enum Measured {
    private static let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    public static let descriptions: [String: Registry.Description] = [
        "taoyuan_http_requests_total": .init("Requests answered, by route and status."),
        "taoyuan_http_request_seconds": .init("How long requests took, by route.", bounds: seconds),
        "taoyuan_refusals_total": .init("Requests refused, by the code that was told."),
        "taoyuan_verifications_total": .init("Codes verified, by answer."),
        "taoyuan_recorded_total": .init("What was recorded, by kind: codes issued, sales, steps of bookings."),
        "taoyuan_import_rows_total": .init("Rows of registers that were read, by what became of them."),
        "taoyuan_gathered": .init(
            "Questions that went to the database together.", bounds: [1, 2, 4, 8, 16, 32, 64]),
        "taoyuan_messages_total": .init("Messages, by what became of an attempt."),
        "taoyuan_outbox_waiting": .init("Messages that wait to be sent."),
        "taoyuan_outbox_age_seconds": .init("How long the oldest of the messages that are due has waited."),
        "taoyuan_bookings": .init("Bookings that are open, by state."),
        "taoyuan_villages_unable_to_sign": .init("Villages whose private key is missing or doesn't open."),
        "taoyuan_job_runs_total": .init("Runs of jobs, by what they came to."),
        "taoyuan_job_done_total": .init("What jobs have done: messages sent, holds ended, rows removed."),
        "taoyuan_job_seconds": .init("How long runs of jobs took.", bounds: seconds + [60]),
        "taoyuan_job_ended_timestamp_seconds": .init("When a job last ended well."),
        "taoyuan_database_refused_total": .init("Calls that the database did not answer, by reason."),
        "taoyuan_pool_connections": .init("Connections to the database, by what they do."),
        "taoyuan_pool_waiting": .init("Calls that wait for a connection to the database."),
        "taoyuan_log_lines_dropped_total": .init("Lines of the log that nobody took in time."),
        "process_resident_memory_bytes": .init("Memory in use."),
        "process_open_fds": .init("Open file descriptors."),
        "process_start_time_seconds": .init("When the process was started."),
    ]

    /// Requests by code of refusal.
    public static let refusals = CounterFamily("taoyuan_refusals_total", by: "code")
    public static let verifications = CounterFamily("taoyuan_verifications_total", by: "answer")
    /// What was recorded, by the kind of its event.
    public static let recorded = CounterFamily("taoyuan_recorded_total", by: "kind")
    public static let messages = CounterFamily("taoyuan_messages_total", by: "outcome")
    public static let databaseRefused = CounterFamily("taoyuan_database_refused_total", by: "reason")
    public static let jobDone = CounterFamily("taoyuan_job_done_total", by: "job")
    static let linesDropped = Counter(label: "taoyuan_log_lines_dropped_total", factory: Registry.shared)

    public static func importRows(of register: String, _ outcome: String) -> Counter {
        Counter(
            label: "taoyuan_import_rows_total", dimensions: [("register", register), ("outcome", outcome)],
            factory: Registry.shared)
    }

    /// Questions that go to the database together.
    public static func gathered(_ name: String) -> Recorder {
        Recorder(label: "taoyuan_gathered", dimensions: [("of", name)], aggregate: true, factory: Registry.shared)
    }

    public static func jobRun(_ job: String, _ outcome: String) -> Counter {
        Counter(
            label: "taoyuan_job_runs_total", dimensions: [("job", job), ("outcome", outcome)], factory: Registry.shared)
    }

    public static func jobTime(_ job: String) -> Timer {
        Timer(label: "taoyuan_job_seconds", dimensions: [("job", job)], factory: Registry.shared)
    }

    /// A number that goes up and down.
    public static func gauge(_ name: String, _ labels: [(String, String)] = []) -> Meter {
        Meter(label: name, dimensions: labels, factory: Registry.shared)
    }
}

/// Counters of one name, told apart by one label whose values the program itself chooses.
public final class CounterFamily: Sendable {
    private let name: String
    private let label: String
    private let counters = Mutex<[String: Counter]>([:])

    init(_ name: String, by label: String) {
        self.name = name
        self.label = label
    }

    public subscript(_ value: String) -> Counter {
        counters.withLock { counters in
            if let known = counters[value] { return known }
            let made = Counter(label: name, dimensions: [(label, value)], factory: Registry.shared)
            counters[value] = made
            return made
        }
    }
}

/// How often and how fast one route is asked.
public final class RouteMeasure: Sendable {
    private let method: String
    private let route: String
    /// Made when the route is asked first: most never are.
    private let known = Mutex<(timer: Timer?, statuses: [Int: Counter])>((nil, [:]))

    public init(method: String, route: String) {
        self.method = method
        self.route = route
    }

    public func answered(status: Int, nanoseconds: Int64) {
        let (timer, counter) = known.withLock { known in
            if let timer = known.timer, let counter = known.statuses[status] { return (timer, counter) }
            let labels = [("method", method), ("route", route)]
            let timer =
                known.timer
                ?? Timer(label: "taoyuan_http_request_seconds", dimensions: labels, factory: Registry.shared)
            let counter = Counter(
                label: "taoyuan_http_requests_total", dimensions: labels + [("status", "\(status)")],
                factory: Registry.shared)
            known.timer = timer
            known.statuses[status] = counter
            return (timer, counter)
        }
        timer.recordNanoseconds(nanoseconds)
        counter.increment()
    }
}
