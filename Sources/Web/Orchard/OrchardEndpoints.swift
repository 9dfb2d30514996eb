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
                .get, "/api/v1/cooperatives", "The cooperatives; a clerk sees one", access: .whoMay(.readGoods),
                outcomes: [.init(200, "The cooperatives", .object([Field("items", .array(of: Self.spelling))]))]
            ) { call in
                let items = try await store.cooperatives(call.scope)
                return .json(["items": .array(items.map { Self.render($0.name, mergedInto: $0.mergedInto) })])
            },
            Endpoint(
                .post, "/api/v1/cooperatives", "Add a cooperative", access: .whoMay(.addCooperatives), body: name,
                outcomes: [.init(201, "Added", named)]
            ) { call in
                let plan = OrchardStore.addCooperative(name: try call.body["name"].string)
                return try await carryOut(call, plan) { ["name": .string($0)] }
            },
            Endpoint(
                .get, "/api/v1/products", "The products with their varieties", access: .whoMay(.readGoods),
                outcomes: [.init(200, "The products", .object([Field("items", .array(of: Self.product))]))]
            ) { call in
                .json(["items": .array(try await store.products(call.scope).map(Self.render))])
            },
            Endpoint(
                .post, "/api/v1/products", "Add a product", access: .whoMay(.keepNames),
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
                .post, "/api/v1/varieties", "Add a variety of a product", access: .whoMay(.addVarieties),
                body: .json(.object([Field("name", .string(1...60)), Field("product", .string(1...60))])),
                outcomes: [.init(201, "Added", named)]
            ) { call in
                let plan = OrchardStore.addVariety(
                    name: try call.body["name"].string, product: try call.body["product"].string)
                return try await carryOut(call, plan) { ["name": .string($0)] }
            },
            Endpoint(
                .get, "/api/v1/grades", "The grades", access: .whoMay(.readGoods),
                outcomes: [.init(200, "The grades", .object([Field("items", .array(of: Self.spelling))]))]
            ) { call in
                let items = try await store.grades(call.scope)
                return .json(["items": .array(items.map { Self.render($0.name, mergedInto: $0.mergedInto) })])
            },
            Endpoint(
                .post, "/api/v1/grades", "Add a grade", access: .whoMay(.addVarieties), body: name,
                outcomes: [.init(201, "Added", named)]
            ) { call in
                let plan = OrchardStore.addGrade(name: try call.body["name"].string)
                return try await carryOut(call, plan) { ["name": .string($0)] }
            },
            Endpoint(
                .get, "/api/v1/households", "The households, by number", access: .whoMay(.readGoods),
                query: PageRequest.parameters, outcomes: [.init(200, "A page", .page(of: Self.household))]
            ) { call in
                let page = try call.page()
                let items = try await store.households(call.scope, after: page.after ?? "", limit: page.limit)
                return .page(items.map(Self.render), next: items.count == page.limit ? items.last?.number : nil)
            },
            Endpoint(
                .get, "/api/v1/plots", "The plots, by number", access: .whoMay(.readGoods),
                query: PageRequest.parameters,
                outcomes: [.init(200, "A page", .page(of: Self.plot))]
            ) { call in
                let page = try call.page()
                let items = try await store.plots(call.scope, after: page.after ?? "", limit: page.limit)
                return .page(items.map(Self.render), next: items.count == page.limit ? items.last?.number : nil)
            },
            Endpoint(
                .get, "/api/v1/households/{household}", "A household as it is and as it was",
                access: .whoMay(.readGoods),
                pathParameters: [.init("household", .string(1...60), "The household's number")],
                outcomes: [
                    .init(
                        200, "The household, and what held of it, newest first",
                        .object([
                            Field("household", Self.household), Field("periods", .array(of: Self.householdPeriod)),
                        ]))
                ]
            ) { call in
                let (present, periods) = try await store.household(call.path["household"].string, call.scope)
                return .json([
                    "household": Self.render(present), "periods": .array(periods.map(Self.render)),
                ])
            },
            Endpoint(
                .get, "/api/v1/plots/{plot}", "A plot as it is and as it was", access: .whoMay(.readGoods),
                pathParameters: [.init("plot", .string(1...60), "The plot's number")],
                outcomes: [
                    .init(
                        200, "The plot, and what held of it, newest first",
                        .object([Field("plot", Self.plot), Field("periods", .array(of: Self.plotPeriod))]))
                ]
            ) { call in
                let (present, periods) = try await store.plot(call.path["plot"].string, call.scope)
                return .json(["plot": Self.render(present), "periods": .array(periods.map(Self.render))])
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
                outcomes: [.init(201, "Recorded", .object([Field("ceiling", .weight(1...Int64.max))]))]
            ) { call in
                let plan = HarvestStore.override(
                    plot: try call.path["plot"].string, season: try call.body["season"].int,
                    extra: try call.body["extra"].weight, reason: try call.body["reason"].string)
                return try await carryOut(call, plan) { ["ceiling": JSON($0)] }
            },
        ]
    }
}
