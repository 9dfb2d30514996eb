import Database
import Foundation
import Kernel
import Postgres

/// A gate's clock beside the register's.
public enum GateClock {
    /// What is less than this is no fault of a clock: a question takes its time.
    static let tolerance: TimeInterval = 60

    /// What is told of this computer's clock beside that of the register's database: nil while they agree. It is of use
    /// where both are known, as when a gate synchronises or checks in with the register.
    public static func warning(_ database: Database, now: Date, _ scope: Scope) async throws -> Bilingual? {
        let rows = try await database.transaction(scope) { try await $0.query("SELECT clock_timestamp() AS now") }
        guard let register: Date = try rows.first?.decode("now") else { return nil }
        return warning(shows: now, register: register)
    }

    static func warning(shows now: Date, register: Date) -> Bilingual? {
        let ahead = now.timeIntervalSince(register)
        guard abs(ahead) > tolerance else { return nil }
        let (span, zh, en) = (span(abs(ahead)), ahead > 0 ? "快了" : "慢了", ahead > 0 ? "fast" : "slow")
        return Bilingual(
            zh: "这台设备的时钟比登记的时钟\(zh) \(span.zh)（显示 \(now.minute)，应为 \(register.minute)），请校准",
            en: "this computer's clock is \(en) by \(span.en): it shows \(now.minute), and the register's "
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
