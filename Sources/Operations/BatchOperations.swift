import Access
import Backend
import Batches
import Codes
import Database
import Documents
import Kernel

extension Entry {
    static let batch = Entry(
        "number", option: "batch", "批次号", "The batch's number", .batch)
    static let reason = Entry("reason", "理由", "Why", .text(1...1000))
    /// The day of what is put right.
    static let correctionDay = Entry(
        "day", "更正的日期", "The correction's day", .day, .optional,
        help: Bilingual(
            zh: "更正的日期（默认今天；不能在已结账的日期）。", en: "The correction's day (default: today), after the books that are closed."),
        note: "Today unless told; after the books that are closed")
}

public enum CorrectBatch: Operation {
    public static let about = Bilingual(
        zh: "更正一次采收的登记；原来的登记仍然看得到。", en: "Puts a harvest's record right; what was recorded stays visible.")
    public static let permission = Permission.registerBatches
    public static let path = "/api/v1/batches/{number}/corrections"
    public static let command = "correct"
    public static let examples = """
        taoyuan batch correct --batch 424 --weight 1250kg --reason 多写了一个零
        taoyuan batch correct --batch 424 --slip C9001 --reason 补采收单号
        """
    public static let entries = [
        .batch,
        Entry(
            "weight", "正确的入库重量", "The right weight", .weight(1...Weight.limit), .optional,
            help: Bilingual(zh: "正确的入库重量及单位：1250kg、2500斤。", en: "The right weight with its unit: 1250kg, 2500斤.")),
        Entry("grade", "正确的等级", "The right grade", .text(1...60), .optional),
        Entry("slip", "正确的采收单号", "The right slip's number", .text(1...60), .optional),
        Entry("picker", "正确的采收人", "Who really picked it", .text(1...60), .optional), .reason, .correctionDay,
    ]
    public static let anyOf = ["weight", "grade", "slip", "picker"]
    public static let shape = Shapes.batch

    public static func plan(_ input: JSON, _ backend: Backend) throws -> Plan<Batch> {
        BatchStore.correct(
            try input["number"].int64,
            RightHarvest(
                weight: try input["weight"].orNil?.weight, grade: try input["grade"].orNil?.string,
                slip: try input["slip"].orNil?.string, picker: try input["picker"].orNil?.string),
            reason: try input["reason"].string, day: try input["day"].orNil?.day, today: backend.clock.today)
    }
}

public enum VoidBatch: Operation {
    public static let about = Bilingual(
        zh: "作废一个并不存在的批次及其溯源码；只在没有出库时。",
        en: "Voids a batch that never was, and its code, while nothing has left it.")
    public static let permission = Permission.registerBatches
    public static let path = "/api/v1/batches/{number}/void"
    public static let command = "void"
    public static let examples = "taoyuan batch void --batch 424 --reason 重复登记"
    public static let entries: [Entry] = [.batch, .reason, .correctionDay]
    public static let shape = Shape<Int64>(
        nil,
        [
            .init("batch", "批次", "batch", .batch) { $0 },
            .init("void", "作废", "void", .flag) { _ in true },
        ])

    public static func plan(_ input: JSON, _ backend: Backend) throws -> Plan<Int64> {
        let number = try input["number"].int64
        let plan = CodeStore.void(
            batch: number, reason: try input["reason"].string, day: try input["day"].orNil?.day,
            today: backend.clock.today)
        return planned(plan) { number }
    }

    public static func said(of number: Int64, _ input: JSON) -> Bilingual? {
        Bilingual(zh: "批次 \(number) 已作废，溯源码同时作废", en: "batch \(number) is void, and its code revoked")
    }

    public static func isDone(in backend: Backend) { backend.verification.forget() }
}
