import Database
import Kernel
import Postgres

/// What names tell apart, and what a clerk may have spelt in two ways.
public enum NameKind: String, Sendable, CaseIterable, Labelled {
    case cooperative, variety, grade, channel, buyer

    /// - Throws: a `Refusal` that lists them.
    public init(named text: String) throws {
        guard let kind = NameKind(rawValue: text.trimmed) else {
            throw Refusal.unknown(
                .invalid, "unknown-name-kind", field: "kind", zh: "名称种类", en: "kind of name", name: text,
                known: Self.allCases.map(\.rawValue))
        }
        self = kind
    }

    public var label: Bilingual {
        switch self {
        case .cooperative: Bilingual(zh: "合作社", en: "cooperative")
        case .variety: Bilingual(zh: "品种", en: "variety")
        case .grade: Bilingual(zh: "等级", en: "grade")
        case .channel: Bilingual(zh: "渠道", en: "channel")
        case .buyer: Bilingual(zh: "买方", en: "buyer")
        }
    }
}

/// Makes two spellings one. Nothing that was recorded is rewritten: the spelling that is given up points to the one
/// that is meant, and both are found afterwards. What was merged the wrong way round is merged back the other way.
public enum NameMerge {
    /// - Parameters:
    ///   - from: the spelling that is given up, as it was recorded, blanks and all.
    ///   - to: the one that is meant, which must be there.
    ///   - creates: whether a channel or a buyer may get a name that nobody has used yet.
    /// - Throws: a `Refusal` that names the field.
    public static func merge(_ kind: NameKind, from: String, to: String, creates: Bool = false) -> Plan<Void> {
        { transaction, scope in
            guard scope.cooperative == nil else {
                throw Refusal(
                    .forbidden, "administrator-only", zh: "合并名称由管理员办理", en: "names are merged by an administrator")
            }
            guard from != to else {
                throw Refusal(
                    .invalid, "same-name", field: "to", zh: "两个名称相同", en: "the two names are the same")
            }
            guard !creates || kind == .channel || kind == .buyer else {
                throw Refusal(
                    .invalid, "nothing-to-create", field: "create",
                    zh: "合并\(kind.label.zh)不能新建名称：正确的写法须已登记，请不用 --create（create）",
                    en:
                        "a merge makes no new \(kind.label.en): the one that is meant must be there, so leave out --create "
                        + "(create)")
            }
            // Whoever writes numbers under either cooperative is done before they are compared, or sees them as one.
            let numbers = kind == .cooperative ? [ClosedBooks.holdAlone(scope)] : []
            // Two that point at each other would both be given up, and none be meant.
            _ = try await transaction.query(numbers + [Catalogue.hold(scope)])
            let writes =
                switch kind {
                case .cooperative, .variety, .grade: try await rows(kind, from, to, transaction, scope)
                case .channel, .buyer: try await texts(kind, from, to, creates, transaction, scope)
                }
            return Change(
                (), writes: writes, refusals: [SQL.rowsTouched: alreadyMerged(kind, from)],
                event: Event("name.merge", from, .text("name_kind", kind.rawValue), .text("meant", to)))
        }
    }

