import ArgumentParser
import Backend
import Batches
import Codes
import Documents
import Kernel

extension OpenRecall {
    /// Said before all else.
    func warning(of batch: Int64) -> String {
        let since = CivilDay(of: at)
        let text =
            self.batch == batch
            ? words("召回中：\(since) 起，原因：\(reason)", "UNDER RECALL since \(since): \(reason)")
            : words(
                "召回中：所用的批次 \(self.batch) 自 \(since) 起召回，原因：\(reason)",
                "UNDER RECALL with batch \(self.batch) since \(since): \(reason)")
        return Terminal.mark(text, good: false) + "\n"
    }
}

extension BatchHistory {
    func text(_ code: IssuedCode) -> String {
        var text = recall?.warning(of: batch.number.value) ?? ""
        if batch.isVoid { text += Terminal.mark(words("已作废", "VOID"), good: false) + "\n" }
        let facts = Shapes.batch.facts(of: batch, .ofThisRun) + Shapes.code.facts(of: code, .ofThisRun)
        text += Table(told: facts).text + "\n"
        if !corrections.isEmpty { text += Table(Shapes.batchCorrection, corrections).text + "\n" }
        return text + Table(Shapes.movement, movements).text
    }
}
