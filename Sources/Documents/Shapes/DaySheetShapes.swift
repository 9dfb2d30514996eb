import Kernel
import Tours

/// How the desk's sheet of a day looks: in JSON, as a table, and on the page that is printed.
extension Shapes {
    /// - Parameter language: of what the gate saw.
    public static func daySheet(_ language: Language) -> Shape<DaySheet> {
        let lines = Look.list(of: .object(daySheetLine(language)), 0...100_000)
        let session = Shape<DaySheet.Session>(
            nil, daySheetSession.members + [.init("bookings", lines, \.lines)])
        return Shape(
            nil,
            [
                .init("day", "日期", "day", .day, \.day),
                .init("sessions", .list(of: .object(session)), \.sessions),
                .init("conflicts", .list(of: .object(gateConflict)), \.conflicts),
            ])
    }

    private static let daySheetSession = Shape<DaySheet.Session>(
        nil,
        [
            .init("session", .number(), \.id),
            .init("startsAt", .instant, \.startsAt),
            .init("endsAt", .instant, \.endsAt), .init("site", "基地", "site", .text(), \.site),
            .init("programme", "课程", "programme", .text(), \.programme),
            .init("capacity", .count(1...10_000), \.capacity),
            .init("cancelled", .flag, \.isCancelled),
            .reading("hours", "时间", "time") { session, _ in session.hours },
        ])

    static func daySheetLine(_ language: Language) -> Shape<DaySheet.Line> {
        Shape(
            nil,
            [
                .init("booking", "预约编号", "booking", .booking, \.booking.number),
                .init("reference", "预约号", "reference", .text(14...14), \.booking.reference.description),
                .init("unit", "单位", "unit", .text(), \.booking.unit),
                .init("unitKind", "单位类别", "kind", .word, \.booking.kind),
                .init("headcount", "人数", "heads", .count(1...10_000), \.visit.headcount),
                .init("arrived", "已到", "arrived", optional: .count(), \.visit.arrived),
                .init("leader", "带队人", "leader", .text(), \.booking.leader),
                .init("phone", "电话", "phone", .text(), \.booking.phone),
                .init("extras", "加项", "extras", .text(0...10_000), \.extras),
                .init("fee", .money(), \.booking.fee),
                .init("paid", .money(), \.booking.paid),
                .init("state", "状态", "state", .word, \.booking.state),
                .init("note", optional: .text(1...1000, .lines), \.booking.note),
                .init("gate", .list(of: .text(1...1000))) { $0.gate.map { $0[language] } },
                .reading("payment", "付款", "payment") { $0.booking.payment[$1] },
                .reading("remarks", "备注", "note") { $0.remarks($1) },
            ])
    }

    /// A booking's part in a session, as a table has it.
    fileprivate struct DaySheetRow: Sendable {
        let day: CivilDay
        let session: DaySheet.Session
        let line: DaySheet.Line
    }

    fileprivate static func daySheetRow(_ language: Language) -> Shape<DaySheetRow> {
        Shape(
            nil,
            [.init("day", "日期", "day", .day, \.day)] + daySheetSession.members(of: \.session)
                + daySheetLine(language).members(of: \.line),
            list: [
                "day", "hours", "site", "programme", "booking", "reference", "unit", "unitKind", "headcount", "arrived",
                "leader", "phone", "extras", "payment", "state", "remarks",
            ])
    }
}

extension DaySheet {
    /// One row a booking and session.
    public func csv(_ language: Language) -> [UInt8] {
        let rows = sessions.flatMap { session in
            session.lines.map { Shapes.DaySheetRow(day: day, session: session, line: $0) }
        }
        return Shapes.daySheetRow(language).csv(rows, language)
    }
}
