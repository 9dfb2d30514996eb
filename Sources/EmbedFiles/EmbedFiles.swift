import Foundation
import PackagePlugin

/// Turns the text files of a target into `EmbeddedFiles.swift`, so that the program needs no files beside it.
///
/// `Database` gets the package's `sql/**/*.sql`; any other target gets everything in its own `Pages/`.
@main
struct EmbedFiles: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        guard let target = target as? any SourceModuleTarget else { return [] }
        let ofDatabase = target.name == "Database"
        let folder =
            ofDatabase
            ? context.package.directoryURL.appending(path: "sql", directoryHint: .isDirectory)
            : target.directoryURL.appending(path: "Pages", directoryHint: .isDirectory)
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedFiles.swift")
        // The folders are inputs as well: their times change when a file is added or removed.
        let found = try FileManager.default.subpathsOfDirectory(atPath: folder.path(percentEncoded: false)).sorted()
        return [
            .buildCommand(
                displayName: "Embedding the files of \(folder.lastPathComponent) into \(target.name)",
                executable: try context.tool(named: "embed-files").url,
                arguments: [folder.path(percentEncoded: false), output.path(percentEncoded: false)]
                    + (ofDatabase ? ["sql"] : []),
                inputFiles: [folder] + found.map { folder.appending(path: $0) },
                outputFiles: [output])
        ]
    }
}
