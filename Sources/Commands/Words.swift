import ArgumentParser
import Documents
import Foundation
import Kernel

extension Language {
    /// What LC_ALL or LANG names unless `--lang` tells, or else Chinese.
    static let ofThisRun: Language = {
        if let asked = Arguments.ofThisRun.language { return asked }
        let environment = ProcessInfo.processInfo.environment
        let locale = ["LC_ALL", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        return locale.flatMap { Language(preferredIn: $0) } ?? .chinese
    }()
}

extension Language: ExpressibleByArgument {}

/// The one of two texts that this run's user reads.
func words(_ zh: String, _ en: String) -> String {
    Language.ofThisRun == .chinese ? zh : en
}

extension ArgumentHelp {
    /// The help that this run's user reads.
    /// - Parameter value: what stands for the option's value, if not the option's own name.
    static func words(_ zh: String, _ en: String, value: String? = nil) -> ArgumentHelp {
        ArgumentHelp(Language.ofThisRun == .chinese ? zh : en, valueName: value)
    }
}

/// An option's reader whose refusals the argument parser shows as they are.
func reading<Value>(
    _ read: @escaping @Sendable (String) throws -> Value
) -> @Sendable (String) throws -> Value {
    { text in
        do {
            return try read(text)
        } catch let refusal as Refusal {
            throw Unreadable(errorDescription: refusal.message[.ofThisRun])
        }
    }
}

private struct Unreadable: LocalizedError {
    let errorDescription: String?
}

extension Recorded {
    static let ofThisRun = Recorded(.ofThisRun)
}
