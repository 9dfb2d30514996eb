import struct Foundation.Date

/// Where the present comes from: an argument, so that a test can stand at a day's edge.
public struct WallClock: Sendable {
    public let now: @Sendable () -> Date

    public init(_ now: @escaping @Sendable () -> Date) {
        self.now = now
    }

    public static let system = WallClock { Date() }

    /// The civil day in Asia/Shanghai, which has been UTC+8 without summer time since 1992.
    public var today: CivilDay {
        CivilDay(daysSince1970: Int(((now().timeIntervalSince1970 + 8 * 3600) / 86_400).rounded(.down)))
    }
}
