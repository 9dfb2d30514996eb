import Kernel
import Orchard
import Tours

extension PrintedPages {
    /// The desk's sheet of a day, for A4.
    public static func daySheet(_ sheet: DaySheet, village: Village, language: Language) throws -> String {
        let heading = Bilingual(
            zh: "研学接待单 \(sheet.day.written.zh)（\(sheet.day.weekdayName.zh)）",
            en: "Tours on \(sheet.day.weekdayName.en), \(sheet.day.written.en)")
        let texts: [String: Bilingual] = [
            "heading": heading, "noSessions": Bilingual(zh: "这一天没有场次。", en: "There are no sessions on this day."),
            "noBookings": Bilingual(zh: "没有预约。", en: "No bookings."), "numberLabel": Bilingual(zh: "编号", en: "No."),
            "unitLabel": Bilingual(zh: "单位", en: "Group"), "headsLabel": Bilingual(zh: "人数", en: "People"),
            "arrivedLabel": Bilingual(zh: "已到", en: "Arrived"),
            "leaderLabel": Bilingual(zh: "带队人 / 电话", en: "Leader / phone"),
            "extrasLabel": Bilingual(zh: "加项", en: "Extras"), "paymentLabel": Bilingual(zh: "付款", en: "Payment"),
            "stateLabel": Bilingual(zh: "状态", en: "State"),
            "conflictsLabel": Bilingual(zh: "入口待处理（booking settle）", en: "To be settled at the gate (booking settle)"),
            "noteLabel": Bilingual(zh: "备注", en: "Note"),
        ]
        var values: [String: Any] = texts.mapValues { $0[language] }
        values["conflicts"] = sheet.conflicts.map { conflict in
            ["unit": conflict.unit, "number": "\(conflict.booking)", "text": conflict.remark[language]]
        }
        values["hasConflicts"] = !sheet.conflicts.isEmpty
        values["hasSessions"] = !sheet.sessions.isEmpty
        let line = Shapes.daySheetLine(language)
        values["sessions"] = sheet.sessions.map { session -> [String: Any] in
            [
                "hours": session.hours, "site": session.site, "programme": session.programme,
                "taken": taken(session)[language], "hasLines": !session.lines.isEmpty,
                "lines": session.lines.map { line.texts(of: $0, language) },
            ]
        }
        return try Pages().render("daysheet", title: heading[language], values, village: village, language)
    }

    private static func taken(_ session: DaySheet.Session) -> Bilingual {
        guard !session.isCancelled else { return Bilingual(zh: "场次已取消", en: "session cancelled") }
        return Bilingual(
            zh: "预约 \(session.heads) / \(session.capacity) 人，已到 \(session.arrived)",
            en: "\(session.heads) of \(session.capacity) booked, \(session.arrived) arrived")
    }
}
