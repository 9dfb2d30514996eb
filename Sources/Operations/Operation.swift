import Access
import Backend
import Database
import Documents
import Kernel

/// Something that changes the books at somebody's word: who may, what is entered, what comes of it. The API's endpoint and
/// the command are made from it.
public protocol Operation: Sendable {
    associatedtype Made: Sendable

    /// In a sentence.
    static var about: Bilingual { get }
    static var permission: Permission { get }
    /// What is POSTed where; the entries that it names are no part of the body.
    static var path: String { get }
    /// What the command is called under its noun, and lines that can be typed.
    static var command: String { get }
    static var examples: String { get }
    static var entries: [Entry] { get }
    /// The names of entries of which at least one is entered; none unless told.
    static var anyOf: [String] { get }
    /// How what was made looks outside.
    static var shape: Shape<Made> { get }
    /// - Parameter input: the entries by name, each as its look has it.
    static func plan(_ input: JSON, _ backend: Backend) async throws -> Plan<Made>
    /// What is said of it, and all that is said.
    static func said(of made: Made, _ input: JSON) -> Bilingual?
    /// What people are shown as a list; nil tells its facts.
    static func listing(of made: Made) -> Listing?
    /// What has to be forgotten when it is done.
    static func isDone(in backend: Backend)
}

extension Operation {
    public static func said(of made: Made, _ input: JSON) -> Bilingual? { nil }
    public static func listing(of made: Made) -> Listing? { nil }
    public static func isDone(in backend: Backend) {}
    public static var anyOf: [String] { [] }

    /// The entries that the path names, in no order, and those of the body.
    public static var places: [Entry] { entries.filter { path.contains("{\($0.name)}") } }
    public static var body: [Entry] { entries.filter { !path.contains("{\($0.name)}") } }
}

/// The same plan with another value.
func planned<Value, Other: Sendable>(
    _ plan: @escaping Plan<Value>, _ transform: @escaping @Sendable (Value) -> Other
) -> Plan<Other> {
    { try await plan($0, $1).map(transform) }
}
