import Codes
import Foundation
import Kernel
import Tours

/// How long is kept what need not be kept for ever.
public struct Retention: Sendable {
    /// Answers to requests, under their idempotency keys.
    public var answerHours: Int
    /// Sessions and tokens that have ended.
    public var tokenDays: Int
    /// Names, phones and e-mails of whoever led a visit, after the visit.
    public var contactDays: Int
    /// Counted scans.
    public var scanMonths: Int

    public static let usual = Retention(answerHours: 48, tokenDays: 90, contactDays: 730, scanMonths: 24)
}

extension County {
    /// Everything that goes on beside requests and is done once for all servers.
    public var jobs: [Job] {
        let upkeep = UpkeepStore(database)
        let retention = configuration.retention
        let (clock, database) = (clock, database)
        @Sendable func villages(_ job: String, _ at: @escaping @Sendable () -> Date)
            -> @Sendable () async throws -> [Int]
        {
            { try await upkeep.villages(withWorkFor: job, at: at()) }
        }
        func forgetting(
            _ name: String, _ purpose: Bilingual, after seconds: Double,
            _ forget: @escaping @Sendable (_ village: Int) async throws -> Int
        ) -> Job {
            Job(
                name: name, purpose: purpose, every: .seconds(1800),
                reach: .villages(villages(name) { Date(timeIntervalSinceNow: -seconds) }, forget))
        }
        let sending = configuration.messageWays.lanes.map { lane in
            Job(
                name: lane.rawValue, purpose: Bilingual(zh: "发送到时的消息", en: "sends the messages that are due"),
                every: .seconds(5),
                reach: .villages(villages("messages", clock.now)) { [self] village in
                    try await backend(of: village).messages.sendDue(lane).sum
                })
        }
        return [
            Job(
                name: "holds",
                purpose: Bilingual(zh: "收回过期的保留座位，让给候补", en: "ends holds whose time is over and seats who waits"),
                every: .seconds(20),
                reach: .villages(villages("holds", clock.now)) { village in
                    let swept = try await WaitingList.sweep(database, village: village, now: clock.now())
                    return swept.expired + swept.promoted
                }),
            Job(
                name: "reminders",
                purpose: Bilingual(zh: "为明天的场次备好提醒", en: "writes the reminders of tomorrow's sessions"),
                every: .seconds(60),
                reach: .villages({
                    clock.now() < clock.today.morning ? [] : try await villages("reminders", clock.now)()
                }) { [self] village in
                    try await backend(of: village).messages.putDue()
                }),
        ] + sending + [
            Job(
                name: "scans",
                purpose: Bilingual(zh: "备好扫码统计的月份，删除过旧的", en: "makes months of scans and drops old ones"),
                every: .seconds(3 * 3600),
                reach: .database { try await upkeep.keepScanMonths(retention.scanMonths) }),
            forgetting(
                "answers", Bilingual(zh: "删除不会再重发的请求的答复", en: "removes answers to requests of long ago"),
                after: Double(retention.answerHours) * 3600
            ) { try await upkeep.forgetAnswers(of: $0, after: retention.answerHours) },
            forgetting(
                "tokens", Bilingual(zh: "删除早已结束的会话与令牌", en: "removes sessions and tokens that ended long ago"),
                after: Double(retention.tokenDays) * 86_400
            ) { try await upkeep.forgetTokens(of: $0, after: retention.tokenDays) },
            forgetting(
                "contacts", Bilingual(zh: "清除多年前来访者的联系方式", en: "removes the contacts of visits of years ago"),
                after: Double(retention.contactDays) * 86_400
            ) { try await upkeep.forgetContacts(of: $0, after: retention.contactDays) },
        ]
    }

    /// Who runs the jobs, one at a time.
    /// - Parameter names: of those wanted; all of them when empty.
    /// - Throws: a `Refusal` of a name that is none.
    public func jobRunner(_ names: [String] = []) throws -> JobRunner {
        let all = jobs
        for name in names where !all.contains(where: { $0.name == name }) {
            throw Refusal.unknown(
                .notFound, "unknown-job", field: "name", zh: "后台工作", en: "job", name: name, known: all.map(\.name))
        }
        let wanted = names.isEmpty ? all : all.filter { names.contains($0.name) }
        return JobRunner(wanted, locking: database.listening, logger: logger)
    }
}
