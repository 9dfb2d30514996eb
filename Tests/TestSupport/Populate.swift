import Access
import Batches
import Codes
import Database
import Income
import Kernel
import Livelihood
import Orchard
import Sales

/// The last day of 1899: the histories of growers begin on the next.
private let beforeAllHistory = CivilDay(daysSince1970: -25_568)

extension TestVillage {
    /// Leaves rows of both cooperatives in every table.
    public func populate(_ orchard: TestOrchard) async throws {
        for plot in ["E1", "W1"] {
            let code = try await register(harvest(plot: plot))
            let other = try await register(harvest(plot: plot))
            let sold = try await sell(
                sale(
                    [.init(batch: code.batch, weight: Weight(grams: 500), price: Price(fen: 850, basis: .jin))],
                    channel: plot == "E1" ? "批发" : "零售", confirmed: [.newChannel]))
            let gift = try await change(
                BatchStore.withdraw(
                    .gift, batch: code.batch, weight: Weight(grams: 100), day: today, reason: "尝鲜", today: today))
            try await change(BatchStore.undo(withdrawal: gift.movement, reason: "没有送出", today: today))
            try await change(
                SaleStore.takeBack(
                    Weight(grams: 100), goods: .scrapped, refund: Money(fen: 170), of: sold.id.value, line: 1,
                    reason: "压坏", today: today))
            try await change(
                BatchStore.correct(
                    other.batch, RightHarvest(weight: Weight(grams: 90_000)), reason: "过磅有误", today: today))
            try await change(CodeStore.revoke(batch: code.batch, reason: "标签丢失"))
            try await change(CodeStore.recall(batch: other.batch, open: true, reason: "抽检不合格"))
            _ = try await derive(from: [code.batch, other.batch])
            try await change(
                HarvestStore.override(
                    plot: plot, season: today.year, extra: Weight(grams: 1000), reason: "丰收"))
            _ = try await ScanStore(database, village: village.id).count(
                code.signed.body, visitor: "192.0.2.7 Mozilla", place: "天津", today: today)
        }
        for (username, cooperative) in [("li.east", TestOrchard.eastName), ("wang.west", TestOrchard.westName)] {
            let account = try await AccountStore(database, hasher: PasswordHasher()).create(
                username: username, password: "a long enough password", role: .clerk, cooperative: cooperative,
                village: village.id)
            try await change(account)
            try await change(
                TokenStore.create(
                    name: username, role: .clerk, cooperative: cooperative, days: 30, maker: nil, now: clock.now))
        }
        try await change(
            IncomeStore.enter(
                day: today, source: .rent, memo: "冷库出租", amount: Money(fen: 100), corrects: nil, today: today))
        try await populateTours()
        _ = try await LivelihoodStore(database).drawUp(year: today.year, clock: clock.clock, committee)
        let retry = Retry(key: "populated", fingerprint: [1])
        _ = try await database.change(
            committee, once: retry, render: { $0 }, OrchardStore.addGrade(name: "等外"))
        try await change(NameMerge.merge(.channel, from: "零售", to: "批发"))
        let spare = try await keys.create(.ed25519, database, committee)
        try await change(SigningKeyStore.retire(spare, today: today))
        try await keys.reload()
        try await change(ClosedBooks.close(through: beforeAllHistory, today: today))
    }

    /// Carries out a plan, by default as the committee.
    @discardableResult
    public func change<Value: Sendable>(_ plan: @escaping Plan<Value>, as scope: Scope? = nil) async throws -> Value {
        try await database.change(scope ?? committee, plan)
    }
}
