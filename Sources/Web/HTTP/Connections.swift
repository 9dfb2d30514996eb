import Kernel
import NIOCore
import Synchronization

/// One connection of a client's, as all threads may see it.
final class ClientConnection: Sendable {
    let channel: any Channel
    /// nil is a proxy of ours, behind which there are many.
    fileprivate let client: ClientAddress?
    /// Since when its client is waited for, on the monotonic clock; 0 while we are to answer a whole request.
    private let waitsSince: Atomic<UInt64>
    private let task = Mutex<Task<Void, Never>?>(nil)

    fileprivate init(_ channel: any Channel, client: ClientAddress?) {
        self.channel = channel
        self.client = client
        waitsSince = Atomic(NIODeadline.now().uptimeNanoseconds)
    }

    fileprivate var waited: UInt64? {
        let since = waitsSince.load(ordering: .relaxed)
        return since == 0 ? nil : since
    }

    func work() { waitsSince.store(0, ordering: .relaxed) }

    func wait(since now: NIODeadline) { waitsSince.store(now.uptimeNanoseconds, ordering: .relaxed) }

    /// Runs what answers the connection's requests, until it returns or is cancelled.
    func run(_ work: @escaping @Sendable () async -> Void) async {
        let running = Task(operation: work)
        task.withLock { $0 = running }
        await withTaskCancellationHandler {
            await running.value
        } onCancel: {
            running.cancel()
        }
        task.withLock { $0 = nil }
    }

    func cancel() { task.withLock { $0 }?.cancel() }
}

/// The connections that are open: no more than so many in all and so many of one client. Where there is no room for a new
/// one, that whose client has been waited for longest, for a request or more of one or to take its answer, makes it;
/// where all requests are being answered, the new connection is refused.
final class Connections: Sendable {
    /// Tells a connection to make room, at once if its client has not taken what was sent; if its request is being answered
    /// it ends with that.
    struct Dismissal: Sendable {}

    private struct State {
        var count = 0
        var open: [ClientAddress?: [ObjectIdentifier: ClientConnection]] = [:]
    }

    private let total: Int
    private let perClient: Int
    private let proxies: TrustedProxies?
    private let state = Mutex(State())

    /// - Parameter perClient: 0 for any number.
    init(total: Int, perClient: Int, proxies: TrustedProxies?) {
        self.total = total
        self.perClient = perClient == 0 ? .max : perClient
        self.proxies = proxies
    }

    /// - Returns: nil where there is no room.
    func admit(_ channel: any Channel) -> ClientConnection? {
        let peer = IPAddress(channel.remoteAddress)
        let isProxy = peer.map { proxies?.contains($0) ?? false } ?? false
        let connection = ClientConnection(channel, client: isProxy ? nil : ClientAddress(peer))
        let (isAdmitted, dismissed) = state.withLock { admit(connection, &$0) }
        dismissed?.channel.pipeline.fireUserInboundEventTriggered(Dismissal())
        guard isAdmitted else { return nil }
        channel.closeFuture.whenComplete { _ in self.state.withLock { Self.remove(connection, &$0) } }
        return connection
    }

    private func admit(_ connection: ClientConnection, _ state: inout State) -> (Bool, dismissed: ClientConnection?) {
        let client = connection.client
        var dismissed: ClientConnection?
        if client != nil, let own = state.open[client], own.count >= perClient {
            dismissed = Self.longestWaited(own.values)
            if dismissed == nil { return (false, nil) }
        } else if state.count >= total {
            dismissed = Self.longestWaited(state.open.values.lazy.flatMap(\.values))
            if dismissed == nil { return (false, nil) }
        }
        // At once, lest it be chosen twice.
        if let dismissed { Self.remove(dismissed, &state) }
        state.open[client, default: [:]][ObjectIdentifier(connection)] = connection
        state.count += 1
        return (true, dismissed)
    }

    private static func remove(_ connection: ClientConnection, _ state: inout State) {
        let key = ObjectIdentifier(connection)
        guard state.open[connection.client]?.removeValue(forKey: key) != nil else { return }
        state.count -= 1
        if state.open[connection.client]?.isEmpty ?? false { state.open[connection.client] = nil }
    }

    private static func longestWaited(_ connections: some Sequence<ClientConnection>) -> ClientConnection? {
        var longest: (connection: ClientConnection, since: UInt64)?
        for connection in connections {
            guard let since = connection.waited, since < longest?.since ?? .max else { continue }
            longest = (connection, since)
        }
        return longest?.connection
    }
}
