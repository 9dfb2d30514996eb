import Documents
import Kernel
import Tours

extension Call {
    /// Refuses an edit whose `If-Match` names another version than the present one.
    var versionCheck: VersionCheck {
        { present in try requireMatch(EntityTag(version: Int64(present))) }
    }
}

extension Site {
    /// What the tour desk keeps: sites, programmes and resources.
    var catalogueEndpoints: [Endpoint] { siteEndpoints + programmeEndpoints + resourceEndpoints }

    private static let siteName = Endpoint.Parameter("site", .string(1...100), "The site's name")
    private static let programmeName = Endpoint.Parameter("programme", .string(1...100), "The programme's name")

    private var siteEndpoints: [Endpoint] {
        let store = SiteStore(backend.database)
        let kind = Schema.enumeration(TourSite.Kind.allCases.map(\.rawValue))
        return [
            Endpoint(
                .get, "/api/v1/tours/sites", "Where study tours go", access: .whoMay(.readTours),
                outcomes: [.init(200, "The sites", .object([Field("items", .array(of: Shapes.tourSite))]))]
            ) { call in
                .json(["items": .array(try await store.list(call.scope).map(Shapes.tourSite))])
            },
            Endpoint(
                .post, "/api/v1/tours/sites", "Add a site", access: .whoMay(.planTours),
                body: .json(
                    .object([
                        Field("name", .string(1...100)), Field("kind", kind), .optional("opens", Shapes.timeOfDay),
                        .optional("closes", Shapes.timeOfDay), .optional("weekdays", Shapes.weekdays),
                    ])),
                outcomes: [.init(201, "Added", Shapes.tourSite)]
            ) { call in
                var details = TourSite.Details(
                    name: try call.body["name"].string,
                    kind: try TourSite.Kind(named: call.body["kind"].string))
                try Self.edit(&details, call.body)
                return try await carryOut(call, SiteStore.add(details), Shapes.tourSite)
            },
            Endpoint(
                .get, "/api/v1/tours/sites/{site}", "A site, with its version as its tag", access: .whoMay(.readTours),
                pathParameters: [Self.siteName], outcomes: [.init(200, "The site", Shapes.tourSite)]
            ) { call in
                let site = try await store.show(call.path["site"].string, call.scope)
                return .json(Shapes.tourSite(site)).tagged(EntityTag(version: Int64(site.version)), for: call)
            },
            Endpoint(
                .patch, "/api/v1/tours/sites/{site}", "Change a site; sessions that are planned stay as they are",
                access: .whoMay(.planTours), pathParameters: [Self.siteName],
                body: .json(
                    .object([
                        .optional("name", .string(1...100)), .optional("kind", kind),
                        .optional("opens", Shapes.timeOfDay), .optional("closes", Shapes.timeOfDay),
                        .optional("weekdays", Shapes.weekdays),
                    ])),
                outcomes: [.init(200, "Changed", Shapes.tourSite)]
            ) { call in
                let plan = SiteStore.change(try call.path["site"].string, match: call.versionCheck) {
                    try Self.edit(&$0, call.body)
                }
                let site = try await backend.database.change(call.scope, plan)
                return .json(Shapes.tourSite(site)).tagged(EntityTag(version: Int64(site.version)), for: call)
            },
            Endpoint(
                .post, "/api/v1/tours/sites/{site}/closures", "Close a site on a day without sessions",
                access: .whoMay(.planTours), pathParameters: [Self.siteName],
                body: .json(.object([Field("day", .day), Field("reason", .string(1...200))])),
                outcomes: [.init(201, "Closed", Shapes.tourSite)]
            ) { call in
                let plan = SiteStore.closeDay(
                    try call.path["site"].string, day: try call.body["day"].day,
                    reason: try call.body["reason"].string, today: backend.clock.today)
                return try await carryOut(call, plan, Shapes.tourSite)
            },
            Endpoint(
                .delete, "/api/v1/tours/sites/{site}/closures/{day}", "Open a site again on a day",
                access: .whoMay(.planTours),
                pathParameters: [Self.siteName, .init("day", .day, "The closed day")],
                outcomes: [.init(200, "Open", Shapes.tourSite)]
            ) { call in
                let plan = SiteStore.openDay(try call.path["site"].string, day: try call.path["day"].day)
                return .json(Shapes.tourSite(try await backend.database.change(call.scope, plan)))
            },
        ]
    }

