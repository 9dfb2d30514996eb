import Documents
import Income
import Kernel
import Tours

/// What `LivelihoodFormat.json` writes.
enum LivelihoodSchema {
    private static let anything = Int64.min...Int64.max
    private static let money = Schema.money(anything)
    private static let weight = Schema.weight(anything)
    private static let count = Schema.integer(0...Int64.max)
    private static let name = Schema.string(0...1000)
    private static let sentence = Schema.string(0...100_000)

    /// 161 is 16.1 per cent.
    private static func permille(_ name: String) -> Field {
        .optional(name, .integer(anything), "In tenths of a per cent")
    }

    private static func compared(_ schema: Schema) -> Schema {
        .object([
            Field("last", schema), Field("this", schema), Field("change", schema), permille("growthPermille"),
        ])
    }

    static let report = Schema.named(
        "LivelihoodReport",
        .object([
            Field("report", .integer(1...Int64.max), "Under which it can be shown again"),
            Field("village", name), Field("brand", name), Field("year", .integer(2000...2199)), Field("from", .day),
            Field("to", .day, "The year's last day, or the day on which it was drawn up"),
            Field("lastFrom", .day), Field("lastTo", .day), Field("madeAt", .instant), Field("madeBy", name),
            Field(
                "text",
                .object([
                    Field("title", name), Field("period", name),
                    Field(
                        "sections",
                        .array(
                            of: .object([Field("heading", name), Field("paragraphs", .array(of: sentence))]))),
                    Field("signature", .array(of: name)), Field("imprint", sentence),
                ])),
            Field(
                "core",
                .object([
                    Field("sales", compared(money)), Field("tours", compared(money)), Field("other", compared(money)),
                    Field("total", compared(money)), Field("batches", compared(.integer(anything))),
                    Field("groups", compared(.integer(anything))), Field("visitors", compared(.integer(anything))),
                    Field("households", count), Field("cooperatives", count),
                ])),
            Field(
                "income",
                .object([
                    Field(
                        "sources",
                        .array(
                            of: .object([
                                Field("source", .enumeration(IncomeSource.allCases.map(\.rawValue))),
                                Field("label", name), Field("last", money), Field("this", money),
                                permille("sharePermille"),
                            ]))),
                    Field("total", .object([Field("last", money), Field("this", money)])),
                ])),
            Field(
                "products",
                .array(
                    of: .object([
                        Field("product", name), Field("harvested", compared(weight)), Field("sold", compared(weight)),
                        Field("sales", compared(money)),
                        Field(
                            "balance",
                            .object(
                                ["harvested", "sold", "loss", "ownUse", "gift", "correction", "stock", "difference"]
                                    .map { Field($0, weight) } + [Field("isBalanced", .boolean)]),
                            "Of the batches harvested in the year, by its last day"),
                    ]))),
            Field(
                "tours",
                .object([
                    Field("months", .array(of: .object([Field("month", .integer(1...12))] + visits))),
                    Field(
                        "kinds",
                        .array(
                            of: .object(
                                [
                                    Field("kind", .enumeration(UnitKind.allCases.map(\.rawValue))),
                                    Field("label", name),
                                ] + visits))),
                    Field("total", .object(visits)),
                ])),
            Field(
                "households",
                .object([
                    Field(
                        "groups",
                        .array(of: .object([Field("classes", .array(of: name))] + members)),
                        "Classes of fewer than five households are merged"),
                    Field("unattributedSales", money), Field("total", .object(members)),
                ])),
            Field(
                "amendments",
                .array(
                    of: .object([
                        Field("title", name), Field("columns", .array(of: name)),
                        Field("rows", .array(of: .array(of: name))),
                    ])),
                "What was put right of earlier periods, and since a report that was given out before"),
        ]))

    private static let visits = [Field("groups", count), Field("people", count), Field("income", money)]
    private static let members = [Field("households", count), Field("people", count), Field("sales", money)]
}
