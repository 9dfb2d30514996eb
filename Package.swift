// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// What Telemetry gives to whoever imports it.
let seen: [Target.Dependency] = [
    .product(name: "Logging", package: "swift-log"), .product(name: "CoreMetrics", package: "swift-metrics"),
]

/// A capability or a part of the house: imports the given modules of ours and nothing else, but for logs and metrics.
func room(_ name: String, _ modules: [String], plugins: [Target.PluginUsage] = []) -> Target {
    .target(
        name: name,
        dependencies: modules.map { .init(stringLiteral: $0) } + (modules.contains("Telemetry") ? seen : []),
        swiftSettings: strict, plugins: plugins)
}

func tests(_ name: String, _ modules: [String], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name, dependencies: modules.map { .init(stringLiteral: $0) }, resources: resources,
        swiftSettings: strict)
}

let capabilities = [
    "Access", "Orchard", "Batches", "Codes", "Sales", "Messages", "Tours", "Income", "Livelihood",
]
let house = ["Kernel", "Telemetry", "Postgres", "Signing", "Database", "Registers", "Backups"]

let package = Package(
    name: "taoyuan",
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng16", providers: [.apt(["libpng-dev"])]),

        // The schema and the pages become part of the program: it needs no files beside it.
        .executableTarget(name: "embed-files", swiftSettings: strict),
        .plugin(
            name: "EmbedFiles", capability: .buildTool(), dependencies: ["embed-files"], path: "Sources/EmbedFiles"),

        room("Kernel", []),
        .target(name: "Telemetry", dependencies: seen, swiftSettings: strict),
        room("Postgres", ["Kernel", "CPostgres"]),
        room("Signing", ["Kernel", "COpenSSL", "CQREncode", "CPNG"]),
        room("Database", ["Kernel", "Telemetry", "Postgres"], plugins: ["EmbedFiles"]),
        room("Registers", ["Kernel", "Telemetry", "Postgres", "Database"]),
        room("Backups", ["Kernel", "Postgres", "Signing", "Database"]),

        room("Access", ["Kernel", "Postgres", "Database", "Signing"]),
        room("Orchard", ["Kernel", "Postgres", "Database", "Registers"]),
        room("Batches", ["Kernel", "Postgres", "Database", "Registers", "Orchard"]),
        room(
            "Codes",
            ["Kernel", "Telemetry", "Postgres", "Database", "Registers", "Signing", "Orchard", "Batches"]),
        room("Sales", ["Kernel", "Postgres", "Database", "Registers", "Orchard", "Batches"]),
        room("Messages", ["Kernel", "Telemetry", "Postgres", "Database"]),
        room(
            "Tours",
            [
                "Kernel", "Telemetry", "Postgres", "Database", "Registers", "Signing", "Orchard", "Batches", "Codes",
                "Sales", "Messages",
            ]),
        room("Income", ["Kernel", "Postgres", "Database", "Registers"]),
        room("Livelihood", ["Kernel", "Postgres", "Database", "Income", "Tours"]),

        room("Backend", house + capabilities),

        .target(
            name: "Documents",
            dependencies: (["Kernel", "Database", "Signing", "Registers"] + capabilities).map {
                .init(stringLiteral: $0)
            } + [.product(name: "Mustache", package: "swift-mustache")], exclude: ["Pages"], swiftSettings: strict,
            plugins: ["EmbedFiles"]),
        room("Operations", house + capabilities + ["Backend", "Documents"]),
        .target(
            name: "Web",
            dependencies: ["Backend", "Documents", "Operations", .product(name: "Hummingbird", package: "hummingbird")]
                + seen
                + (house + capabilities).map { .init(stringLiteral: $0) },
            swiftSettings: strict),
        .target(
            name: "Commands",
            dependencies: [
                "Backend", "Documents", "Operations",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + seen + (house + capabilities).map { .init(stringLiteral: $0) },
            exclude: ["Pages"], swiftSettings: strict, plugins: ["EmbedFiles"]),
        // The two meet here alone, so that they are built side by side.
        .executableTarget(name: "taoyuan", dependencies: ["Commands", "Web"], swiftSettings: strict),

        // A real PostgreSQL for tests, a village in it, and the sample registers.
        .target(
            name: "TestSupport", dependencies: (house + capabilities).map { .init(stringLiteral: $0) },
            path: "Tests/TestSupport", exclude: ["Resources"], swiftSettings: strict),
        tests("KernelTests", ["Kernel"]),
        tests("PostgresTests", ["Postgres"]),
        tests("SigningTests", ["Kernel", "Signing"], resources: [.copy("Resources")]),
        tests("DatabaseTests", house + ["Codes", "Orchard", "TestSupport"]),
        tests("RegistersTests", ["Kernel", "Registers"]),
    ]
        + capabilities.map { tests("\($0)Tests", house + capabilities + ["TestSupport"]) } + [
            .testTarget(
                name: "BackendTests",
                dependencies: ["Backend", "TestSupport", .product(name: "InMemoryLogging", package: "swift-log")] + seen
                    + (house + capabilities).map { .init(stringLiteral: $0) },
                swiftSettings: strict),
            .testTarget(
                name: "TelemetryTests",
                dependencies: ["Telemetry", .product(name: "InMemoryLogging", package: "swift-log")] + seen,
                swiftSettings: strict),
            .testTarget(
                name: "DocumentsTests",
                dependencies: ["Documents", "TestSupport", .product(name: "Mustache", package: "swift-mustache")]
                    + (house + capabilities).map { .init(stringLiteral: $0) },
                swiftSettings: strict),
            .testTarget(
                name: "WebTests",
                dependencies: [
                    "Backend", "Documents", "Web", "TestSupport", .product(name: "Hummingbird", package: "hummingbird"),
                    .product(name: "Mustache", package: "swift-mustache"),
                    .product(name: "InMemoryLogging", package: "swift-log"),
                ] + seen + (house + capabilities).map { .init(stringLiteral: $0) },
                swiftSettings: strict),
            tests("CommandLineTests", ["taoyuan"]),
        ]
)
