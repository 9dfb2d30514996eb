import ArgumentParser
import Backend
import Database
import Documents
import Foundation
import Kernel

/// What the options of every command are for.
protocol CommandOptions {
    var dataDirectory: String? { get }
    var json: Bool { get }
}

/// What every command takes.
struct ProgramOptions: ParsableArguments, CommandOptions {
    @Option(
        name: .customLong("data-dir"),
        help: .words(
            "内置 PostgreSQL 和密钥所在的目录（默认 .taoyuan）。",
            "Where the embedded PostgreSQL and the keys lie (default: .taoyuan)."))
    var dataDirectory: String?

    @Flag(help: .words("输出 JSON。", "Print JSON."))
    var json = false

    @Option(
        name: .customLong("lang"),
        help: .words("显示结果和提示的语言：zh 或 en（默认随系统）。", "The language of results and refusals; by default the locale's."))
    var language = Language.ofThisRun
}

/// What a command takes that is about one village.
struct SharedOptions: ParsableArguments, CommandOptions {
    @Option(
        help: .words(
            "哪个村：村名或其站点；数据库里有几个村时须说明。",
            "Which village, by its name or origin; needed where the database has several."))
    var village: String?

    @OptionGroup var program: ProgramOptions

    var dataDirectory: String? { program.dataDirectory }
    var json: Bool { program.json }
    var language: Language { program.language }

    /// Opens the backend for `body` and closes it whatever happens, so that the embedded PostgreSQL is released.
    /// - Parameter founding: what a data folder that is not there yet becomes; nil refuses that.
    func withBackend<Value: Sendable>(
        founding: Founding? = nil, _ body: @escaping @Sendable (Backend) async throws -> Value
    ) async throws -> Value {
        let configuration = try configuration()
        return try await Interruption.watching { [village] in
            let backend = try await Backend.open(
                configuration, village: village, founding: founding, settingUp: Self.tellSettingUp)
            do {
                try Task.checkCancellation()
                let value = try await body(backend)
                await backend.close()
                return value
            } catch {
                await backend.close()
                throw error
            }
        }
    }

    /// Reads something of this village.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database, Scope) async throws -> Value
    ) async throws -> Value {
        try await withBackend { backend in try await body(backend.database, backend.local.scope) }
    }

    /// Changes something in this village.
    func change<Value: Sendable>(
        _ plan: @escaping @Sendable (Backend) throws -> Plan<Value>
    ) async throws -> Value {
        try await withBackend { backend in
            try await backend.database.change(backend.local.scope, try plan(backend))
        }
    }

    /// Changes something in this village and shows what has become of it.
    func change<Value: Sendable>(
        _ shape: Shape<Value>, _ plan: @escaping @Sendable (Backend) throws -> Plan<Value>
    ) async throws {
        try show(try await change(plan), shape)
    }

    /// Says why the first command in a folder takes a while.
    static let tellSettingUp: @Sendable (String) -> Void = { folder in
        Terminal.say(
            words(
                "正在数据目录 \(folder) 中建立数据库，请稍候", "setting up a database in the data folder \(folder): this takes a while")
        )
    }
}

extension CommandOptions {
    func configuration() throws -> Configuration {
        try Configuration(environment: ProcessInfo.processInfo.environment, dataDirectory: dataDirectory)
    }

    /// Prints data, as JSON if so asked.
    func show(_ data: JSON, _ text: @autoclosure () -> String) throws {
        try Terminal.print(json ? data.text : text())
    }

    /// Prints a list.
    func show<Item>(_ items: [Item], json: (Item) -> JSON, _ columns: [Table.Column], row: (Item) -> [String?]) throws {
        if items.isEmpty, !self.json { return Terminal.say(words("没有记录", "nothing to show")) }
        try show(.array(items.map(json)), Table(columns, rows: items.map(row)).text)
    }

    func show<Value>(_ values: [Value], _ shape: Shape<Value>) throws {
        if values.isEmpty, !json { return Terminal.say(words("没有记录", "nothing to show")) }
        try show(.array(values.map(shape.json)), Table(shape, values).text)
    }

    func show<Value>(_ value: Value, _ shape: Shape<Value>) throws {
        try show(shape.json(value), Table(shape, of: value).text)
    }

    /// Prints one value as a list does.
    func show<Value>(listed value: Value, _ shape: Shape<Value>) throws {
        try show(shape.json(value), Table(shape, [value]).text)
    }

    /// Reports what was done, where there is nothing else to tell.
    func done(_ data: JSON, _ zh: String, _ en: String) throws {
        if json { try show(data, "") } else { Terminal.say(words(zh, en)) }
    }
}
