import Kernel
import Registers

extension ImportReport {
    /// As commands and requests answer it.
    public func json(_ language: Language) -> JSON {
        [
            "read": JSON(read), "recorded": JSON(recorded), "updated": JSON(updated), "already": JSON(already),
            "changeCount": JSON(changeCount),
            "changes": .array(
                changes.map { changed in
                    [
                        "row": JSON(changed.row), "what": .string(changed.change.what),
                        "field": .string(changed.change.field),
                        "from": changed.change.from.map { .string($0) } ?? .null,
                        "to": .string(changed.change.to), "since": JSON(changed.change.since),
                    ]
                }),
            "changed": .array(
                changed.prefix(Self.maximumListed).map { changed in
                    [
                        "row": JSON(changed.row), "field": .string(changed.field),
                        "recorded": .string(changed.recorded), "entry": .integer(changed.entry),
                    ]
                }),
            "skipped": .array(
                skipped.map { ["row": JSON($0.row), "what": .string($0.what[language])] }),
            "refusedCount": JSON(refusedCount),
            "refused": .array(
                refused.map { refused in
                    [
                        "row": refused.row.map { JSON($0) } ?? .null,
                        "field": refused.field.map { .string($0) } ?? .null,
                        "reason": .string(refused.reason[language]),
                    ]
                }),
            "created": .array(created.map { .string($0[language]) }), "dryRun": .bool(isDryRun),
            "notes": .array(notes.map { .string($0[language]) }),
        ]
    }
}
