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
                outcomes: [.init(200, "The summary", Self.summary)], patience: .minutes(1)
            ) { call in
                let by = try IncomeSummary.Dimension.list(call.query["by"].orNil?.string ?? "")
                let summary = try await IncomeRowStore(backend.database).summary(
                    from: call.query["from"].day, to: call.query["to"].day, by: by, call.scope)
                return .json(summary.json)
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
                    "rows": .array(rows.map(\.json)), "total": JSON(total),
                    "next": next.map { .string(Cursor.encode($0)) } ?? .null,
                ])
            },
            Endpoint(
                .post, "/api/v1/income/entries", "Enter income that is no sale", access: .whoMay(.enterIncome),
                body: .json(
                    .object([
                        Field("day", .day), Field("source", .enumeration(IncomeSource.entered.map(\.rawValue))),
                        Field("memo", .string(0...500)), Field("amount", .money(-Money.limit...Money.limit)),
                        .optional("corrects", .integer(1...Int64.max), "The entry that this one corrects"),
                    ])),
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
                let next = entries.count == page.limit ? entries.last?.id.description : nil
                return .page(entries.map(Shapes.incomeEntry), next: next)
            },
        ]
    }

    private static let summary = Schema.named(
        "IncomeSummary",
        .object([
            Field("from", .day), Field("to", .day),
            Field("by", .array(of: .enumeration(IncomeSummary.Dimension.allCases.map(\.rawValue)))),
            Field(
                "rows",
                .array(
                    of: .object(
                        IncomeSummary.Dimension.allCases.map { .optional($0.rawValue, .string()) }
                            + [Field("amount", .money(Int64.min...Int64.max))]), 0...1_000_000)),
            Field("total", .money(Int64.min...Int64.max)),
            Field("earlier", .money(Int64.min...Int64.max), "What of it corrects days before the period"),
            Field("claims", .money(0...Int64.max), "What tours of the period were charged and have not paid"),
        ]))

    private static let rows = Schema.named(
        "IncomeRows",
        .object([
            Field("rows", .array(of: row, 0...500)), Field("total", .money(Int64.min...Int64.max), "Of all pages"),
            Field("next", .string(1...500), "The `cursor` of the next page; null on the last", nullable: true),
        ]))

    private static let row = Schema.named(
        "IncomeRow",
        .object([
            Field("day", .day), Field("source", .enumeration(IncomeSource.allCases.map(\.rawValue))),
            Field(
                "what",
                .object([
                    Field("kind", .enumeration(IncomeRow.Kind.allCases.map(\.rawValue))),
                    Field("number", .integer(1...Int64.max), "Under which it is shown"),
                    Field("line", .integer(1...Int64.max), nullable: true),
                ])),
            Field("product", .string(), nullable: true), Field("cooperative", .string(), nullable: true),
            Field("channel", .string(), nullable: true), Field("household", .string(), nullable: true),
            Field("amount", .money(Int64.min...Int64.max)),
            Field("ofDay", .day, "The day of what it corrects", nullable: true),
        ]))

    private static func filter(_ query: JSON) throws -> IncomeFilter {
        var values: [IncomeSummary.Dimension: IncomeFilter.Value] = [:]
        for dimension in IncomeSummary.Dimension.allCases {
            if let text = try query[dimension.rawValue].orNil?.string { values[dimension] = .init(entered: text) }
        }
        return try IncomeFilter(from: query["from"].day, to: query["to"].day, values: values)
    }
}
