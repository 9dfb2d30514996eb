import Foundation
import Kernel

/// What messages are about, for the sender, which knows only whom they go to and how: given to it by whoever starts it.
public protocol MessageSource: Sendable {
    /// Puts in what is due by the clock alone, such as reminders; what is there already stays as it is.
    /// - Returns: how many messages those were.
    func putDue(now: Date, today: CivilDay) async throws -> Int

    /// Whether there is no point in a message any more, by what has happened since it was put in.
    func isOvertaken(_ message: OutgoingMessage) async throws -> Bool

    /// The message in words.
    /// - Parameter today: the day on which it is sent.
    /// - Throws: when it makes nothing of the message's kind or content; the message is then given up.
    func text(_ message: OutgoingMessage, today: CivilDay) throws -> MessageText
}

/// A message in words: plain, short, in its recipient's language.
public struct MessageText: Sendable, Hashable {
    public let subject: String
    public let body: String
    /// The addresses in it by their name, for a gateway that puts them into templates of its own.
    public let links: [String: String]

    public init(subject: String, body: String, links: [String: String] = [:]) {
        self.subject = subject
        self.body = body
        self.links = links
    }

    /// In one line, whatever a name holds: a line of its own could pretend to be another one of ours.
    public static func plain(_ text: String) -> String {
        let breaks: Set<Unicode.GeneralCategory> = [.control, .lineSeparator, .paragraphSeparator, .format]
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { breaks.contains($0.properties.generalCategory) ? " " : $0 }))
    }
}
