import Foundation
import Kernel
import Synchronization

/// A clock that stands where a test puts it.
public final class SettableClock: Sendable {
    private let present: Mutex<Date>

    public init(_ day: CivilDay, hour: Int = 10) {
        present = Mutex(Self.instant(day, hour: hour))
    }

    public var clock: WallClock { WallClock { self.present.withLock { $0 } } }
    public var today: CivilDay { clock.today }
    public var now: Date { clock.now() }

    /// The present becomes the given time of day in Asia/Shanghai.
    public func set(_ day: CivilDay, hour: Int = 10, seconds: Double = 0) {
        present.withLock { $0 = Self.instant(day, hour: hour).addingTimeInterval(seconds) }
    }

    public func advance(seconds: Double) {
        present.withLock { $0.addTimeInterval(seconds) }
    }

    private static func instant(_ day: CivilDay, hour: Int) -> Date {
        Date(timeIntervalSince1970: Double(day.daysSince1970) * 86_400 + Double(hour - 8) * 3600)
    }
}
