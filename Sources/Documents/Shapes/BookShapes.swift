import Database
import Kernel

/// How the closings of the books look outside.
extension Shapes {
    public static let closedThrough = Shape<CivilDay>(nil, [.init("through", "结到", "through", .day) { $0 }])

    public static let closing = Shape<ClosedBooks.Closing>(
        nil,
        [
            .init("through", "结到", "through", .day, \.through), .init("actor", "经手", "by", .actor, \.actor),
            .init("at", "结账时间", "closed", .instant, \.at),
        ], list: ["through", "actor", "at"])

    /// All closings, newest first, with the day through which the books are closed by them.
    public static let closings = Shape<[ClosedBooks.Closing]>(
        nil,
        [
            .init("through", "结到", "through", optional: .day) { $0.first?.through },
            .init("closings", "结账", "closings", .list(of: .object(closing)), note: "Newest first") { $0 },
        ])
}
