import Documents
import Income
import Kernel

extension Site {
    var incomeEndpoints: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/income/summary", "Income over a period, cut by dimensions", access: Roles.incomeReaders,
                query: [
                    .init("from", .day, "The first day", required: true),
                    .init("to", .day, "The last day", required: true),
                    .init("by", .string(0...100), "Of month,source,product,cooperative,channel,household"),
                ],
                outcomes: [.init(200, "The summary", Self.summary)]
            ) { call in
                let by = try IncomeSummary.Dimension.list(call.query["by"].orNil?.string ?? "")
                let summary = try await IncomeStore(backend.database).summary(
                    from: call.query["from"].day, to: call.query["to"].day, by: by, call.scope)
                return .json(Self.render(summary))
            },
            Endpoint(
                .post, "/api/v1/income/entries", "Enter income that is no sale", access: Roles.committee,
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
                .get, "/api/v1/income/entries", "The entries, newest first", access: Roles.overseers,
                query: PageRequest.parameters,
                outcomes: [.init(200, "A page of entries", .page(of: Shapes.incomeEntry))]
            ) { call in
                let page = try call.page()
                let entries = try await IncomeStore(backend.database).list(
                    call.scope, before: Self.number(page.after), limit: page.limit)
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
        ]))

    private static func render(_ summary: IncomeSummary) -> JSON {
        let rows = summary.rows.map { row in
            JSON.object(
                zip(summary.by, row.values).map { JSON.Member($0.rawValue, Shapes.text($1)) }
                    + [JSON.Member("amount", JSON(row.amount))])
        }
        return [
            "from": JSON(summary.from), "to": JSON(summary.to),
            "by": .array(summary.by.map { .string($0.rawValue) }), "rows": .array(rows), "total": JSON(summary.total),
        ]
    }
}
