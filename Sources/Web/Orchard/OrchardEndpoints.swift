import Batches
import Documents
import Kernel
import Orchard

extension Site {
    var orchardEndpoints: [Endpoint] {
        let name = Endpoint.Body.json(.object([Field("name", .string(1...60))]))
        let named = Schema.object([Field("name", .string(1...60))])
        let store = OrchardStore(backend.database)
        return [
            Endpoint(
                .get, "/api/v1/cooperatives", "The cooperatives; a clerk sees one", access: Roles.readers,
                outcomes: [.init(200, "The cooperatives", .object([Field("items", .array(of: named))]))]
            ) { call in
                let items = try await store.cooperatives(call.scope)
                return .json(["items": .array(items.map { ["name": .string($0.name)] })])
            },
            Endpoint(
                .post, "/api/v1/cooperatives", "Add a cooperative", access: Roles.administrator, body: name,
                outcomes: [.init(201, "Added", named)]
            ) { call in
                let plan = OrchardStore.addCooperative(name: try call.body["name"].string)
                return try await carryOut(call, plan) { ["name": .string($0)] }
            },
            Endpoint(
                .get, "/api/v1/products", "The products with their varieties", access: Roles.readers,
                outcomes: [.init(200, "The products", .object([Field("items", .array(of: Self.product))]))]
            ) { call in
                .json(["items": .array(try await store.products(call.scope).map(Self.render))])
            },
            Endpoint(
                .post, "/api/v1/products", "Add a product", access: Roles.administrator,
                body: .json(
                    .object([
                        Field("name", .string(1...60)), .optional("bestBeforeDays", .integer(1...3650)),
                        Field("ceilingPerMu", .weight(1...100_000_000)),
                    ])),
                outcomes: [.init(201, "Added", named)]
            ) { call in
                let plan = OrchardStore.addProduct(
                    name: try call.body["name"].string, bestBeforeDays: try call.body["bestBeforeDays"].orNil?.int,
                    ceilingPerMu: try call.body["ceilingPerMu"].weight)
                return try await carryOut(call, plan) { ["name": .string($0)] }
            },
            Endpoint(
                .post, "/api/v1/varieties", "Add a variety of a product", access: Roles.administrator,
                body: .json(.object([Field("name", .string(1...60)), Field("product", .string(1...60))])),
                outcomes: [.init(201, "Added", named)]
            ) { call in
                let plan = OrchardStore.addVariety(
                    name: try call.body["name"].string, product: try call.body["product"].string)
                return try await carryOut(call, plan) { ["name": .string($0)] }
            },
            Endpoint(
                .get, "/api/v1/grades", "The grades", access: Roles.readers,
                outcomes: [.init(200, "The grades", .object([Field("items", .array(of: named))]))]
            ) { call in
                let items = try await store.grades(call.scope)
                return .json(["items": .array(items.map { ["name": .string($0.name)] })])
            },
            Endpoint(
                .post, "/api/v1/grades", "Add a grade", access: Roles.administrator, body: name,
                outcomes: [.init(201, "Added", named)]
            ) { call in
                let plan = OrchardStore.addGrade(name: try call.body["name"].string)
                return try await carryOut(call, plan) { ["name": .string($0)] }
            },
            Endpoint(
                .get, "/api/v1/households", "The households, by number", access: Roles.readers,
                query: PageRequest.parameters, outcomes: [.init(200, "A page", .page(of: Self.household))]
            ) { call in
                let page = try call.page()
                let items = try await store.households(call.scope, after: page.after ?? "", limit: page.limit)
                return .page(items.map(Self.render), next: items.count == page.limit ? items.last?.number : nil)
            },
            Endpoint(
                .get, "/api/v1/plots", "The plots, by number", access: Roles.readers, query: PageRequest.parameters,
                outcomes: [.init(200, "A page", .page(of: Self.plot))]
            ) { call in
                let page = try call.page()
                let items = try await store.plots(call.scope, after: page.after ?? "", limit: page.limit)
                return .page(items.map(Self.render), next: items.count == page.limit ? items.last?.number : nil)
            },
            Endpoint(
                .post, "/api/v1/plots/{plot}/overrides", "Record an exception from a plot's ceiling",
                access: Roles.committee, pathParameters: [.init("plot", .string(1...60), "The plot's number")],
                body: .json(
                    .object([
                        Field("season", .integer(1990...2199)), Field("extra", .weight()),
                        Field("reason", .string(1...1000)),
                    ])),
                outcomes: [.init(201, "Recorded", .object([Field("ceiling", .weight(1...Int64.max))]))]
            ) { call in
                let plan = HarvestStore.override(
                    plot: try call.path["plot"].string, season: try call.body["season"].int,
                    extra: try call.body["extra"].weight, reason: try call.body["reason"].string)
                return try await carryOut(call, plan) { ["ceiling": JSON($0)] }
            },
        ]
    }

    private static let product = Schema.named(
        "Product",
        .object([
            Field("name", .string()), Field("unit", .string()), .optional("bestBeforeDays", .integer(1...3650)),
            Field("ceilingPerMu", .weight()), Field("varieties", .array(of: .string())),
        ]))

    private static func render(_ product: Product) -> JSON {
        [
            "name": .string(product.name), "unit": .string(product.unit),
            "bestBeforeDays": product.bestBeforeDays.map { JSON($0) } ?? .null,
            "ceilingPerMu": JSON(product.ceilingPerMu),
            "varieties": .array(product.varieties.map { .string($0.name) }),
        ]
    }

    private static let household = Schema.named(
        "Household",
        .object([
            Field("number", .string()), Field("head", .string()), Field("gridCell", .string()),
            Field("supportClass", .string()), Field("cooperative", .string()), Field("people", .integer(1...50)),
            .optional("phone", .string()),
        ]))

    private static func render(_ household: Household) -> JSON {
        [
            "number": .string(household.number), "head": .string(household.head),
            "gridCell": .string(household.gridCell), "supportClass": .string(household.supportClass),
            "cooperative": .string(household.cooperative), "people": JSON(household.people),
            "phone": Shapes.text(household.phone),
        ]
    }

    private static let plot = Schema.named(
        "Plot",
        .object([
            Field("number", .string()), Field("name", .string()), Field("cooperative", .string()),
            Field("household", .string()), Field("product", .string()),
            Field("areaCentimu", .integer(1...10_000_000), "Hundredths of a mu"),
            .optional("longitude", .string()), .optional("latitude", .string()),
        ]))

    private static func render(_ plot: Plot) -> JSON {
        [
            "number": .string(plot.number), "name": .string(plot.name), "cooperative": .string(plot.cooperative),
            "household": .string(plot.household), "product": .string(plot.product),
            "areaCentimu": .integer(plot.areaCentimu), "longitude": Shapes.text(plot.longitude),
            "latitude": Shapes.text(plot.latitude),
        ]
    }
}
