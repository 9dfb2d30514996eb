import Access
import Batches
import Database
import Documents
import Kernel
import Orchard

extension Site {
    var orchardEndpoints: [Endpoint] {
        let store = OrchardStore(backend.database)
        return [
            Endpoint(
                .get, "/api/v1/cooperatives", "The cooperatives; a clerk sees one", access: .whoMay(.readGoods),
                outcomes: [.init(200, "The cooperatives", .list(of: Shapes.cooperative))]
            ) { call in
                .list(try await store.cooperatives(call.scope), Shapes.cooperative)
            },
            adding("cooperative", to: "/api/v1/cooperatives", .addCooperatives) { _, name in
                OrchardStore.addCooperative(name: name)
            },
            Endpoint(
                .get, "/api/v1/products", "The products with their varieties", access: .whoMay(.readGoods),
                outcomes: [.init(200, "The products", .list(of: Shapes.product))]
            ) { call in
                .list(try await store.products(call.scope), Shapes.product)
            },
            adding(
                "product", to: "/api/v1/products", .keepNames,
                [
                    .optional("bestBeforeDays", .integer(1...3650)),
                    Field("ceilingPerMu", .weight(1...100_000_000)),
                ]
            ) { body, name in
                OrchardStore.addProduct(
                    name: name, bestBeforeDays: try body["bestBeforeDays"].orNil?.int,
                    ceilingPerMu: try body["ceilingPerMu"].weight)
            },
            adding("variety", to: "/api/v1/varieties", .addVarieties, [Field("product", .string(1...60))]) {
                OrchardStore.addVariety(name: $1, product: try $0["product"].string)
            },
            Endpoint(
                .get, "/api/v1/grades", "The grades", access: .whoMay(.readGoods),
                outcomes: [.init(200, "The grades", .list(of: Shapes.grade))]
            ) { call in
                .list(try await store.grades(call.scope), Shapes.grade)
            },
            adding("grade", to: "/api/v1/grades", .addVarieties) { _, name in OrchardStore.addGrade(name: name) },
            Endpoint(
                .get, "/api/v1/households", "The households, by number", access: .whoMay(.readGoods),
                query: PageRequest.parameters, outcomes: [.init(200, "A page", .page(of: Shapes.household))]
            ) { call in
                let page = try call.page()
                let items = try await store.households(call.scope, after: page.after ?? "", limit: page.limit)
                return .page(items, Shapes.household, page, place: \.number)
            },
            Endpoint(
                .get, "/api/v1/plots", "The plots, by number", access: .whoMay(.readGoods),
                query: PageRequest.parameters, outcomes: [.init(200, "A page", .page(of: Shapes.plot))]
            ) { call in
                let page = try call.page()
                let items = try await store.plots(call.scope, after: page.after ?? "", limit: page.limit)
                return .page(items, Shapes.plot, page, place: \.number)
            },
            Endpoint(
                .get, "/api/v1/households/{household}", "A household as it is and as it was",
                access: .whoMay(.readGoods),
                pathParameters: [.init("household", .string(1...60), "The household's number")],
                outcomes: [
                    .init(200, "The household, and what held of it, newest first", Shapes.householdHistory)
                ]
            ) { call in
                .json(
                    Shapes.householdHistory.json(
                        try await store.household(call.path["household"].string, call.scope)))
            },
            Endpoint(
                .get, "/api/v1/plots/{plot}", "A plot as it is and as it was", access: .whoMay(.readGoods),
                pathParameters: [.init("plot", .string(1...60), "The plot's number")],
                outcomes: [.init(200, "The plot, and what held of it, newest first", Shapes.plotHistory)]
            ) { call in
                .json(Shapes.plotHistory.json(try await store.plot(call.path["plot"].string, call.scope)))
            },
            Endpoint(
                .post, "/api/v1/plots/{plot}/overrides", "Record an exception from a plot's ceiling",
                access: .whoMay(.grantExceptions),
                pathParameters: [.init("plot", .string(1...60), "The plot's number")],
                body: .json(
                    .object([
                        Field("season", .integer(1990...2199)), Field("extra", .weight()),
                        Field("reason", .string(1...1000)),
                    ])),
                outcomes: [.init(201, "Recorded", Shapes.plotException)]
            ) { call in
                let (plot, season) = (try call.path["plot"].string, try call.body["season"].int)
                let plan = HarvestStore.override(
                    plot: plot, season: season, extra: try call.body["extra"].weight,
                    reason: try call.body["reason"].string)
                return try await carryOut(call, plan) { Shapes.plotException.json((plot, season, $0)) }
            },
        ]
    }

    /// An endpoint that adds something with a name.
    /// - Parameter fields: what is told of it beside its name.
    private func adding(
        _ thing: String, to path: String, _ permission: Permission, _ fields: [Field] = [],
        _ plan: @escaping @Sendable (_ body: JSON, _ name: String) throws -> Plan<String>
    ) -> Endpoint {
        Endpoint(
            .post, path, "Add a \(thing)", access: .whoMay(permission),
            body: .json(.object([Field("name", .string(1...60))] + fields)),
            outcomes: [.init(201, "Added", Shapes.added(thing))]
        ) { call in
            try await carryOut(call, plan(call.body, call.body["name"].string), Shapes.added(thing))
        }
    }
}