    /// Things with rows of their own. A variety is merged in every product that has both.
    private static func rows(
        _ kind: NameKind, _ from: String, _ to: String, _ transaction: Transaction, _ scope: Scope
    ) async throws -> [SQL] {
        let table: SQL =
            switch kind {
            case .cooperative: "cooperative"
            case .variety: "variety"
            default: "grade"
            }
        let sameProduct: SQL = kind == .variety ? " AND t.product_id = f.product_id" : ""
        let found = try await transaction.query(
            """
            SELECT f.id AS given_up, f.merged_into IS NOT NULL AS is_merged, t.id AS named,
                coalesce(t.merged_into, t.id) AS meant
            FROM \(table) f LEFT JOIN \(table) t ON t.village_id = f.village_id AND t.name = \(to)\(sameProduct)
            WHERE f.village_id = \(scope.village) AND f.name = \(from)
            """)
        guard !found.isEmpty else { throw try await unknown(kind, from, field: "from", transaction, scope) }
        let pairs = try found.compactMap { row -> (givenUp: Int, meant: Int, comesBack: Bool)? in
            if try row.decode("is_merged") { throw alreadyMerged(kind, from) }
            let givenUp: Int = try row.decode("given_up")
            guard let named: Int = try row.decode("named"), let meant: Int = try row.decode("meant") else { return nil }
            guard givenUp != named else { throw alreadyMerged(kind, to) }
            return (givenUp, givenUp == meant ? named : meant, givenUp == meant)
        }
        guard !pairs.isEmpty else {
            let products = kind == .variety ? try await products(with: to, transaction, scope) : []
            throw products.isEmpty
                ? try await unknown(kind, to, field: "to", transaction, scope)
                : Catalogue.ofAnotherProduct(variety: to, products: products).renamed(field: "to")
        }
        if kind == .cooperative, let pair = pairs.first {
            try await checkNumbers(pair.givenUp, pair.meant, transaction, scope)
        }
        return pairs.flatMap { givenUp, meant, comesBack -> [SQL] in
            let here: SQL = "village_id = \(scope.village)"
            let back: SQL = "UPDATE \(table) SET merged_into = NULL WHERE \(here) AND id = \(meant)"
            return (comesBack ? [back.touching(1)] : []) + [
                // Whoever is signed in for one of two spellings sees the rows of both from now on.
                News.tell(scope),
                // Those that were merged into it before are merged into what it means now.
                "UPDATE \(table) SET merged_into = \(meant) WHERE \(here) AND merged_into = \(givenUp)",
                ("UPDATE \(table) SET merged_into = \(meant)" as SQL
                    + " WHERE \(here) AND id = \(givenUp) AND merged_into IS NULL").touching(1),
            ]
        }
    }

    private static func products(
        with variety: String, _ transaction: Transaction, _ scope: Scope
    ) async throws -> [String] {
        try await transaction.query(
            """
            SELECT p.name FROM variety v JOIN product p ON p.village_id = v.village_id AND p.id = v.product_id
            WHERE v.village_id = \(scope.village) AND v.name = \(variety) ORDER BY p.name
            """
        ).map { try $0.decode("name") }
    }

    /// Slips and sales are known by number, year and cooperative: of one cooperative no two may have the same.
    private static func checkNumbers(
        _ givenUp: Int, _ meant: Int, _ transaction: Transaction, _ scope: Scope
    ) async throws {
        func both(_ table: SQL, _ number: SQL, _ day: SQL, _ counts: SQL) -> SQL {
            """
            SELECT number, year FROM (
                SELECT \(number) AS number, extract(year FROM \(day))::int AS year, c.id
                FROM \(table) t JOIN cooperative c ON c.village_id = t.village_id AND c.id = t.cooperative_id
                WHERE t.village_id = \(scope.village) AND \(number) IS NOT NULL AND \(counts)
                    AND \([givenUp, meant])::int[] && ARRAY[c.id, c.merged_into]
            ) n GROUP BY number, year HAVING count(DISTINCT id) > 1 ORDER BY year, number LIMIT 5
            """
        }
        let answers = try await transaction.query([
            both("batch", "slip", "harvested_on", "NOT voided"), both("sale", "number", "sold_on", "replaces IS NULL"),
        ])
        let clashes = try answers.flatMap {
            try $0.map { "\(try $0.decode("number", as: String.self))（\(try $0.decode("year", as: Int.self))）" }
        }
        guard clashes.isEmpty else {
            let listed = clashes.joined(separator: "、")
            throw Refusal(
                .conflict, "numbers-twice", field: "from",
                zh: "两个合作社当年都有这些单号：\(listed)；先更正其中一个的单号，或者它们本来就是两个合作社",
                en:
                    "both cooperatives have these numbers in a year: \(listed); correct those of one, or they are two indeed"
            )
        }
    }

