import Database
import Foundation
import Kernel
import Messages

/// What a message tells of a booking, as it stood then. `booking_message_content` of the database writes the same.
struct BookingMessage: Codable, Hashable {
    struct Session: Codable, Hashable {
        let day: String
        let startsAt: Date
        let endsAt: Date
        let site: String
        let programme: String
    }

    struct Amount: Codable, Hashable {
        let fen: Int64

        init(_ money: Money) { fen = money.fen }

        var money: Money { Money(fen: fen) }
    }

    let booking: Int64
    /// Three groups of four.
    let reference: String
    let unit: String
    let headcount: Int
    let leader: String
    let state: String
    /// nil where its seats are kept without an end.
    let holdUntil: Date?
    let paid: Amount
    let kept: Amount
    let refundDue: Amount
    let refunded: Amount
    let sessions: [Session]
    /// Of a reminder: the day that it reminds of.
    var day: String?
    /// What the village has made of it, a `BookingUpset.What`, and why.
    var upset: String?
    var reason: String?

    init(_ booking: Booking, _ upset: BookingUpset? = nil) {
        self.upset = upset?.what.rawValue
        reason = upset?.reason
        self.booking = booking.id.value
        reference = booking.reference.description
        unit = booking.unit
        headcount = booking.headcount
        leader = booking.leader
        state = booking.state.rawValue
        holdUntil = booking.lapsesAt
        paid = Amount(booking.paid)
        kept = Amount(booking.kept)
        refundDue = Amount(booking.refundDue)
        refunded = Amount(booking.refunded)
        sessions = booking.lines.sorted { ($0.startsAt, $0.session) < ($1.startsAt, $1.session) }.map { line in
            Session(
                day: line.day.description, startsAt: line.startsAt, endsAt: line.endsAt, site: line.site,
                programme: line.programme)
        }
    }

    /// - Throws: a `DecodingError` for what is none of ours.
    init(_ content: String) throws {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        self = try decoder.decode(Self.self, from: Data(content.utf8))
    }

    var content: String {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        // Only numbers that are not finite can't be encoded, and there are none of them in it.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// What the messages of a booking are about.
    static func about(_ booking: Int64) -> String { "booking:\(booking)" }

    /// The booking that a message is about, nil for what is about none.
    static func booking(_ about: String) -> Int64? {
        about.hasPrefix("booking:") ? Int64(about.dropFirst(8)) : nil
    }
}

extension Message {
    /// The number of the booking that it is about.
    public var booking: Int64? { BookingMessage.booking(about) }

    /// The filter of a booking's messages.
    public static func about(booking: Int64) -> String { BookingMessage.about(booking) }
}

extension NewMessage {
    /// Tells whoever booked how the booking stands now, once for each of its versions.
    init(_ kind: MessageKind, _ booking: Booking, _ upset: BookingUpset? = nil) {
        let end = booking.lines.map(\.day).max()?.adding(days: 1).start
        self.init(
            key: "booking:\(booking.id):v\(booking.version):\(kind.rawValue)", kind: kind.rawValue,
            about: BookingMessage.about(booking.id.value),
            to: Recipient(
                name: booking.leader, phone: booking.phone, email: booking.email, language: booking.language),
            content: BookingMessage(booking, upset).content,
            until: kind.outlivesTheVisit || booking.hasCome ? nil : end)
    }
}

extension CivilDay {
    /// Midnight in Asia/Shanghai.
    fileprivate var start: Date { Date(timeIntervalSince1970: Double(daysSince1970) * 86_400 - 8 * 3600) }

    /// Nine in the morning there: nobody is reminded at midnight.
    public var morning: Date { start.addingTimeInterval(9 * 3600) }
}
