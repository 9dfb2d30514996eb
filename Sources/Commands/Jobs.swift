import ArgumentParser
import Backend
import Documents
import Kernel
import Logging
import Telemetry

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: words(
            "后台工作：发消息、收回过期座位、清理旧数据。", "Work in the background: sending messages, ending holds, upkeep."),
        subcommands: [List.self, Run.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出后台工作，以及各隔多久做一次。", "Lists the jobs and how often each is done."),
            discussion: "taoyuan jobs list")

        @OptionGroup var options: ProgramOptions

        func run() async throws {
            let configuration = try options.configuration()
            let jobs = try await Interruption.watching {
                let county = try await County.open(
                    configuration, for: .command, settingUp: SharedOptions.tellSettingUp)
                let jobs = county.jobs
                await county.close()
                return jobs
            }
            try options.show(jobs, Shapes.job)
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run",
            abstract: words(
                "把后台工作各做一遍；运行中的服务会自行去做。", "Does each job once; a running server does so by itself."),
            discussion: "taoyuan jobs run")

        @OptionGroup var options: ProgramOptions
        @Flag(help: .words("一直做下去，直到 Ctrl-C 或 SIGTERM。", "Goes on until Ctrl-C or SIGTERM."))
        var keep = false
        @Argument(
            help: .words(
                "只做这些（名称见 jobs list）；不给则全部。", "Only these, by the names of `jobs list`; all of them unless told."))
        var names: [String] = []

        func run() async throws {
            if keep { try await goOn() } else { try await once() }
        }

        private func once() async throws {
            let configuration = try options.configuration()
            let outcomes = try await Interruption.watching { [names] in
                let county = try await County.open(
                    configuration, for: .command, settingUp: SharedOptions.tellSettingUp)
                let outcomes = await Result { try await county.jobRunner(names).once() }
                await county.close()
                return try outcomes.get()
            }
            try options.show(outcomes, Shapes.jobRun)
            guard !outcomes.contains(where: { if case .failed = $0.outcome { true } else { false } }) else {
                throw ExitCode.failure
            }
        }

        private func goOn() async throws {
            let configuration = try options.configuration()
            try await ProgramLog(configuration).during { logger in
                try await Interruption.watching {
                    let county = try await County.open(
                        configuration, for: .command, logger: logger, settingUp: SharedOptions.tellSettingUp)
                    do {
                        try await county.jobRunner(names).keepOn()
                        await county.close()
                    } catch {
                        await county.close()
                        throw error
                    }
                }
            }
        }
    }
}

extension Shapes {
    fileprivate static let job = Shape<Job>(
        nil,
        [
            .init("job", "工作", "job", .text(), \.name),
            .init("seconds", "间隔（秒）", "every (s)", .number()) { $0.every.components.seconds },
            .init("purpose", "内容", "what it does", .text()) { $0.purpose[.ofThisRun] },
        ], list: ["job", "seconds", "purpose"])

    fileprivate static let jobRun = Shape<(job: Job, outcome: JobRunner.Outcome)>(
        nil,
        [
            .init("job", "工作", "job", .text()) { $0.job.name },
            .init("outcome", "结果", "outcome", .text()) { $0.outcome.name },
            .init("count", "数量", "count", optional: .count()) { $0.outcome.count },
            .init("reason", "原因", "reason", optional: .text()) { $0.outcome.trouble },
            .reading("result", "结果", "outcome") { run, _ in run.outcome.trouble ?? run.outcome.name },
            .reading("purpose", "内容", "what it does") { $0.job.purpose[$1] },
        ], list: ["job", "result", "count", "purpose"], blank: "—")
}

extension JobRunner.Outcome {
    fileprivate var count: Int? { if case .done(let count) = self { count } else { nil } }

    fileprivate var trouble: String? {
        guard case .failed(let error) = self else { return nil }
        return (error as? Refusal)?.message[.ofThisRun] ?? "\(type(of: error)): \(error)"
    }
}
