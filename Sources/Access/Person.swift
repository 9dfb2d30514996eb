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

    public init(name: String, role: Role, cooperative: Int?, spellings: [Int] = [], village: Int) {
        self.name = name
        self.role = role
        self.cooperative = cooperative
        self.spellings = spellings
        self.village = village
    }

    /// Who holds the server's machine holds its data: the command line there is the administrator.
    public static func local(village: Int) -> Person {
        Person(name: "local", role: .administrator, cooperative: nil, village: village)
    }

    public var scope: Scope {
        Scope(village: village, cooperative: cooperative, spellings: spellings, actor: name)
    }
}
