import Documents
import Hummingbird
import Kernel
import Livelihood
import NIOCore

extension Site {
    /// Reports are Chinese unless another language is asked for by name: what a browser prefers is no wish for a document.
    var livelihoodEndpoints: [Endpoint] {
        let format = Endpoint.Parameter(
            "format", .enumeration(LivelihoodFormat.allCases.map(\.rawValue)), "By default json")
        let outcomes = LivelihoodFormat.allCases.map { format in
            Endpoint.Outcome(
                200, "The report, format=\(format.rawValue)",
                format == .json ? Shapes.livelihood(in: .chinese).schema : nil, contentType: format.contentType)
        }
        return [
            Endpoint(
                .get, "/api/v1/reports/livelihood",
                "The livelihood section of a year; kept, unless the newest that is kept has the same figures",
                access: .whoMay(.readReports),
                query: [.init("year", .integer(2000...2199), "At most the present year", required: true), format],
                outcomes: outcomes, patience: .minutes(1)
            ) { call in
                let report = try await LivelihoodStore(backend.database).drawUp(
                    year: call.query["year"].int, clock: backend.clock, call.scope)
                return try answer(report, call)
            },
            Endpoint(
                .get, "/api/v1/reports/livelihood/{id}", "A report as it was drawn up", access: .whoMay(.readReports),
                pathParameters: [.init("id", .integer(1...Int64.max), "The report's number")], query: [format],
                outcomes: outcomes, patience: .minutes(1)
            ) { call in
                try answer(
                    try await LivelihoodStore(backend.database).show(call.path["id"].int64, call.scope), call)
            },
            Endpoint(
                .get, "/api/v1/reports", "The reports that were drawn up, newest first", access: .whoMay(.readReports),
                query: PageRequest.parameters,
                outcomes: [.init(200, "A page of reports", .page(of: Shapes.reportEntry))]
            ) { call in
                let page = try call.page()
                let reports = try await LivelihoodStore(backend.database).list(
                    call.scope, before: Self.number(page.after), limit: page.limit)
                return .page(reports, Shapes.reportEntry, page) { $0.id }
            },
        ]
    }

    private func answer(_ report: LivelihoodReport, _ call: Call) throws -> Answer {
        let name = try call.query["format"].orNil?.string
        let format = name.flatMap(LivelihoodFormat.init(rawValue:)) ?? .json
        let query = call.target.split(separator: "?", maxSplits: 1).dropFirst().first
        let language = query.flatMap { Language.named(inQuery: String($0)) } ?? .chinese
        var answer = Answer.bytes(try format.render(report, language), format.contentType)
        answer.headers[.contentLanguage] = language == .chinese ? "zh-CN" : "en"
        if format != .json {
            let file = "livelihood-\(report.figures.period.year)-\(report.id).\(format.fileExtension)"
            answer.headers[.contentDisposition] = "inline; filename=\"\(file)\""
        }
        if format == .html { answer.headers[.contentSecurityPolicy] = try LivelihoodPage().contentSecurityPolicy }
        return answer
    }
}
