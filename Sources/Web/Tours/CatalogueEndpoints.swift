import Documents
import Kernel
import Tours

extension Call {
    /// Refuses an edit whose `If-Match` names another version than the present one.
    var versionCheck: VersionCheck {
        { present in try requireMatch(EntityTag(version: Int64(present))) }
    }

    /// An answer whose tag is the version of what it tells.
    func answer<Value>(_ value: Value, _ shape: Shape<Value>, version: Int) -> Answer {
        .json(shape.json(value)).tagged(EntityTag(version: Int64(version)), for: self)
    }
}

extension Site {
    /// What the tour desk keeps: sites, programmes and resources.
    var catalogueEndpoints: [Endpoint] { siteEndpoints + programmeEndpoints + resourceEndpoints }

    private static let siteName = Endpoint.Parameter("site", .string(1...100), "The site's name")
    private static let programmeName = Endpoint.Parameter("programme", .string(1...100), "The programme's name")
    private static let name = Field("name", .string(1...100))
    private static let otherName = Field.optional("name", .string(1...100))

    private var siteEndpoints: [Endpoint] {
        let store = SiteStore(backend.database)
        let hours = Shapes.tourSite.optional("opens", "closes", "weekdays")
        return [
            Endpoint(
                .get, "/api/v1/tours/sites", "Where study tours go", access: .whoMay(.readTours),
                outcomes: [.init(200, "The sites", .list(of: Shapes.tourSite))]
            ) { call in
                .list(try await store.list(call.scope), Shapes.tourSite)
            },
            Endpoint(
                .post, "/api/v1/tours/sites", "Add a site", access: .whoMay(.planTours),
                body: .json(.object([Self.name] + Shapes.tourSite.required("kind") + hours)),
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
                return call.answer(site, Shapes.tourSite, version: site.version)
            },
            Endpoint(
                .patch, "/api/v1/tours/sites/{site}", "Change a site; sessions that are planned stay as they are",
                access: .whoMay(.planTours), pathParameters: [Self.siteName],
                body: .json(.object([Self.otherName] + Shapes.tourSite.optional("kind") + hours)),
                outcomes: [.init(200, "Changed", Shapes.tourSite)]
            ) { call in
                let plan = SiteStore.change(try call.path["site"].string, match: call.versionCheck) {
                    try Self.edit(&$0, call.body)
                }
                let site = try await backend.database.change(call.scope, plan)
                return call.answer(site, Shapes.tourSite, version: site.version)
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
                return .json(Shapes.tourSite.json(try await backend.database.change(call.scope, plan)))
            },
        ]
    }

    private static func edit(_ details: inout TourSite.Details, _ body: JSON) throws {
        if let name = body["name"].orNil { details.name = try name.string }
        if let kind = body["kind"].orNil { details.kind = try TourSite.Kind(named: kind.string) }
        if let opens = body["opens"].orNil { details.opens = try time(opens, "opens") }
        if let closes = body["closes"].orNil { details.closes = try time(closes, "closes") }
        if let weekdays = body["weekdays"].orNil { details.weekdays = try Weekdays(weekdays) }
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
        let rules = Shapes.tourProgramme.optional(
            "languages", "minGroup", "maxGroup", "holdMinutes", "changeHours", "freeCancelHours", "lateFeePercent",
            "noShowFeePercent")
        return [
            Endpoint(
                .get, "/api/v1/tours/programmes", "What study tours offer", access: .whoMay(.readTours),
                outcomes: [.init(200, "The programmes", .list(of: Shapes.tourProgramme))]
            ) { call in
                .list(try await store.list(call.scope), Shapes.tourProgramme)
            },
            Endpoint(
                .post, "/api/v1/tours/programmes", "Add a programme", access: .whoMay(.planTours),
                body: .json(.object([Self.name] + Shapes.tourProgramme.required("minutes", "price") + rules)),
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
                return call.answer(found, Shapes.tourProgramme, version: found.version)
            },
            Endpoint(
                .patch, "/api/v1/tours/programmes/{programme}",
                "Change a programme; bookings and sessions that are there keep their price and length",
                access: .whoMay(.planTours), pathParameters: [Self.programmeName],
                body: .json(.object([Self.otherName] + Shapes.tourProgramme.optional("minutes", "price") + rules)),
                outcomes: [.init(200, "Changed", Shapes.tourProgramme)]
            ) { call in
                let plan = ProgrammeStore.change(try call.path["programme"].string, match: call.versionCheck) {
                    try Self.edit(&$0, call.body)
                }
                let found = try await backend.database.change(call.scope, plan)
                return call.answer(found, Shapes.tourProgramme, version: found.version)
            },
            Endpoint(
                .post, "/api/v1/tours/programmes/{programme}/extras", "Add an extra to a programme",
                access: .whoMay(.planTours), pathParameters: [Self.programmeName],
                body: .json(.object(Shapes.tourExtra.required("kind", "name", "price"))),
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
                return .json(Shapes.tourProgramme.json(try await backend.database.change(call.scope, plan)))
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
        [
            Endpoint(
                .get, "/api/v1/tours/resources", "Guides, rooms and coaches", access: .whoMay(.readTours),
                outcomes: [.init(200, "The resources", .list(of: Shapes.tourResource))]
            ) { call in
                .list(try await ResourceStore(backend.database).list(call.scope), Shapes.tourResource)
            },
            Endpoint(
                .post, "/api/v1/tours/resources", "Add a guide, a room or a coach", access: .whoMay(.planTours),
                body: .json(.object([Self.name] + Shapes.tourResource.required("kind"))),
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
                body: .json(.object([Self.otherName] + Shapes.tourResource.optional("kind"))),
                outcomes: [.init(200, "Changed", Shapes.tourResource)]
            ) { call in
                let plan = ResourceStore.change(try call.path["resource"].string) { resource in
                    if let name = call.body["name"].orNil { resource.name = try name.string }
                    if let kind = call.body["kind"].orNil { resource.kind = try TourResource.Kind(named: kind.string) }
                }
                return .json(Shapes.tourResource.json(try await backend.database.change(call.scope, plan)))
            },
        ]
    }
}

extension Weekdays {
    init(_ json: JSON) throws { try self.init(days: json.array.map { try $0.int }) }
}
