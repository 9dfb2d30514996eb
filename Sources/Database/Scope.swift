import Kernel
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
    /// The token that was shown, if one was: what is written ends with it, or with its account.
    public let token: Int?

    public init(village: Int, cooperative: Int?, spellings: [Int] = [], actor: String, token: Int? = nil) {
        self.village = village
        self.cooperative = cooperative
        self.spellings = spellings
        self.actor = actor
        self.token = token
    }

    /// What the program itself does in a village, such as finding out who asks.
    public static func program(_ village: Int) -> Scope { Scope(village: village, cooperative: nil, actor: "program") }

    /// The settings that row-level security reads; cooperative 0 stands for the whole village.
    var settings: [LocalSetting] {
        let seen = cooperative.map { [$0] + spellings } ?? [0]
        return [LocalSetting("taoyuan.village", village), LocalSetting("taoyuan.cooperative", seen)]
    }
}

/// Whoever asks is looked up before the work begins; what is written is kept only if the token is good at the end of it.
extension Scope {
    /// The statement that breaks the constraint `admitted` unless the token still is good; it goes with the writes. Its verdict is of the moment in which it runs: it locks nothing that other requests use.
    var admission: [SQL] {
        guard let token else { return [] }
        return ["SELECT check_admitted(\(village), \(token))"]
    }

    static let admitted = "actor_admitted"

    /// As of a token that is shown after its end.
    static let ended = Refusal(
        .unauthenticated, "invalid-token", zh: "令牌或账号在此期间已停用，什么都没有记录",
        en: "the token or its account was shut meanwhile: nothing was recorded")
}
