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
            try options.show(
                jobs,
                json: {
                    [
                        "job": .string($0.name), "seconds": .integer($0.every.components.seconds),
                        "purpose": .string($0.purpose[.ofThisRun]),
                    ]
                },
                [.left("工作", "job"), .right("间隔（秒）", "every (s)"), .left("内容", "what it does")],
                row: { [$0.name, "\($0.every.components.seconds)", $0.purpose[.ofThisRun]] })
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
            try options.show(
                outcomes,
                json: { job, outcome in
                    let (state, count, trouble) = Self.facts(outcome)
                    return [
                        "job": .string(job.name), "outcome": .string(state), "count": count.map { JSON($0) } ?? .null,
                        "reason": trouble.map { .string($0) } ?? .null,
                    ]
                },
                [
                    .left("工作", "job"), .left("结果", "outcome"), .right("数量", "count"), .left("内容", "what it does"),
                ],
                row: { job, outcome in
                    let (state, count, trouble) = Self.facts(outcome)
                    return [job.name, trouble ?? state, count.map { "\($0)" }, job.purpose[.ofThisRun]]
                })
            guard !outcomes.contains(where: { if case .failed = $0.outcome { true } else { false } }) else {
                throw ExitCode.failure
            }
        }

        private static func facts(_ outcome: JobRunner.Outcome) -> (state: String, count: Int?, trouble: String?) {
            switch outcome {
            case .done(let count): (outcome.name, count, nil)
            case .elsewhere: (outcome.name, nil, nil)
            case .failed(let error):
                (outcome.name, nil, (error as? Refusal)?.message[.ofThisRun] ?? "\(type(of: error)): \(error)")
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
