import Kernel
import Registers

/// How reports of imports look outside.
extension Shapes {
    /// - Parameter language: of the sentences, in JSON too.
    public static func importReport(in language: Language) -> Shape<ImportReport> {
        Shape(
            "ImportReport",
            [
                .init("read", "读到", "read", .rows, \.read), .init("recorded", "新记录", "recorded", .rows, \.recorded),
                .init("updated", "已更新", "updated", .rows, \.updated).read { $0.updated > 0 },
                .init("already", "早已记录", "already", .rows, \.already),
                .init("changeCount", "更改", "changes", .count(), \.changeCount),
                .init(
                    "changes", "更改", "changes", .list(of: .object(registerChange)),
                    note: "What was changed of what was there, and from when; the first thousand", \.changes),
                .init(
                    "changed", "可能改过的行", "changed rows", .list(of: .object(changedRow)),
                    note: "Rows that may be recorded ones, changed; refused unless it was said what they are"
                ) { Array($0.changed.prefix(ImportReport.maximumListed)) },
                .init(
                    "skipped", "跳过的行", "lines passed over", .list(of: .object(skippedRow(in: language))),
                    note: "Lines that are no rows: sep=, titles, units, totals", \.skipped),
                .init("refusedCount", "被拒", "refused", .rows, \.refusedCount).read { $0.refusedCount > 0 },
                .init(
                    "refused", "被拒", "refused", .list(of: .object(refusedRow(in: language))), \.refused),
                .init("created", "新增", "created", .list(of: .sentence(language)), \.created).read {
                    !$0.created.isEmpty
                },
                .init("dryRun", "试运行", "dry run", .flag, \.isDryRun),
                .init(
                    "notes", "说明", "notes", .list(of: .sentence(language)),
                    note: "What should be known beside the rows", \.notes),
                .init(
                    "ignoredColumns", "未用的列", "columns not used", .list(of: .text(0...1000, .lines)), \.ignoredColumns
                ).read { !$0.ignoredColumns.isEmpty },
                .reading("firstSkipped", "跳过的行", "lines passed over") { report, language in
                    let first = report.skipped.prefix(10).map { "\($0.row) \($0.what[language])" }
                    let more = report.skipped.count > first.count ? ["…"] : []
                    return (first + more).joined(separator: language == .chinese ? "、" : ", ")
                }.read { !$0.skipped.isEmpty },
            ],
            facts: [
                "read", "recorded", "updated", "already", "refusedCount", "created", "ignoredColumns", "firstSkipped",
            ])
    }

    public static let registerChange = Shape<ImportReport.Changed>(
        nil,
        [
            .init("row", "行", "row", .count(1...Int64.max), \.row),
            .init("what", "号", "number", .text(), note: "The household's or plot's number", \.change.what),
            .init("field", "字段", "field", .text(), note: "The column's header", \.change.field),
            .init("from", "原为", "was", optional: .text(), \.change.from),
            .init("to", "改为", "is", .text(), \.change.to), .init("since", "自", "from", .day, \.change.since),
        ], list: ["row", "what", "field", "from", "to", "since"], blank: "—")

    private static let changedRow = Shape<ChangedRow>(
        nil,
        [
            .init("row", "行", "row", .count(1...Int64.max), \.row),
            .init("field", "字段", "field", .text(), note: "The column that differs", \.field),
            .init("recorded", "账上", "recorded", .text(), note: "What is recorded", \.recorded),
            .init("entry", "账上编号", "entry", .number(), note: "The number of the recorded entry", \.entry),
        ])

    private static func skippedRow(in language: Language) -> Shape<SkippedRow> {
        Shape(
            nil,
            [
                .init("row", "行", "row", .count(1...Int64.max), \.row),
                .init("what", "什么", "what", .sentence(language), \.what),
            ])
    }

    public static func refusedRow(in language: Language) -> Shape<RefusedRow> {
        Shape(
            nil,
            [
                .init("row", "行", "row", optional: .count(1...Int64.max), \.row),
                .init("field", "字段", "field", optional: .text(), \.field),
                .init("reason", "原因", "reason", .sentence(language), \.reason),
            ], list: ["row", "field", "reason"], blank: "—")
    }
}

extension Shape.Member {
    /// The same, which people read only where there is something.
    fileprivate func read(where isAny: @escaping @Sendable (Value) -> Bool) -> Self {
        Self(
            name: name, title: title, alignsRight: alignsRight, field: field, json: json,
            text: { isAny($0) ? text($0, $1) : nil })
    }
}

extension Look where Value == Int {
    fileprivate static var rows: Self {
        Look(.integer(0...Int64.max), json: { JSON($0) }) { count, language in
            Bilingual(zh: "\(count) 行", en: count == 1 ? "1 row" : "\(count) rows")[language]
        }
    }
}

extension Look where Value == Bilingual {
    /// - Parameter language: in which it stands in JSON.
    fileprivate static func sentence(_ language: Language) -> Self {
        Look(.string(1...1000), json: { .string($0[language]) }) { $0[$1] }
    }
}
