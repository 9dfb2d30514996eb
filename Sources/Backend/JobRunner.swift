import Foundation
import Kernel
import Logging
import Postgres
import Telemetry

/// Runs jobs, each at one time only in the whole of several programs, so that they never do the same work twice. One that
/// fails is run again in its time, and stops neither the program nor the others.
public struct JobRunner: Sendable {
    /// What a run came to.
    public enum Outcome: Sendable {
        case done(Int)
        /// Another program is at it.
        case elsewhere
        case failed(any Error)

        public var name: String {
            switch self {
            case .done: "done"
            case .elsewhere: "elsewhere"
            case .failed: "failed"
            }
        }
    }

    /// The job's lock and no other: "taoy" in ASCII, beside a hash of its name.
    private static let locks: Int32 = 0x7461_6F79

    private let jobs: [Job]
    /// One connection, whose session holds the locks of what runs here. They go with it when it breaks; what a job does
    /// bears being done twice.
    private let holder: Pool
    private let logger: Logger

    /// - Parameter settings: how to log in for the locks.
    public init(_ jobs: [Job], locking settings: Settings, logger: Logger) {
        self.jobs = jobs
        self.logger = logger
        holder = Pool(settings, size: 1, acquireTimeout: .seconds(5), statementTimeout: .seconds(5))
    }

    /// Runs each job once, all at the same time.
    /// - Returns: what each came to, in the jobs' order.
    public func once() async -> [(job: Job, outcome: Outcome)] {
        let outcomes = await withTaskGroup(of: (Int, Outcome).self) { group in
            for (place, job) in jobs.enumerated() { group.addTask { (place, await run(job)) } }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        await holder.close()
        return jobs.enumerated().compactMap { place, job in outcomes[place].map { (job, $0) } }
    }

    /// Runs each job every so often until the task is cancelled; what runs then is waited for.
    public func keepOn() async {
        await withTaskGroup { group in
            for job in jobs {
                group.addTask {
                    let outage = Outage("the job \(job.name)", logger, quiet: .zero)
                    while !Task.isCancelled {
                        switch await run(job) {
                        case .failed(let error) where !(error is CancellationError): outage.failed(Self.reason(error))
                        case .failed, .elsewhere: break
                        case .done: outage.succeeded()
                        }
                        try? await Task.sleep(for: job.every)
                    }
                }
            }
        }
        await holder.close()
    }

    private func run(_ job: Job) async -> Outcome {
        let begin = ContinuousClock.now
        let outcome = await exclusively(job)
        let time = (ContinuousClock.now - begin).components
        let nanoseconds = time.seconds * 1_000_000_000 + time.attoseconds / 1_000_000_000
        Measured.jobRun(job.name, outcome.name).increment()
        guard case .done(let count) = outcome else { return outcome }
        Measured.jobTime(job.name).recordNanoseconds(nanoseconds)
        Measured.jobDone[job.name].increment(by: count)
        Measured.gauge("taoyuan_job_ended_timestamp_seconds", [("job", job.name)]).set(Date().timeIntervalSince1970)
        logger.log(
            level: count > 0 ? .info : .debug, "job done",
            metadata: ["job": "\(job.name)", "count": "\(count)", "ms": "\(nanoseconds / 1_000_000)"])
        return outcome
    }

    private func exclusively(_ job: Job) async -> Outcome {
        do {
            let rows = try await holder.query(
                "SELECT pg_try_advisory_lock(\(Self.locks), hashtext(\(job.name))) AS ours")
            guard try rows.first?.decode("ours", as: Bool.self) == true else { return .elsewhere }
        } catch {
            return .failed(error)
        }
        let outcome: Outcome
        do {
            outcome = .done(try await job.work())
        } catch {
            outcome = .failed(error)
        }
        // In a task of its own: the lock is given back also when this one is cancelled.
        await Task.detached {
            _ = try? await holder.query("SELECT pg_advisory_unlock(\(Self.locks), hashtext(\(job.name)))")
        }.value
        return outcome
    }

    /// Why a job failed, without what anybody entered.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case let refusal as Refusal: refusal.code
        case let error as PostgresError: error.description
        default: "\(type(of: error))"
        }
    }
}
