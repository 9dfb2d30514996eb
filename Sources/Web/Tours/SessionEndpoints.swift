import Documents
import Kernel
import Tours

extension Site {
    private static let sessionID = Endpoint.Parameter("session", .integer(1...Int64.max), "The session's number")
    private static let resources = Schema.array(of: .string(1...100), 0...50)
    private static let period: [Endpoint.Parameter] = [
        .init("from", .day, "The first day; today unless told"),
        .init("to", .day, "The last day; three months after the first unless told"),
    ]

    var sessionEndpoints: [Endpoint] {
        let store = SessionStore(backend.database)
        return [
            Endpoint(
                .get, "/api/v1/tours/sessions", "The sessions that take bookings, by their beginnings",
                access: .anyone,
                query: Self.period + [.init("seats", .integer(1...10_000), "Only sessions with so many free seats")]
                    + PageRequest.parameters,
                outcomes: [.init(200, "A page of sessions", .page(of: Shapes.openSession))]
            ) { call in
                try verifications?.check(call.client)
                let page = try call.page()
                let (from, to) = try period(of: call)
                let sessions = try await store.open(
                    from: from, to: to, now: backend.clock.now(), seats: call.query["seats"].orNil?.int ?? 0,
                    after: Cursor.place(page.after, SessionPlace.init) ?? .beginning, limit: page.limit,
                    village: backend.village.id)
                return .page(sessions, Shapes.openSession, page, place: \.place)
            },
            Endpoint(
                .get, "/api/v1/tours/timetable", "All sessions with their seats, by their beginnings",
                access: .whoMay(.readTours),
                query: Self.period + [.init("site", .string(1...100), "Only sessions at this site")]
                    + PageRequest.parameters,
                outcomes: [.init(200, "A page of sessions", .page(of: Shapes.tourSession))]
            ) { call in
                let page = try call.page()
                let (from, to) = try period(of: call)
                let sessions = try await store.list(
                    from: from, to: to, site: call.query["site"].orNil?.string,
                    after: Cursor.place(page.after, SessionPlace.init) ?? .beginning, limit: page.limit, call.scope)
                return .page(sessions, Shapes.tourSession, page, place: \.place)
            },
            Endpoint(
                .post, "/api/v1/tours/sessions",
                "Plan a session, or with `until` one on each day that fits; the days that do not are named",
                access: .whoMay(.planTours),
                body: .json(
                    .object(
                        [Field("site", .string(1...100)), Field("programme", .string(1...100))]
                            + Shapes.tourSession.required("day", "time", "capacity") + [
                                .optional("resources", Self.resources), .optional("until", .day),
                            ] + Shapes.tourSite.optional("weekdays"))),
                outcomes: [.init(201, "Planned", Shapes.plannedSessions(.chinese))]
            ) { call in
                let new = NewSessions(
                    site: try call.body["site"].string, programme: try call.body["programme"].string,
                    day: try call.body["day"].day, time: try Self.time(call.body["time"], "time"),
                    capacity: try call.body["capacity"].int,
                    resources: try call.body["resources"].orNil?.array.map { try $0.string } ?? [],
                    until: try call.body["until"].orNil?.day,
                    weekdays: try call.body["weekdays"].orNil.map(Weekdays.init(_:)))
                return try await carryOut(
                    call, SessionStore.add(new, now: backend.clock.now()), Shapes.plannedSessions(call.language))
            },
            Endpoint(
                .get, "/api/v1/tours/sessions/{session}", "A session, with its version as its tag",
                access: .whoMay(.readTours), pathParameters: [Self.sessionID],
                outcomes: [.init(200, "The session", Shapes.tourSession)]
            ) { call in
                let session = try await store.show(call.path["session"].int64, call.scope)
                return call.answer(session, Shapes.tourSession, version: session.version)
            },
            Endpoint(
                .patch, "/api/v1/tours/sessions/{session}", "Change a session's capacity or its resources",
                access: .whoMay(.planTours), pathParameters: [Self.sessionID],
                body: .json(
                    .object(
                        Shapes.tourSession.optional("capacity") + [
                            .optional("resources", Self.resources, "In place of all it has")
                        ])),
                outcomes: [.init(200, "Changed", Shapes.tourSession)]
            ) { call in
                let plan = SessionStore.change(
                    try call.path["session"].int64, capacity: try call.body["capacity"].orNil?.int,
                    resources: try call.body["resources"].orNil?.array.map { try $0.string },
                    now: backend.clock.now(), match: call.versionCheck)
                let session = try await backend.database.change(call.scope, plan)
                return call.answer(session, Shapes.tourSession, version: session.version)
            },
            Endpoint(
                .post, "/api/v1/tours/sessions/{session}/steps",
                "Close a session to new bookings, reopen it, or cancel it when no seats are taken",
                access: .whoMay(.planTours), pathParameters: [Self.sessionID],
                body: .json(.object([Field("step", .enumeration(SessionStep.allCases.map(\.rawValue)))])),
                outcomes: [.init(201, "Done", Shapes.tourSession)]
            ) { call in
                guard let step = SessionStep(rawValue: try call.body["step"].string) else { throw Self.unknownStep }
                let plan = SessionStore.step(
                    step, try call.path["session"].int64, now: backend.clock.now(), match: call.versionCheck)
                return try await carryOut(call, plan, Shapes.tourSession)
            },
            Endpoint(
                .post, "/api/v1/tours/sessions/{session}/cancellations",
                "Cancel a session with its bookings, in one step: nothing is kept, everybody is told; who has other sessions "
                    + "keeps those",
                access: .whoMay(.planTours), pathParameters: [Self.sessionID],
                body: .json(.object([Field("reason", .string(1...200))])),
                outcomes: [.init(201, "Cancelled", Shapes.upsetSession)]
            ) { call in
                let plan = SessionStore.cancelWithBookings(
                    try call.path["session"].int64, reason: try call.body["reason"].string,
                    now: backend.clock.now(), match: call.versionCheck)
                return try await carryOut(call, plan, Shapes.upsetSession)
            },
            Endpoint(
                .post, "/api/v1/tours/sessions/{session}/moves",
                "Move a session to another day or time with its bookings; everybody is told, and may cancel for nothing",
                access: .whoMay(.planTours), pathParameters: [Self.sessionID],
                body: .json(
                    .object([
                        .optional("day", .day, "The same unless told"),
                        .optional("time", Look.timeOfDay.schema, "The same unless told"),
                        .optional("reason", .string(1...200)),
                    ])),
                outcomes: [.init(201, "Moved", Shapes.upsetSession)]
            ) { call in
                let plan = SessionStore.move(
                    try call.path["session"].int64, day: try call.body["day"].orNil?.day,
                    time: try call.body["time"].orNil.map { try Self.time($0, "time") },
                    reason: try call.body["reason"].orNil?.string, now: backend.clock.now(), match: call.versionCheck)
                return try await carryOut(call, plan, Shapes.upsetSession)
            },
        ]
    }

    private static let unknownStep = Refusal(
        .invalid, "unknown-step", field: "step", zh: "没有这一步", en: "there is no such step")

    private func period(of call: Call) throws -> (from: CivilDay, to: CivilDay) {
        let from = try call.query["from"].orNil?.day ?? backend.clock.today
        return (from, try call.query["to"].orNil?.day ?? from.adding(days: 92))
    }
}