    private static func edit(_ details: inout TourSite.Details, _ body: JSON) throws {
        if let name = body["name"].orNil { details.name = try name.string }
        if let kind = body["kind"].orNil { details.kind = try TourSite.Kind(named: kind.string) }
        if let opens = body["opens"].orNil { details.opens = try time(opens, "opens") }
        if let closes = body["closes"].orNil { details.closes = try time(closes, "closes") }
        if let weekdays = body["weekdays"].orNil { details.weekdays = try Shapes.weekdays(weekdays) }
    }

    static func time(_ json: JSON, _ field: String) throws -> TimeOfDay {
        do {
            return try TimeOfDay(json.string)
        } catch let refusal as Refusal {
            throw refusal.of(field: field)
        }
    }

    private var programmeEndpoints: [Endpoint] {
        let store = ProgrammeStore(backend.database)
        let rules: [Field] = [
            .optional("languages", .array(of: .string(2...2), 1...20)), .optional("minGroup", .integer(1...10_000)),
            .optional("maxGroup", .integer(1...10_000)), .optional("holdMinutes", .integer(5...43_200)),
            .optional("changeHours", .integer(0...8760)), .optional("freeCancelHours", .integer(0...8760)),
            .optional("lateFeePercent", .integer(0...100)), .optional("noShowFeePercent", .integer(0...100)),
        ]
        return [
            Endpoint(
                .get, "/api/v1/tours/programmes", "What study tours offer", access: .whoMay(.readTours),
                outcomes: [.init(200, "The programmes", .object([Field("items", .array(of: Shapes.tourProgramme))]))]
            ) { call in
                .json(["items": .array(try await store.list(call.scope).map(Shapes.tourProgramme))])
            },
            Endpoint(
                .post, "/api/v1/tours/programmes", "Add a programme", access: .whoMay(.planTours),
                body: .json(
                    .object(
                        [
                            Field("name", .string(1...100)), Field("minutes", .integer(10...1440)),
                            Field("price", Shapes.programmePrice, "A head"),
                        ] + rules)),
                outcomes: [.init(201, "Added", Shapes.tourProgramme)]
            ) { call in
                var details = TourProgramme.Details(
                    name: try call.body["name"].string, minutes: try call.body["minutes"].int,
                    price: try call.body["price"].money)
                try Self.edit(&details, call.body)
                return try await carryOut(call, ProgrammeStore.add(details), Shapes.tourProgramme)
            },
            Endpoint(
                .get, "/api/v1/tours/programmes/{programme}", "A programme, with its version as its tag",
                access: .whoMay(.readTours), pathParameters: [Self.programmeName],
                outcomes: [.init(200, "The programme", Shapes.tourProgramme)]
            ) { call in
                let found = try await store.show(call.path["programme"].string, call.scope)
                return .json(Shapes.tourProgramme(found)).tagged(EntityTag(version: Int64(found.version)), for: call)
            },
            Endpoint(
                .patch, "/api/v1/tours/programmes/{programme}",
                "Change a programme; bookings and sessions that are there keep their price and length",
                access: .whoMay(.planTours), pathParameters: [Self.programmeName],
                body: .json(
                    .object(
                        [
                            .optional("name", .string(1...100)), .optional("minutes", .integer(10...1440)),
                            .optional("price", Shapes.programmePrice),
                        ] + rules)),
                outcomes: [.init(200, "Changed", Shapes.tourProgramme)]
            ) { call in
                let plan = ProgrammeStore.change(try call.path["programme"].string, match: call.versionCheck) {
                    try Self.edit(&$0, call.body)
                }
                let found = try await backend.database.change(call.scope, plan)
                return .json(Shapes.tourProgramme(found)).tagged(EntityTag(version: Int64(found.version)), for: call)
            },
            Endpoint(
                .post, "/api/v1/tours/programmes/{programme}/extras", "Add an extra to a programme",
                access: .whoMay(.planTours), pathParameters: [Self.programmeName],
                body: .json(
                    .object([
                        Field("kind", .enumeration(TourExtra.Kind.allCases.map(\.rawValue))),
                        Field("name", .string(1...100)), Field("price", Shapes.programmePrice),
                    ])),
                outcomes: [.init(201, "Added", Shapes.tourProgramme)]
            ) { call in
                let extra = TourExtra(
                    kind: try TourExtra.Kind(named: call.body["kind"].string), name: try call.body["name"].string,
                    price: try call.body["price"].money)
                let plan = ProgrammeStore.addExtra(extra, to: try call.path["programme"].string)
                return try await carryOut(call, plan, Shapes.tourProgramme)
            },
            Endpoint(
                .delete, "/api/v1/tours/programmes/{programme}/extras/{extra}",
                "Remove an extra that no booking has", access: .whoMay(.planTours),
                pathParameters: [Self.programmeName, .init("extra", .string(1...100), "The extra's name")],
                outcomes: [.init(200, "Removed", Shapes.tourProgramme)]
            ) { call in
                let plan = ProgrammeStore.removeExtra(
                    try call.path["extra"].string, from: try call.path["programme"].string)
                return .json(Shapes.tourProgramme(try await backend.database.change(call.scope, plan)))
            },
        ]
    }

