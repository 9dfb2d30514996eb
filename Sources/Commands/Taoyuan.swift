import ArgumentParser
import Foundation
import Kernel

/// The root command. What it refuses is one sentence on stderr and exit status 1; wrong usage is 64, a fault of ours 70.
public struct Taoyuan: AsyncParsableCommand {
    @TaskLocal static var service: Service?

    public static let configuration = CommandConfiguration(
        commandName: "taoyuan",
        abstract: "Follows a village's products from the orchard to the buyer, and turns sales into income figures.",
        discussion: """
            Without DATABASE_URL the program runs a private PostgreSQL in its data folder. Start with:

              taoyuan demo
              taoyuan import households 农户名册.csv
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(
                name: "The main job",
                subcommands: [
                    ImportCommand.self, BatchCommand.self, CodeCommand.self, RecallCommand.self, SaleCommand.self,
                    IncomeCommand.self, ReportCommand.self,
                ]),
            CommandGroup(
                name: "Study tours", subcommands: [TourCommand.self, BookingCommand.self, MessageCommand.self]),
            CommandGroup(
                name: "The village",
                subcommands: [
                    CooperativeCommand.self, HouseholdCommand.self, PlotCommand.self, ProductCommand.self,
                    VarietyCommand.self, GradeCommand.self,
                ]),
            CommandGroup(
                name: "Keys and access",
                subcommands: [KeyCommand.self, AccountCommand.self, TokenCommand.self, AuditCommand.self]),
            CommandGroup(
                name: "The program",
                subcommands: [
                    ServeCommand.self, DemoCommand.self, MigrateCommand.self, ConfigCommand.self, HealthCommand.self,
                ]),
        ])

    public init() {}

    /// Does what the process's arguments say, and ends it with an exit status if that is not 0.
    public static func main(serving service: @escaping Service) async {
        await $service.withValue(service) { await main() }
    }

    public static func main() async {
        // A reader that went away is seen where something is written; a signal would leave PostgreSQL running.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            do {
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
            } catch {
                Foundation.exit(status(of: error))
            }
        } catch {
            exit(withError: error)
        }
    }

    /// Says what went wrong.
    private static func status(of error: any Error) -> Int32 {
        switch error {
        case let code as ExitCode: return code.rawValue
        case let refusal as Refusal:
            Terminal.say(refusal.sentence(in: .ofThisRun))
            return EXIT_FAILURE
        // The parser's own: help that was asked for, wrong usage.
        case _ where exitCode(for: error) != .failure: exit(withError: error)
        default:
            Terminal.say(words("程序出错了", "something went wrong in the program") + ": \(type(of: error)): \(error)")
            return EX_SOFTWARE
        }
    }
}
