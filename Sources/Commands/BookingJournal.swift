import Foundation
import Kernel
import Tours

/// An offline gate's journal on disk. Several gates of one machine may write the same one.
struct JournalFile {
    let path: String

    init(_ path: String) {
        self.path = path
    }

    /// Lets a group in and writes it down, while nobody else reads or writes the journal. What is in it stays: a line that
    /// is damaged or was never finished is named, and costs the others nothing.
    /// - Throws: a `Refusal` that says why they don't come in, or that the file can't be used.
    func admit(
        _ entry: CheckInEntry, at gate: OfflineGate
    ) throws -> (answer: CheckInAnswer, damage: [GateJournal.Damage]) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw unusable }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard flock(descriptor, LOCK_EX) == 0 else { throw unusable }
        let bytes: [UInt8]
        do {
            bytes = Array(try file.readToEnd() ?? Data())
        } catch {
            throw unusable
        }
        let journal = GateJournal.read(bytes)
        let (written, answer) = try gate.admit(entry, journal: journal.entries)
        let line = (journal.isComplete ? [] : [0x0A]) + (try GateJournal.line(written))
        do {
            try file.seekToEnd()
            try file.write(contentsOf: line)
            try file.synchronize()
        } catch {
            throw unusable
        }
        return (answer, journal.damage)
    }

    private var unusable: Refusal {
        Refusal(
            .unavailable, "journal-unusable", zh: "无法读写签到记录文件“\(path.shortened)”",
            en: "the journal “\(path.shortened)” can't be read and written")
    }
}