    private static func edit(_ details: inout TourProgramme.Details, _ body: JSON) throws {
        if let name = body["name"].orNil { details.name = try name.string }
        if let price = body["price"].orNil { details.price = try price.money }
        if let languages = body["languages"].orNil { details.languages = try languages.array.map { try $0.string } }
        let numbers: [(String, WritableKeyPath<TourProgramme.Details, Int>)] = [
            ("minutes", \.minutes), ("minGroup", \.minGroup), ("maxGroup", \.maxGroup),
            ("holdMinutes", \.holdMinutes), ("changeHours", \.changeHours), ("freeCancelHours", \.freeCancelHours),
            ("lateFeePercent", \.lateFeePercent), ("noShowFeePercent", \.noShowFeePercent),
        ]
        for (field, path) in numbers {
            if let number = body[field].orNil { details[keyPath: path] = try number.int }
        }
    }

    private var resourceEndpoints: [Endpoint] {
        let kind = Schema.enumeration(TourResource.Kind.allCases.map(\.rawValue))
        return [
            Endpoint(
                .get, "/api/v1/tours/resources", "Guides, rooms and coaches", access: .whoMay(.readTours),
                outcomes: [.init(200, "The resources", .object([Field("items", .array(of: Shapes.tourResource))]))]
            ) { call in
                let items = try await ResourceStore(backend.database).list(call.scope)
                return .json(["items": .array(items.map(Shapes.tourResource))])
            },
            Endpoint(
                .post, "/api/v1/tours/resources", "Add a guide, a room or a coach", access: .whoMay(.planTours),
                body: .json(.object([Field("name", .string(1...100)), Field("kind", kind)])),
                outcomes: [.init(201, "Added", Shapes.tourResource)]
            ) { call in
                let resource = TourResource(
                    name: try call.body["name"].string, kind: try TourResource.Kind(named: call.body["kind"].string))
                return try await carryOut(call, ResourceStore.add(resource), Shapes.tourResource)
            },
            Endpoint(
                .patch, "/api/v1/tours/resources/{resource}", "Give a resource another name or kind",
                access: .whoMay(.planTours),
                pathParameters: [.init("resource", .string(1...100), "The resource's name")],
                body: .json(.object([.optional("name", .string(1...100)), .optional("kind", kind)])),
                outcomes: [.init(200, "Changed", Shapes.tourResource)]
            ) { call in
                let plan = ResourceStore.change(try call.path["resource"].string) { resource in
                    if let name = call.body["name"].orNil { resource.name = try name.string }
                    if let kind = call.body["kind"].orNil { resource.kind = try TourResource.Kind(named: kind.string) }
                }
                return .json(Shapes.tourResource(try await backend.database.change(call.scope, plan)))
            },
        ]
    }
}