    /// Texts that sales carry.
    private static func texts(
        _ kind: NameKind, _ from: String, _ to: String, _ creates: Bool, _ transaction: Transaction, _ scope: Scope
    ) async throws -> [SQL] {
        let column: SQL = kind == .channel ? "channel" : "buyer"
        let meant = try OrchardRules.name(to, field: "to", max: kind == .channel ? 40 : 200)
        let answers = try await transaction.query([
            "SELECT 1 AS found FROM sale WHERE village_id = \(scope.village) AND \(column) = \(from) LIMIT 1",
            "SELECT meant FROM spelling WHERE village_id = \(scope.village) AND kind = \(kind.rawValue) AND name = \(from)",
            "SELECT meant FROM spelling WHERE village_id = \(scope.village) AND kind = \(kind.rawValue) AND name = \(meant)",
            "SELECT \(SaleNames.meant(kind, by: meant, scope)) AS name",
        ])
        guard answers[1].isEmpty else { throw alreadyMerged(kind, from) }
        let given: String? = try answers[2].first?.decode("meant")
        if given == from { return [turned(kind, from, to: meant, scope)] }
        guard !answers[0].isEmpty else { throw try await unknown(kind, from, field: "from", transaction, scope) }
        let known: String? = try answers[3].first?.decode("name")
        guard creates || given != nil || known != nil else {
            throw try await unknown(kind, to, field: "to", transaction, scope)
        }
        // Of two spellings that differ in nothing that counts, the one that is the name may be given up for the other.
        let target = given ?? (known == from ? meant : known ?? meant)
        return [
            """
            UPDATE spelling SET meant = \(target)
            WHERE village_id = \(scope.village) AND kind = \(kind.rawValue) AND meant = \(from)
            """,
            """
            INSERT INTO spelling (village_id, kind, name, meant)
            VALUES (\(scope.village), \(kind.rawValue), \(from), \(target))
            """,
        ] + (known == nil ? SaleNames.record([(kind, target)], scope) : [])
    }

    /// What meant the one means the other from now on, and so does the one.
    private static func turned(_ kind: NameKind, _ from: String, to meant: String, _ scope: Scope) -> SQL {
        """
        UPDATE spelling SET name = CASE name WHEN \(meant) THEN \(from) ELSE name END, meant = \(meant)
        WHERE village_id = \(scope.village) AND kind = \(kind.rawValue) AND meant = \(from)
        """
    }

    private static func alreadyMerged(_ kind: NameKind, _ name: String) -> Refusal {
        Refusal(
            .conflict, "merged-already", field: "from", zh: "\(kind.label.zh)“\(name.shortened)”早已并入另一个名称",
            en: "the \(kind.label.en) “\(name.shortened)” has been merged already")
    }

    private static func unknown(
        _ kind: NameKind, _ name: String, field: String, _ transaction: Transaction, _ scope: Scope
    ) async throws -> Refusal {
        let names: SQL =
            switch kind {
            case .cooperative: "SELECT name FROM cooperative WHERE village_id = \(scope.village)"
            case .variety: "SELECT DISTINCT name FROM variety WHERE village_id = \(scope.village)"
            case .grade: "SELECT name FROM grade WHERE village_id = \(scope.village)"
            case .channel: "SELECT name FROM sale_name WHERE village_id = \(scope.village) AND kind = 'channel'"
            case .buyer: "SELECT name FROM sale_name WHERE village_id = \(scope.village) AND kind = 'buyer'"
            }
        let known = try await transaction.query("\(names) ORDER BY name").map { try $0.decode("name", as: String.self) }
        return Refusal.unknown(
            .notFound, "unknown-\(kind.rawValue)", field: field, zh: kind.label.zh, en: kind.label.en, name: name,
            known: known)
    }
}
