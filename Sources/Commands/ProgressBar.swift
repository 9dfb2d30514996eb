import Synchronization

/// A bar on standard error, drawn when that is a terminal.
final class ProgressBar: Sendable {
    private static let width = 40
    private let percent = Mutex(-1)

    func show(_ share: Double) {
        guard Terminal.showsTalk else { return }
        let now = Int(min(max(share, 0), 1) * 100)
        percent.withLock { percent in
            guard now != percent else { return }
            percent = now
            let filled = now * Self.width / 100
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.width - filled)
            Terminal.say("\r\(bar) \(now)%", terminator: "")
        }
    }

    func clear() {
        guard percent.withLock({ $0 }) >= 0 else { return }
        Terminal.say("\r\u{1B}[K", terminator: "")
    }
}
