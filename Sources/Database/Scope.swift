/// For whom a transaction acts: it sees and writes the rows of this village and cooperative only.
public struct Scope: Sendable, Hashable {
    public let village: Int
    /// nil acts for the whole village (committee, administrator, auditor).
    public let cooperative: Int?
    /// Who acts, as the audit names them: `account:li`, `token:12`, `local`.
    public let actor: String

    public init(village: Int, cooperative: Int?, actor: String) {
        self.village = village
        self.cooperative = cooperative
        self.actor = actor
    }

    /// The settings that row-level security reads; cooperative 0 stands for the whole village.
    var settings: [(name: StaticString, value: Int)] {
        [("taoyuan.village", village), ("taoyuan.cooperative", cooperative ?? 0)]
    }
}
