import Database

/// Runs a program that may be missing, and returns what it wrote when it ended well.
public func output(_ words: String...) async -> String? {
    await Task.detached {
        guard let outcome = try? await Command(words).run(), outcome.status == 0 else { return nil }
        return outcome.output
    }.value
}

/// Whether there is such a program.
@Sendable public func has(_ program: String) async -> Bool { await output("sh", "-c", "command -v \(program)") != nil }
