import Database
import Kernel

/// Who asks: a token's or an account's owner, or whoever sits at the server's own machine.
public struct Person: Sendable, Hashable {
    /// The name the audit gives: `account:li`, `token:12`, `local`.
    public let name: String
    public let role: Role
    /// The one cooperative of a clerk.
    public let cooperative: Int?
    /// The cooperatives that are other spellings of it.
    public let spellings: [Int]
    public let village: Int
    /// The account that the person is, or that made the token: what it makes ends with it.
    public let account: Int?
    /// The number of the token that was shown.
    public let token: Int?

    public init(
        name: String, role: Role, cooperative: Int?, spellings: [Int] = [], village: Int, account: Int? = nil,
        token: Int? = nil
    ) {
        self.name = name
        self.role = role
        self.cooperative = cooperative
        self.spellings = spellings
        self.village = village
        self.account = account
        self.token = token
    }

    /// Who holds the server's machine holds its data: the command line there is the administrator.
    public static func local(village: Int) -> Person {
        Person(name: "local", role: .administrator, cooperative: nil, village: village)
    }

    /// Of a person that is an account.
    public var username: String? {
        name.hasPrefix("account:") ? String(name.dropFirst("account:".count)) : nil
    }

    public var scope: Scope {
        Scope(village: village, cooperative: cooperative, spellings: spellings, actor: name, token: token)
    }
}
