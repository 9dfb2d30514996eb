import NIOCore

/// How long the server waits for whom. Each connection is looked at four times in the shortest of these, so that a wait
/// may take a quarter of that longer.
public struct Patience: Sendable {
    /// For the head of a connection's first request.
    public var head = TimeAmount.seconds(10)
    /// Between an answer and the head of the next request.
    public var idle = TimeAmount.seconds(60)
    /// For an endpoint, from the whole request to its answer, unless the endpoint has a patience of its own.
    public var answer = TimeAmount.seconds(10)
    /// The time in which a body on its way, in either direction, has to move by so many bytes a second.
    public var stall = TimeAmount.seconds(20)
    public var bytesPerSecond: Int64 = 4096
    /// For the end of a client that has its last answer; of what it still sends so many bytes are taken.
    public var farewell = TimeAmount.seconds(2)
    public var farewellBytes = 65_536
    /// From the end of a client to that of the work for it.
    public var orphan = TimeAmount.seconds(1)

    public init() {}

    /// How often a connection is looked at.
    var interval: TimeAmount { .nanoseconds(max(1_000_000, min(head, idle, answer, stall).nanoseconds / 4)) }

    /// What has to move in the time of a stall.
    var leastBytes: Int { Int(Double(stall.nanoseconds) / 1e9 * Double(bytesPerSecond)) }
}

/// Bytes on their way, and whether they move fast enough.
struct Flow {
    private var since = NIODeadline.now()
    private var before = 0

    mutating func restart(_ moved: Int, at now: NIODeadline) {
        since = now
        before = moved
    }

    /// - Parameter moved: how many bytes have moved since ever.
    mutating func isStalled(_ moved: Int, at now: NIODeadline, _ patience: Patience) -> Bool {
        guard now - since >= patience.stall else { return false }
        let isStalled = moved - before < patience.leastBytes
        restart(moved, at: now)
        return isStalled
    }
}
