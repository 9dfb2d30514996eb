import ArgumentParser

struct BookingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "booking", abstract: "Bookings of study tours: tickets and the gate.",
        subcommands: [
            BookingTicketCommand.self, BookingCheckInCommand.self, BookingGateListCommand.self,
            BookingSyncCommand.self, BookingDaySheetCommand.self,
        ])
}
