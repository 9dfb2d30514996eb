import struct Foundation.Date

/// Where the present comes from: an argument, so that a test can stand at a day's edge.
public struct WallClock: Sendable {
    public let now: @Sendable () -> Date

    public init(_ now: @escaping @Sendable () -> Date) {
        self.now = now
    }

    public static let system = WallClock { Date() }

    /// The day in Asia/Shanghai.
    public var today: CivilDay { CivilDay(of: now()) }
}
