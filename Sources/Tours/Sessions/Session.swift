import Foundation
import Kernel

/// One taking place of a programme at a site.
public struct TourSession: Sendable, Hashable {
    public enum State: String, Sendable, CaseIterable, Labelled {
        case open
        /// No new bookings; those that are there stay.
        case closed
        case cancelled

        public var label: Bilingual {
            switch self {
            case .open: Bilingual(zh: "开放预约", en: "open")
            case .closed: Bilingual(zh: "停止预约", en: "closed")
            case .cancelled: Bilingual(zh: "已取消", en: "cancelled")
            }
        }
    }

    public let id: Identifier<TourSession>
    public let site: String
    public let programme: String
    /// In Asia/Shanghai, like every day.
    public let day: CivilDay
    public let startsAt: Date
    public let endsAt: Date
    public let capacity: Int
    /// Seats that requests keep until their deadline.
    public let held: Int
    /// Seats of confirmed bookings.
    public let booked: Int
    public let state: State
    /// The guides, rooms and coaches that it has.
    public let resources: [String]
    /// Counts the desk's changes; bookings do not change it.
    public let version: Int

    /// Seats that a new booking may take.
    public var free: Int { state == .open ? capacity - held - booked : 0 }
    public var time: TimeOfDay { TimeOfDay(of: startsAt) }
}

/// Sessions to be planned: one, or with `until` one on each day that fits.
public struct NewSessions: Sendable {
    public let site: String
    public let programme: String
    public let day: CivilDay
    public let time: TimeOfDay
    public let capacity: Int
    public let resources: [String]
    /// The last day of a repetition, which has at most 366 days.
    public let until: CivilDay?
    /// On which days a repetition takes place; every day unless told.
    public let weekdays: Weekdays?

    public init(
        site: String, programme: String, day: CivilDay, time: TimeOfDay, capacity: Int, resources: [String] = [],
        until: CivilDay? = nil, weekdays: Weekdays? = nil
    ) {
        self.site = site
        self.programme = programme
        self.day = day
        self.time = time
        self.capacity = capacity
        self.resources = resources
        self.until = until
        self.weekdays = weekdays
    }
}

/// What became of sessions to be planned.
public struct PlannedSessions: Sendable {
    /// A day of the repetition on which there is none, and why.
    public struct LeftOut: Sendable {
        public let day: CivilDay
        public let reason: Bilingual
    }

    public let sessions: [TourSession]
    public let leftOut: [LeftOut]
}

/// What the desk does with a session.
public enum SessionStep: String, Sendable, CaseIterable {
    case close, reopen, cancel
}

/// A session as anyone may see it: open for bookings, and yet to come.
public struct OpenSession: Sendable {
    public let id: Int64
    public let site: String
    public let siteKind: TourSite.Kind
    public let programme: TourProgramme.Details
    public let extras: [TourExtra]
    public let day: CivilDay
    public let startsAt: Date
    public let endsAt: Date
    public let capacity: Int
    public let free: Int

    public var place: SessionPlace { SessionPlace(startsAt: startsAt, id: id) }
}

/// Where a session stands in a list of them, which goes by their beginnings.
public struct SessionPlace: Sendable, CustomStringConvertible {
    public let startsAt: Date
    public let id: Int64

    public static let beginning = SessionPlace(startsAt: Date(timeIntervalSince1970: 0), id: 0)

    init(startsAt: Date, id: Int64) {
        self.startsAt = startsAt
        self.id = id
    }

    /// Reads the description of one.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let seconds = Int64(parts[0]), let id = Int64(parts[1]),
            (0...10_000_000_000).contains(seconds)
        else { return nil }
        self.init(startsAt: Date(timeIntervalSince1970: Double(seconds)), id: id)
    }

    public var description: String { "\(Int64(startsAt.timeIntervalSince1970)).\(id)" }
}

extension TourSession {
    public var place: SessionPlace { SessionPlace(startsAt: startsAt, id: id.value) }
}
