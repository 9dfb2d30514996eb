import ArgumentParser
import Dispatch
import Foundation
import Synchronization

/// SIGINT and SIGTERM cancel what runs instead of ending the process, so that it can release what it holds.
enum Interruption {
    /// Ends the process so long after the first SIGINT or SIGTERM, whatever it still waits for: a database that is silent
    /// answers to no cancelling.
    /// - Returns: what holds for as long as it is kept.
    static func ending(after seconds: Int) -> [any DispatchSourceSignal] {
        let queue = DispatchQueue(label: "end")
        return [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                // A thread of its own, because Dispatch lets its timers be late.
                Thread.detachNewThread {
                    Thread.sleep(forTimeInterval: Double(seconds))
                    Terminal.say(
                        words("等了 \(seconds) 秒，未等完就结束", "ended after \(seconds) seconds without waiting any longer"))
                    _exit(128 + number)
                }
            }
            source.resume()
            return source
        }
    }

    private final class Received: Sendable {
        let signal = Mutex<Int32?>(nil)
    }

    /// - Throws: what `body` throws, or the `ExitCode` of the signal that came before. A second signal ends the process.
    static func watching<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let received = Received()
        let task = Task(operation: body)
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: DispatchQueue(label: "signals"))
            source.setEventHandler {
                let earlier = received.signal.withLock { signal in
                    defer { signal = number }
                    return signal
                }
                if earlier != nil { _exit(128 + number) }
                task.cancel()
            }
            source.resume()
            return source
        }
        defer {
            sources.forEach { $0.cancel() }
            for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
        }
        do {
            return try await task.value
        } catch {
            if let number = received.signal.withLock({ $0 }) { throw ExitCode(128 + number) }
            throw error
        }
    }
}
