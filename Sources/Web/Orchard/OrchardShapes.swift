import Documents
import Kernel
import Orchard

/// How the orchard's values look in JSON: each with the schema that describes it.
extension Site {
    static let product = Schema.named(
        "Product",
        .object([
            Field("name", .string()), Field("unit", .string()), .optional("bestBeforeDays", .integer(1...3650)),
            Field("ceilingPerMu", .weight()), Field("varieties", .array(of: .string())),
        ]))

    static func render(_ product: Product) -> JSON {
        [
            "name": .string(product.name), "unit": .string(product.unit),
            "bestBeforeDays": product.bestBeforeDays.map { JSON($0) } ?? .null,
            "ceilingPerMu": JSON(product.ceilingPerMu),
            "varieties": .array(product.varieties.map { .string($0.name) }),
        ]
    }

    static let spelling = Schema.object([
        Field("name", .string(1...60)),
        .optional("mergedInto", .string(1...60), "The spelling that is meant, of one that was given up"),
    ])

    static func render(_ name: String, mergedInto: String?) -> JSON {
        ["name": .string(name), "mergedInto": Shapes.text(mergedInto)]
    }

    static let household = Schema.named(
        "Household",
        .object([
            Field("number", .string()), Field("head", .string()), Field("gridCell", .string()),
            Field("supportClass", .string()), Field("cooperative", .string()), Field("people", .integer(1...50)),
            .optional("phone", .string()),
        ]))

    static func render(_ household: Household) -> JSON {
        [
            "number": .string(household.number), "head": .string(household.head),
            "gridCell": .string(household.gridCell), "supportClass": .string(household.supportClass),
            "cooperative": .string(household.cooperative), "people": JSON(household.people),
            "phone": Shapes.text(household.phone),
        ]
    }

    static let plot = Schema.named(
        "Plot",
        .object([
            Field("number", .string()), Field("name", .string()), Field("cooperative", .string()),
            Field("household", .string()), Field("product", .string()),
            Field("areaCentimu", .integer(1...10_000_000), "Hundredths of a mu"),
            .optional("longitude", .string()), .optional("latitude", .string()),
        ]))

    static func render(_ plot: Plot) -> JSON {
        [
            "number": .string(plot.number), "name": .string(plot.name), "cooperative": .string(plot.cooperative),
            "household": .string(plot.household), "product": .string(plot.product),
            "areaCentimu": .integer(plot.areaCentimu), "longitude": Shapes.text(plot.longitude),
            "latitude": Shapes.text(plot.latitude),
        ]
    }

    static let householdPeriod = Schema.named(
        "HouseholdPeriod",
        .object([
            Field("from", .day), .optional("until", .day, "The first day on which something else held"),
            Field("head", .string()), Field("gridCell", .string()), Field("supportClass", .string()),
            Field("cooperative", .string()), Field("people", .integer(1...50)),
        ]))

    static func render(_ period: HouseholdPeriod) -> JSON {
        [
            "from": JSON(period.from), "until": period.until.map { JSON($0) } ?? .null, "head": .string(period.head),
            "gridCell": .string(period.gridCell), "supportClass": .string(period.supportClass),
            "cooperative": .string(period.cooperative), "people": JSON(period.people),
        ]
    }

    static let plotPeriod = Schema.named(
        "PlotPeriod",
        .object([
            Field("from", .day), .optional("until", .day, "The first day on which something else held"),
            Field("cooperative", .string()), Field("household", .string()), Field("product", .string()),
            Field("areaCentimu", .integer(1...10_000_000), "Hundredths of a mu"),
        ]))

    static func render(_ period: PlotPeriod) -> JSON {
        [
            "from": JSON(period.from), "until": period.until.map { JSON($0) } ?? .null,
            "cooperative": .string(period.cooperative), "household": .string(period.household),
            "product": .string(period.product), "areaCentimu": .integer(period.areaCentimu),
        ]
    }
}
