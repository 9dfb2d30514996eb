import Foundation
import Kernel

/// Messages that share a way, and with it a few senders.
enum MessageLane: Sendable {
    case all
    /// With a mail address.
    case withAddress
    case withoutAddress
}

extension MessageSender {
    private enum Ended: Sendable {
        case message(host: String?, Result<Handled, any Error>)
        case pause
    }

    /// Sends all that is due in a lane.
    func sendDue(_ lane: MessageLane) async throws -> Tally {
        let (tally, trouble) = await work(lane, every: nil) { _ in }
        if let trouble { throw trouble }
        return tally
    }

    /// Sends what falls due in a lane until the task is cancelled.
    func send(_ lane: MessageLane, every pause: Duration, report: @escaping @Sendable (any Error) -> Void) async {
        _ = await work(lane, every: pause, report)
    }

    /// A few messages at a time, so that one that takes long holds up neither those behind it nor, with a host of its
    /// own, those to other hosts. What is on its way is always waited for.
    /// - Parameter pause: after which to look again when nothing is due; nil ends then, and at the first trouble.
    private func work(
        _ lane: MessageLane, every pause: Duration?, _ report: @Sendable (any Error) -> Void
    ) async -> (Tally, trouble: (any Error)?) {
        await withTaskGroup(of: Ended.self) { group in
            var tally = Tally()
            var trouble: (any Error)?
            var hosts: [String: Int] = [:]
            var running = 0
            var isPausing = false
            func note(_ error: any Error) {
                if !(error is CancellationError) { report(error) }
                trouble = error
            }
            while true {
                let mayGoOn = pause != nil || trouble == nil
                do {
                    while mayGoOn, running < MessageRules.width, !Task.isCancelled {
                        let busy = hosts.filter { $0.value >= MessageRules.perHost }.map(\.key)
                        guard let message = try await store.claim(lane, notTo: busy, now: clock.now(), scope) else {
                            break
                        }
                        running += 1
                        let host = message.host
                        if let host { hosts[host, default: 0] += 1 }
                        group.addTask {
                            // Not cancelled between sending and marking: that would send it once more.
                            .message(host: host, await Task.detached { try await handle(message) }.result)
                        }
                    }
                } catch {
                    note(error)
                }
                if let pause, !isPausing, !Task.isCancelled {
                    isPausing = true
                    group.addTask {
                        try? await Task.sleep(for: pause)
                        return .pause
                    }
                }
                switch await group.next() {
                case nil: return (tally, trouble)
                case .pause: isPausing = false
                case .message(let host, let result):
                    running -= 1
                    if let host { hosts[host, default: 1] -= 1 }
                    switch result {
                    case .success(.sent): tally.sent += 1
                    case .success(.again): tally.failed += 1
                    case .success(.givenUp): tally.givenUp += 1
                    case .success(.overtaken): tally.overtaken += 1
                    case .failure(let error): note(error)
                    }
                }
            }
        }
    }
}

extension OutgoingMessage {
    /// Where a mail to it ends up.
    fileprivate var host: String? {
        email?.split(separator: "@", omittingEmptySubsequences: false).last?.lowercased()
    }
}
