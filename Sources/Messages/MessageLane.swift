import Foundation
import Kernel
import Telemetry

/// Messages that share a way, and with it a few senders.
public enum MessageLane: String, Sendable {
    /// Those of the only way, or of none.
    case all = "messages"
    /// With a mail address.
    case withAddress = "mail"
    case withoutAddress = "webhook"
}

extension MessageSender {
    private enum Ended: Sendable {
        case message(host: String?, Result<Handled, any Error>)
        case pause
    }

    /// Sends all that is due in a lane, and what falls due while something is on its way.
    ///
    /// A few messages at a time, so that one that takes long holds up neither those behind it nor, with a host of its
    /// own, those to other hosts. What is on its way is always waited for, also when the task is cancelled.
    /// - Parameters:
    ///   - pause: after which to look again while something is on its way.
    ///   - time: after which no more are begun, so that a run has an end.
    public func sendDue(
        _ lane: MessageLane, every pause: Duration = .seconds(1), for time: Duration = .seconds(60)
    ) async throws -> Tally {
        let end = ContinuousClock.now + time
        let (tally, trouble) = await withTaskGroup(of: Ended.self) { group in
            var tally = Tally()
            var trouble: (any Error)?
            var hosts: [String: Int] = [:]
            var running = 0
            var isPausing = false
            while true {
                do {
                    while trouble == nil, running < MessageRules.width, !Task.isCancelled, .now < end {
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
                    trouble = error
                }
                guard running > 0 else {
                    group.cancelAll()
                    return (tally, trouble)
                }
                if !isPausing, !Task.isCancelled {
                    isPausing = true
                    group.addTask {
                        try? await Task.sleep(for: pause)
                        return .pause
                    }
                }
                switch await group.next() {
                case nil, .pause: isPausing = false
                case .message(let host, let result):
                    running -= 1
                    if let host { hosts[host, default: 1] -= 1 }
                    do {
                        let handled = try result.get()
                        tally.add(handled)
                        Measured.messages[handled.rawValue].increment()
                    } catch {
                        trouble = error
                    }
                }
            }
        }
        if let trouble { throw trouble }
        return tally
    }
}

extension MessageSender.Tally {
    fileprivate mutating func add(_ handled: MessageSender.Handled) {
        switch handled {
        case .sent: sent += 1
        case .again: failed += 1
        case .givenUp: givenUp += 1
        case .overtaken: overtaken += 1
        case .noAddress: noAddress += 1
        }
    }
}

extension OutgoingMessage {
    /// Where a mail to it ends up.
    fileprivate var host: String? {
        email?.split(separator: "@", omittingEmptySubsequences: false).last?.lowercased()
    }
}
