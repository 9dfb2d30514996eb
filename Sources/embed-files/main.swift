import Foundation

// embed-files FOLDER OUTPUT [EXTENSION]: writes OUTPUT, a Swift file that holds the text files of FOLDER.

/// The text as a Swift literal that keeps it to the byte.
func literal(_ text: String) -> String {
    var fence = "#"
    while text.contains(fence) { fence += "#" }
    var body = ""
    for scalar in text.unicodeScalars {
        // A carriage return in a source file would be read as a line feed; the others would draw warnings.
        let plain = scalar == "\n" || scalar == "\t" || scalar.properties.generalCategory != .control
        if plain && scalar != "\u{FEFF}" {
            body.unicodeScalars.append(scalar)
        } else {
            body += "\\\(fence)u{\(String(scalar.value, radix: 16))}"
        }
    }
    return "\(fence)\"\"\"\n\(body)\n\"\"\"\(fence)"
}

func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data("error: embed-files: \(message)\n".utf8))
    exit(1)
}

let arguments = CommandLine.arguments
guard arguments.count == 3 || arguments.count == 4 else { fail("usage: embed-files FOLDER OUTPUT [EXTENSION]") }
let folder = URL(filePath: arguments[1], directoryHint: .isDirectory)
let wanted = arguments.count == 4 ? "." + arguments[3] : ""

do {
    var entries = ""
    for name in try FileManager.default.subpathsOfDirectory(atPath: arguments[1]).sorted() {
        let isHidden = name.split(separator: "/").contains { $0.hasPrefix(".") }
        guard !isHidden, name.hasSuffix(wanted) else { continue }
        let file = folder.appending(path: name)
        guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
        guard let text = String(validating: try Data(contentsOf: file), as: UTF8.self) else {
            fail("\(name) is not UTF-8")
        }
        entries += "(\n\(literal(name)),\n\(literal(text))\n),\n"
    }
    let source = """
        /// Files of the source tree, by their path in it, sorted.
        enum EmbeddedFiles {
        static let all: [(name: String, text: String)] = [
        \(entries)]
        }

        """
    try Data(source.utf8).write(to: URL(filePath: arguments[2]), options: .atomic)
} catch {
    fail("\(error.localizedDescription)")
}
