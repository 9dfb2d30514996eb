import Database
import Foundation
import Kernel
import Postgres

/// A gate's clock beside the register's, which is the one that counts: where both are known, as when a gate fetches its
/// list, synchronises or checks in with the register.
public struct GateClock: Sendable {
    /// What this computer's shows.
    let shows: Date
    /// That of the register's database.
    public let register: Date

    /// What is less than this is no fault of a clock: a question takes its time.
    static let tolerance: TimeInterval = 60

    init(shows: Date, register: Date) {
        self.shows = shows
        self.register = register
    }

    public init(shows: Date, _ database: Database, _ scope: Scope) async throws {
        let rows = try await database.transaction(scope) { try await $0.query("SELECT clock_timestamp() AS now") }
        self.init(shows: shows, register: try rows.first?.decode("now") ?? shows)
    }

    /// By how much this computer's clock is off; nil while they agree.
    public var warning: Bilingual? {
        let ahead = shows.timeIntervalSince(register)
        guard abs(ahead) > Self.tolerance else { return nil }
        let (span, zh, en) = (Self.span(abs(ahead)), ahead > 0 ? "快了" : "慢了", ahead > 0 ? "fast" : "slow")
        return Bilingual(
            zh: "这台设备的时钟比登记的时钟\(zh) \(span.zh)（显示 \(shows.minute)，应为 \(register.minute)），请校准",
            en: "this computer's clock is \(en) by \(span.en): it shows \(shows.minute), and the register's "
                + "\(register.minute); set it right")
    }

    /// Days, hours and minutes.
    static func span(_ seconds: TimeInterval) -> Bilingual {
        let minutes = Int(seconds / 60)
        let parts = [(minutes / 1440, "天", "d"), (minutes / 60 % 24, "小时", "h"), (minutes % 60, "分钟", "min")]
            .filter { $0.0 > 0 }
        return Bilingual(
            zh: parts.map { "\($0.0) \($0.1)" }.joined(separator: " "),
            en: parts.map { "\($0.0) \($0.2)" }.joined(separator: " "))
    }
}
