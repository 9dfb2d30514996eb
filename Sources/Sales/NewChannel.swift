import Database
import Kernel
import Orchard
import Postgres

/// Asks about a channel that nobody has sold by yet, since income is summed by channels and a slip of the pen makes one.
/// A village's first channel is asked about by nobody.
enum NewChannel {
    /// - Throws: a `Refusal` that names the channel that may be meant, or those that there are.
    static func ask(_ channel: String, _ transaction: Transaction, _ scope: Scope) async throws {
        let rows = try await transaction.query(
            """
            SELECT n.name, coalesce(w.meant, n.name) AS meant FROM sale_name n
            LEFT JOIN spelling w ON w.village_id = n.village_id AND w.kind = n.kind AND w.name = n.name
            WHERE n.village_id = \(scope.village) AND n.kind = \(NameKind.channel.rawValue)
            """)
        let known: [(name: String, meant: String)] = try rows.map {
            (name: try $0.decode("name"), meant: try $0.decode("meant"))
        }
        // Where somebody has just recorded it in another spelling, the sale's last write finds out.
        let form = CleanText.folded(channel)
        guard !known.isEmpty, !known.contains(where: { CleanText.folded($0.name) == form }) else { return }
        let told = CloseNames(known).first(closeTo: channel).map { [$0] } ?? Set(known.map(\.meant)).sorted()
        let names = told.prefix(10).map { "“\($0.shortened)”" }
        throw Refusal(
            .conflict, "new-channel", field: "channel",
            zh:
                "还没有渠道“\(channel.shortened)”，是不是\(names.joined(separator: "、"))？确实是新渠道就确认一下（--new-channel，newChannel）",
            en:
                "there is no channel “\(channel.shortened)” yet: is it \(names.joined(separator: " or "))? If it is new indeed, "
                + "say so (--new-channel, newChannel)")
    }
}
