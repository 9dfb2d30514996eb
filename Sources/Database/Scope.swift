import Postgres

/// For whom a transaction acts: it sees and writes the rows of this village and cooperative only.
public struct Scope: Sendable, Hashable {
    public let village: Int
    /// nil acts for the whole village (committee, administrator, auditor).
    public let cooperative: Int?
    /// The cooperatives that are other spellings of this one: what was recorded under them is its own too.
    public let spellings: [Int]
    /// Who acts, as the audit names them: `account:li`, `token:12`, `local`.
    public let actor: String

    public init(village: Int, cooperative: Int?, spellings: [Int] = [], actor: String) {
        self.village = village
        self.cooperative = cooperative
        self.spellings = spellings
        self.actor = actor
    }

    /// What the program itself does in a village, such as finding out who asks.
    public static func program(_ village: Int) -> Scope { Scope(village: village, cooperative: nil, actor: "program") }

    /// The settings that row-level security reads; cooperative 0 stands for the whole village.
    var settings: [LocalSetting] {
        let seen = cooperative.map { [$0] + spellings } ?? [0]
        return [LocalSetting("taoyuan.village", village), LocalSetting("taoyuan.cooperative", seen)]
    }
}
