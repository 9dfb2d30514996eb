import Foundation
import Testing

/// What the command line prints and what the API answers of one thing.
@Suite struct SurfaceStories {
    /// A command, and the path that answers the same; where in its answer, if not as a whole.
    private struct Pair {
        let command: [String]
        let path: String
        var member: String?

        static func list(_ command: String, _ path: String, _ member: String = "items") -> Pair {
            Pair(command: command.split(separator: " ").map(String.init), path: path, member: member)
        }

        static func one(_ command: String, _ path: String) -> Pair {
            Pair(command: command.split(separator: " ").map(String.init), path: path)
        }
    }

    private static let pairs: [Pair] = [
        .list("household list", "households?limit=500"), .list("plot list", "plots?limit=500"),
        .list("product list", "products"), .list("grade list", "grades"), .list("cooperative list", "cooperatives"),
        .one("household show H001", "households/H001"), .one("plot show D01", "plots/D01"),
        .list("batch list", "batches"), .list("sale list", "sales"), .one("sale show --sale 1", "sales/1"),
        .list("income list", "income/entries"), .list("key list", "keys"), .one("books show", "books/closings"),
        .list("tour site list", "tours/sites"), .list("tour programme list", "tours/programmes"),
        .list("booking list", "tours/bookings"), .one("booking show 1", "tours/bookings/1"),
        .list("token list", "tokens"), .list("audit list", "audit"),
    ]

    /// Prints whether both say the same, member for member in one order, and what they say where they don't.
    private static let compare = """
        import json, sys, urllib.request
        printed, address, token, member = sys.argv[1:]
        ordered = lambda text: json.loads(text, object_pairs_hook=lambda pairs: pairs)
        request = urllib.request.Request(address, headers={"Authorization": "Bearer " + token})
        answered = ordered(urllib.request.urlopen(request).read())
        if member: answered = dict(answered)[member]
        printed = ordered(printed)
        if not printed: print("nothing to compare")
        if printed != answered: print(json.dumps([printed, answered], ensure_ascii=False)[:4000])
        """

    @Test func `the command line and the API tell the same of each thing`() async throws {
        let village = try await Village.founded()
        try await village.importSamples()
        _ = try await village.json("books", "close", "--through", "2020-12-31")
        let token = try #require(
            try await village.json("token", "create", "--role", "administrator")["token"] as? String)
        let running = try village.launch(Village.program, ["serve", "--port", "0"], input: "", environment: [:])
        let talk = try await running.errors(after: "Ctrl-C")
        let address = try #require(talk.firstMatch(of: /http:\/\/127\.0\.0\.1:\d+/)).output
        for pair in Self.pairs {
            let printed = try await village.run(pair.command + ["--json"])
            #expect(printed.status == 0, "\(pair.command): \(printed.errors)")
            let compared = try await village.launch(
                "/usr/bin/python3",
                ["-c", Self.compare, printed.output, "\(address)/api/v1/\(pair.path)", token, pair.member ?? ""],
                input: "", environment: [:]
            ).finish()
            #expect(compared.output.isEmpty && compared.status == 0, "\(pair): \(compared.output) \(compared.errors)")
        }
        running.signal(SIGTERM)
        _ = try await running.finish()
    }
}
