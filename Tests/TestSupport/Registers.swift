import Codes
import Database
import Foundation
import Income
import Kernel
import Orchard
import Postgres
import Registers
import Sales
import Tours

/// The registers of a village that does not exist, made for tests.
public enum Samples {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "Resources/samples")

    /// - Parameter name: such as `harvest.csv`.
    public static func path(_ name: String) -> String { folder.appending(path: name).path }

    /// The lines of a register, its header first.
    public static func lines(_ name: String) throws -> [String] {
        try String(contentsOfFile: path(name), encoding: .utf8).split(whereSeparator: \.isNewline).map(String.init)
    }

    /// The lines below the header, each as its cells.
    public static func cells(_ name: String) throws -> [[String]] {
        try lines(name).dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    }
}

/// What the sample registers sum up to, worked out by the registers' maker.
public struct Expectation: Decodable, Sendable {
    public struct Totals: Decodable, Sendable {
        public let salesFen: Int64
        public let toursFen: Int64
        public let otherFen: Int64
        public let peachJinTenths: Int64
        public let visitors: Int64
    }

    public let totals: [String: Totals]
    public let byCooperative2025Fen: [String: Int64]
    public let byMonth2025SalesFen: [String: Int64]

    public static func read() throws -> Expectation {
        try JSONDecoder().decode(Expectation.self, from: Data(contentsOf: URL(filePath: Samples.path("expect.json"))))
    }
}

extension TestVillage {
    /// Imports a register from a file.
    /// - Returns: the report, also of an import that recorded nothing because rows were refused.
    public func load<Recorder: RegisterRecorder & Sendable>(
        _ path: String, _ recorder: Recorder, kind: String = "test", as scope: Scope? = nil, partial: Bool = false,
        changed: ChangedRows? = nil, creates: Bool = false, unusualPrices: Bool = false, dryRun: Bool = false
    ) async throws -> ImportReport {
        let register = try await Register(path: path, columns: Recorder.columns)
        let choices = ImportChoices(
            partial: partial, changed: changed, creates: creates, unusualPrices: unusualPrices,
            dryRun: dryRun)
        do {
            return try await Import(database, scope: scope ?? committee, choices: choices).run(
                register, kind: kind, recorder: recorder, refusedRow: { _, _ in }, progress: { _ in })
        } catch let refused as ImportRefused {
            return refused.report
        }
    }

    /// Imports a register that is written here.
    public func load<Recorder: RegisterRecorder & Sendable>(
        lines: [String], _ recorder: Recorder, kind: String = "test", as scope: Scope? = nil, partial: Bool = false,
        changed: ChangedRows? = nil, creates: Bool = false, unusualPrices: Bool = false, dryRun: Bool = false
    ) async throws -> ImportReport {
        let file = path("register-\(UUID().uuidString.prefix(8)).csv")
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: file))
        return try await load(
            file, recorder, kind: kind, as: scope, partial: partial, changed: changed, creates: creates,
            unusualPrices: unusualPrices, dryRun: dryRun)
    }

    public func harvestRegister() throws -> HarvestRegister {
        HarvestRegister(signer: try keys.signer(), today: today)
    }

    /// - Parameter asOf: the day from which on it holds; nil for today.
    public func householdRegister(asOf: CivilDay? = nil) -> HouseholdRegister {
        HouseholdRegister(asOf: asOf, today: today)
    }

    /// - Parameter asOf: the day from which on it holds; nil for today.
    public func plotRegister(asOf: CivilDay? = nil) -> PlotRegister { PlotRegister(asOf: asOf, today: today) }

    /// Imports households, plots and harvests of the samples.
    public func loadHarvests() async throws {
        _ = try await load(Samples.path("households.csv"), householdRegister())
        _ = try await load(Samples.path("plots.csv"), plotRegister())
        _ = try await load(Samples.path("harvest.csv"), harvestRegister())
    }

    /// Imports all six registers.
    public func loadEverything() async throws {
        try await loadHarvests()
        _ = try await load(Samples.path("sales.csv"), SaleRegister(today: today))
        _ = try await load(Samples.path("income.csv"), IncomeRegister(today: today))
        _ = try await load(Samples.path("bookings.csv"), BookingRegister(today: today))
    }
}

/// The `Refusal` that the body throws; nil when it throws nothing. Every other error passes.
public func refusal(_ body: @Sendable () async throws -> some Any) async throws -> Refusal? {
    do {
        _ = try await body()
        return nil
    } catch let refusal as Refusal {
        return refusal
    }
}

/// The `PostgresError` that the body throws; nil when it throws nothing. Every other error passes.
public func postgresError(_ body: @Sendable () async throws -> some Any) async throws -> PostgresError? {
    do {
        _ = try await body()
        return nil
    } catch let error as PostgresError {
        return error
    }
}
