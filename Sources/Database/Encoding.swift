import Kernel
import Postgres

extension CivilDay: PostgresEncodable {
    public static var postgresType: StaticString? { "date" }
    public var postgresParameter: Parameter { .text(description) }
}

extension CivilDay: PostgresDecodable {
    public init(cell: Cell) throws {
        guard let day = CivilDay(iso: String(decoding: try cell.text(), as: UTF8.self)) else {
            throw cell.mismatch(CivilDay.self)
        }
        self = day
    }
}

extension Money: PostgresEncodable {
    public var postgresParameter: Parameter { fen.postgresParameter }
}

extension Money: PostgresDecodable {
    public init(cell: Cell) throws { self.init(fen: try Int64(cell: cell)) }
}

extension Weight: PostgresEncodable {
    public var postgresParameter: Parameter { grams.postgresParameter }
}

extension Weight: PostgresDecodable {
    public init(cell: Cell) throws { self.init(grams: try Int64(cell: cell)) }
}
