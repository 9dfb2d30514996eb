import Kernel
import Registers

/// What a row says of a plot, with the names as they stand there.
struct PlotRow {
    let number: String
    let name: String
    let cooperative: String
    let household: String
    let product: String
    /// Hundredths of a mu.
    let area: Int64
    /// Millionths of a degree.
    let longitude: Int64?
    let latitude: Int64?

    init(_ row: RegisterRow, _ faults: inout RowFaults) throws {
        number = try faults.reading("") { try row.key(PlotRegister.number) }
        name = try faults.reading("") { try row.text(PlotRegister.name, max: 60) }
        cooperative = try faults.reading("") { try row.text(PlotRegister.cooperative, max: 60) }
        household = try faults.reading("") { try row.key(PlotRegister.household) }
        product = try faults.reading("") { try row.text(PlotRegister.product, max: 60) }
        area = try faults.reading(0) { try Self.centimu(row) }
        longitude = try faults.reading(nil) { try Self.degrees(row, PlotRegister.longitude, limit: 180) }
        latitude = try faults.reading(nil) { try Self.degrees(row, PlotRegister.latitude, limit: 90) }
    }

    private static func centimu(_ row: RegisterRow) throws -> Int64 {
        let centimu = try row.decimal(PlotRegister.area, places: 2)
        guard (1...10_000_000).contains(centimu) else {
            throw Refusal(
                .invalid, "out-of-range", field: PlotRegister.area.name, zh: "面积须大于 0 且不超过 100,000 亩",
                en: "an area is above 0 and at most 100,000 mu")
        }
        return centimu
    }

    private static func degrees(_ row: RegisterRow, _ column: Column, limit: Int64) throws -> Int64? {
        guard let value = try row.optionalDecimal(column, places: 6) else { return nil }
        guard abs(value) <= limit * 1_000_000 else {
            throw Refusal(
                .invalid, "out-of-range", field: column.name, zh: "须在 -\(limit) 到 \(limit) 度之间",
                en: "it must lie between -\(limit) and \(limit) degrees")
        }
        return value
    }
}

extension PlotRegister {
    public static func identity(of row: RegisterRow) throws -> RowIdentity {
        var faults = RowFaults()
        let said = try PlotRow(row, &faults)
        try faults.check()
        return RowIdentity(
            number: [said.number],
            content: [
                (name, said.name), (cooperative, CleanText.folded(said.cooperative)), (household, said.household),
                (product, CleanText.folded(said.product)), (area, "\(said.area)"),
                (longitude, said.longitude.map { "\($0)" }), (latitude, said.latitude.map { "\($0)" }),
            ])
    }
}
