import ArgumentParser
import Foundation
import Kernel
import Synchronization

/// The root command. What it refuses is one sentence on stderr and exit status 1; wrong usage is 64, a fault of ours 70.
public struct Taoyuan: AsyncParsableCommand {
    /// Set once, before any command runs.
    static let service = Mutex<Service?>(nil)

    public static let configuration = CommandConfiguration(
        commandName: "taoyuan",
        abstract: words(
            "桃源：从果园到买方跟踪一个村的产品，并把销售汇总为收入。",
            "Follows a village's products from the orchard to the buyer, and turns sales into income figures."),
        discussion: words(
            "没有 DATABASE_URL 时，程序在数据目录里运行自己的 PostgreSQL。可以这样开始：",
            "Without DATABASE_URL the program runs a private PostgreSQL in its data folder. Start with:")
            + "\n\n  taoyuan demo\n  taoyuan init --village 韩村 --brand 津小韩 --origin localhost:8080\n  taoyuan sample .\n"
            + "  taoyuan import households households.csv",
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(
                name: words("主要工作", "The main job"),
                subcommands: [
                    ImportCommand.self, BatchCommand.self, CodeCommand.self, RecallCommand.self, SaleCommand.self,
                    IncomeCommand.self, ReportCommand.self, BooksCommand.self,
                ]),
            CommandGroup(
                name: words("研学", "Study tours"),
                subcommands: [TourCommand.self, BookingCommand.self, PaymentCommand.self, MessageCommand.self]),
            CommandGroup(
                name: words("本村", "The village"),
                subcommands: [
                    VillageCommand.self, CooperativeCommand.self, HouseholdCommand.self, PlotCommand.self,
                    ProductCommand.self,
                    VarietyCommand.self, GradeCommand.self, NameCommand.self,
                ]),
            CommandGroup(
                name: words("密钥与权限", "Keys and access"),
                subcommands: [KeyCommand.self, AccountCommand.self, TokenCommand.self, AuditCommand.self]),
            CommandGroup(
                name: words("程序", "The program"),
                subcommands: [
                    InitCommand.self, SampleCommand.self, DemoCommand.self, ServeCommand.self, JobsCommand.self,
                    MigrateCommand.self, DistributeCommand.self, BackupCommand.self, RestoreCommand.self,
                    UpgradeDatabaseCommand.self, ConfigCommand.self, HealthCommand.self,
                ]),
        ])

    public init() {}

    /// Does what the process's arguments say, and ends it with an exit status if that is not 0.
    public static func main(serving service: @escaping Service) async {
        Self.service.withLock { $0 = service }
        await main()
    }

    public static func main() async {
        // A reader that went away is seen where something is written; a signal would leave PostgreSQL running.
        signal(SIGPIPE, SIG_IGN)
        do {
            if let language = Arguments.ofThisRun.unknownLanguage {
                throw ValidationError(
                    words("--lang 可以是 zh 或 en，不是“\(language)”。", "--lang is zh or en, not “\(language)”."))
            }
            if let refusal = Arguments.ofThisRun.unfit {
                Terminal.say(refusal.sentence(in: .ofThisRun))
                Foundation.exit(EXIT_FAILURE)
            }
            var command = try parsed()
            do {
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
            } catch {
                Foundation.exit(status(of: error, in: command))
            }
        } catch {
            leave(error)
        }
    }

    private static func parsed() throws -> any ParsableCommand {
        let command: any ParsableCommand
        do {
            command = try parseAsRoot(Arguments.ofThisRun.rest)
        } catch {
            guard exitCode(for: error) == .validationFailure, !fullMessage(for: error).contains("Unknown option"),
                let complaint = try TypedOptions().unknown
            else { throw error }
            throw ValidationError(complaint)
        }
        if Arguments.ofThisRun.hasRepeated, let complaint = try TypedOptions().repeated {
            throw ValidationError(complaint)
        }
        return command
    }

    /// Says what went wrong.
    private static func status(of error: any Error, in command: any ParsableCommand) -> Int32 {
        switch error {
        case let code as ExitCode: return code.rawValue
        case let refusal as Refusal:
            Terminal.say(RefusalTalk(type(of: command)).sentence(refusal, in: .ofThisRun))
            return EXIT_FAILURE
        // The parser's own: help that was asked for, wrong usage.
        case _ where exitCode(for: error) != .failure: leave(error)
        default:
            Terminal.say(words("程序出错了", "something went wrong in the program") + ": \(type(of: error)): \(error)")
            return EX_SOFTWARE
        }
    }

    /// Ends with what the parser has to say: help on standard output, complaints on standard error.
    private static func leave(_ error: any Error) -> Never {
        guard Language.ofThisRun == .chinese else { exit(withError: error) }
        let status = exitCode(for: error)
        let text = ParserTalk.chinese(error)
        if status == .success {
            do {
                try Terminal.print(text)
            } catch {
                Foundation.exit((error as? ExitCode)?.rawValue ?? EXIT_FAILURE)
            }
        } else {
            Terminal.say(text)
        }
        Foundation.exit(status.rawValue)
    }
}
