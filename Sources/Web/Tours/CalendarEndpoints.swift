import Kernel
import Tours

extension Site {
    var calendarEndpoints: [Endpoint] {
        let store = CalendarStore(backend.database, village: backend.village.id, origin: backend.village.origin)
        let outcome = Endpoint.Outcome(200, "iCalendar (RFC 5545)", contentType: TourCalendar.contentType)
        return [
            Endpoint(
                .get, "/tours/calendar.ics", "The village's sessions as a calendar to subscribe to", access: .anyone,
                outcomes: [outcome]
            ) { call in
                try verifications?.check(call.client)
                return calendar(try await store.feed(today: backend.clock.today), call)
            },
            Endpoint(
                .get, "/tours/sessions/{session}.ics", "A session for one's own calendar", access: .anyone,
                pathParameters: [.init("session", .integer(1...Int64.max), "The session's number")],
                outcomes: [outcome]
            ) { call in
                try verifications?.check(call.client)
                return calendar([try await store.event(of: call.path["session"].int64)], call)
            },
        ]
    }

    private func calendar(_ events: [CalendarEvent], _ call: Call) -> Answer {
        let text = TourCalendar.text(events, village: backend.village.name, call.language)
        return .bytes(text, TourCalendar.contentType).tagged(for: call)
    }
}
