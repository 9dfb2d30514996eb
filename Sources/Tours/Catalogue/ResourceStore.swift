import Database
import Kernel
import Postgres

/// Guides, rooms and coaches.
public struct ResourceStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// All of them, by kind and name.
    public func list(_ scope: Scope) async throws -> [TourResource] {
        try await database.query(
            "SELECT name, kind FROM tour_resource WHERE village_id = \(scope.village) ORDER BY kind, name", scope
        ).map(Self.resource)
    }

    public static func add(_ resource: TourResource) -> Plan<TourResource> {
        { _, scope in
            let name = try SiteRules.name(resource.name, field: "name")
            return Change(
                TourResource(name: name, kind: resource.kind),
                writes: [
                    """
                    INSERT INTO tour_resource (village_id, name, kind)
                    VALUES (\(scope.village), \(name), \(resource.kind.rawValue))
                    """
                ],
                refusals: ["tour_resource_name_once": SiteRules.taken(name)],
                event: Event("tour.resource.add", name, .text("resource", resource.kind.rawValue)))
        }
    }

    /// Gives a resource another name or kind.
    public static func change(
        _ name: String, _ edit: @escaping @Sendable (inout TourResource) throws -> Void
    ) -> Plan<TourResource> {
        { transaction, scope in
            let rows = try await transaction.query(
                """
                SELECT id, name, kind FROM tour_resource
                WHERE village_id = \(scope.village) AND name = \(name) FOR UPDATE
                """)
            guard let row = rows.first else { throw unknown(name) }
            var resource = try Self.resource(row)
            try edit(&resource)
            resource.name = try SiteRules.name(resource.name, field: "name")
            return Change(
                resource,
                writes: [
                    """
                    UPDATE tour_resource SET name = \(resource.name), kind = \(resource.kind.rawValue)
                    WHERE village_id = \(scope.village) AND id = \(try row.decode("id", as: Int.self))
                    """
                ],
                refusals: ["tour_resource_name_once": SiteRules.taken(resource.name)],
                event: Event("tour.resource.change", name))
        }
    }

    static func unknown(_ name: String) -> Refusal {
        Refusal(
            .notFound, "unknown-resource", field: "resource", zh: "没有名为“\(name.shortened)”的讲解员、教室或大巴",
            en: "there is no guide, room or coach “\(name.shortened)”")
    }

    private static func resource(_ row: Row) throws -> TourResource {
        TourResource(
            name: try row.decode("name"), kind: TourResource.Kind(rawValue: try row.decode("kind")) ?? .guide)
    }
}
