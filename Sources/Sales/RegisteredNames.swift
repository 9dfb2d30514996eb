import Database
import Kernel
import Orchard
import Postgres
import Registers

/// The channels and buyers that a register of sales names. New channels that are close to known ones are asked about;
/// buyers are not, since people have similar names.
struct RegisteredNames: Sendable {
    /// By each name what is meant by it.
    private var known: [NameKind: KnownNames<String>] = [.channel: KnownNames(), .buyer: KnownNames()]
    private var questions: NameQuestions?
    private var new: [(kind: NameKind, name: String)] = []

    /// The new channels.
    var created: [Bilingual] {
        new.filter { $0.kind == .channel }.map { Bilingual(zh: "渠道“\($0.name)”", en: "channel “\($0.name)”") }
    }

    /// Reads the channels that are there.
    /// - Parameter channels: how many rows of the register have each.
    mutating func begin(
        channels: [String: Int], creating: Bool, _ transaction: Transaction, _ scope: Scope
    ) async throws {
        try await load(.channel, "true", transaction, scope)
        questions = creating ? nil : NameQuestions(of: channels, known: known[.channel]?.spellings ?? [])
    }

    /// Makes known which of these buyers are there.
    mutating func load(buyers: [String], _ transaction: Transaction, _ scope: Scope) async throws {
        let wanted = Set(buyers).filter { known[.buyer]?[$0] == nil }
        guard !wanted.isEmpty else { return }
        try await load(.buyer, "n.form = ANY(\(wanted.map(CleanText.folded))::text[])", transaction, scope)
    }

    private mutating func load(
        _ kind: NameKind, _ condition: SQL, _ transaction: Transaction, _ scope: Scope
    ) async throws {
        for row in try await transaction.query(
            """
            SELECT n.name, coalesce(w.meant, n.name) AS meant FROM sale_name n
            LEFT JOIN spelling w ON w.village_id = n.village_id AND w.kind = n.kind AND w.name = n.name
            WHERE n.village_id = \(scope.village) AND n.kind = \(kind.rawValue) AND \(condition)
            """)
        {
            let meant: String = try row.decode("meant")
            known[kind]?.add(try row.decode("name"), meant, meant: meant)
        }
    }

    /// The name that is meant by a text: itself, if it is new.
    func meant(_ kind: NameKind, by text: String) -> String { known[kind]?[text] ?? text }

    /// - Throws: a `Refusal` of the column, when the channel is new and asked about.
    func check(channel: String, in column: Column) throws {
        guard known[.channel]?[channel] == nil else { return }
        try questions?.check(channel, column.name, NameKind.channel.label)
    }

    /// Lets the names of a sale come into being as far as they are new.
    mutating func record(channel: String, buyer: String) {
        for (kind, name) in [(NameKind.channel, channel), (.buyer, buyer)] where known[kind]?[name] == nil {
            known[kind]?.add(name, name)
            new.append((kind, name))
        }
    }

    func writes(_ scope: Scope) -> [SQL] { SaleNames.record(new, scope) }
}
