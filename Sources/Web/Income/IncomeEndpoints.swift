import Documents
import Income
import Kernel
import NIOCore

extension Site {
    var incomeEndpoints: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/income/summary", "Income over a period, cut by dimensions", access: .whoMay(.readIncome),
                query: [
                    .init("from", .day, "The first day", required: true),
                    .init("to", .day, "The last day", required: true),
                    .init("by", .string(0...100), "Of month,source,product,cooperative,channel,household"),
                ],
                outcomes: [.init(200, "The summary", Shapes.incomeSummary)], patience: .minutes(1)
            ) { call in
                let by = try IncomeSummary.Dimension.list(call.query["by"].orNil?.string ?? "")
                let summary = try await IncomeRowStore(backend.database).summary(
                    from: call.query["from"].day, to: call.query["to"].day, by: by, call.scope)
                return .json(Shapes.incomeSummary.json(summary))
            },
            Endpoint(
                .get, "/api/v1/income/lines", "The rows behind a figure of income, by day",
                access: .whoMay(.readIncome),
                query: PageRequest.parameters + [
                    .init("from", .day, "The first day", required: true),
                    .init("to", .day, "The last day", required: true),
                ]
                    + IncomeSummary.Dimension.allCases.map {
                        .init($0.rawValue, .string(0...200), "Only this \($0.rawValue); empty for those without one")
                    },
                outcomes: [.init(200, "A page of rows, and the sum of all", Self.rows)], patience: .minutes(1)
            ) { call in
                let page = try call.page()
                let filter = try Self.filter(call.query)
                let store = IncomeRowStore(backend.database)
                let rows = try await store.page(
                    filter, after: page.after.map(IncomeRowPlace.init), limit: page.limit, call.scope)
                let total = try await store.total(filter, call.scope)
                let next = rows.count == page.limit ? rows.last.map { IncomeRowPlace(after: $0).description } : nil
                return .json([
                    "rows": .array(rows.map(Shapes.incomeRow.json)), "total": JSON(total), "next": Cursor.told(next),
                ])
            },
            Endpoint(
                .post, "/api/v1/income/entries", "Enter income that is no sale", access: .whoMay(.enterIncome),
                body: .json(.object(Array(Shapes.incomeEntry.fields.dropFirst()))),
                outcomes: [.init(201, "Entered", Shapes.incomeEntry)]
            ) { call in
                let plan = IncomeStore.enter(
                    day: try call.body["day"].day, source: try IncomeSource(entered: call.body["source"].string),
                    memo: try call.body["memo"].string, amount: try call.body["amount"].money,
                    corrects: try call.body["corrects"].orNil?.int64, today: backend.clock.today)
                return try await carryOut(call, plan, Shapes.incomeEntry)
            },
            Endpoint(
                .get, "/api/v1/income/entries", "The entries, newest first", access: .whoMay(.readReports),
                query: PageRequest.parameters + [
                    .init("from", .day, "From this day on"), .init("to", .day, "Up to this day"),
                ],
                outcomes: [.init(200, "A page of entries", .page(of: Shapes.incomeEntry))]
            ) { call in
                let page = try call.page()
                let entries = try await IncomeStore(backend.database).list(
                    call.scope, before: Self.number(page.after), from: call.query["from"].orNil?.day,
                    to: call.query["to"].orNil?.day, limit: page.limit)
                return .page(entries, Shapes.incomeEntry, page) { $0.id }
            },
        ]
    }

    private static let rows = Schema.named(
        "IncomeRows",
        .object([
            Field("rows", .array(of: Shapes.incomeRow.schema, 0...500)),
            Field("total", .money(Int64.min...Int64.max), "Of all pages"), .next,
        ]))

    private static func filter(_ query: JSON) throws -> IncomeFilter {
        var values: [IncomeSummary.Dimension: IncomeFilter.Value] = [:]
        for dimension in IncomeSummary.Dimension.allCases {
            if let text = try query[dimension.rawValue].orNil?.string { values[dimension] = .init(entered: text) }
        }
        return try IncomeFilter(from: query["from"].day, to: query["to"].day, values: values)
    }
}
