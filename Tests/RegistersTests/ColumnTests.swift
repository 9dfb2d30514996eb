import Kernel
import Testing

@testable import Registers

@Suite struct ColumnTests {
    @Test(arguments: [
        "重量斤", "重量(斤)", "重量（斤）", "重量（斤)", " 重量 斤 ", "\u{3000}重量\u{3000}(斤)", "重量【斤】", "\u{200B}重量\u{A0}斤", "\"重量\n斤\"",
        "净重", "净 重",
        "'重量斤",
    ])
    func spellings(_ header: String) async throws {
        let weight = Column("重量(斤)", also: ["净重"])
        let file = try Scratch("号,\(header)\nC1,12.5\n")
        let register = try await Register(path: file.path, columns: [Column("号"), weight])
        let row = try #require(try await register.rows().first)
        #expect(try row.weight(weight, unit: 500).grams == 6250)
    }

    @Test(arguments: [("Ｇｒａｄｅ１", "grade1"), ("GRADE 1", "grade1"), ("等级", "等级"), ("（）", "")])
    func plainForm(_ header: String, _ plain: String) {
        #expect(header.plainHeader == plain)
    }

    @Test func anyOrderWithColumnsThatNobodyKnows() async throws {
        let file = try Scratch("备注,b,,a ,电话\n1,2,3,4,5\n")
        let columns = [Column("a"), Column("b"), Column("c", required: false)]
        let register = try await Register(path: file.path, columns: columns)
        #expect(register.header == ["备注", "b", "", "a", "电话"])
        #expect(register.ignoredColumns == ["备注", "电话"])
        let row = try #require(try await register.rows().first)
        #expect(try row.text(columns[0]) == "4")
        #expect(try row.text(columns[1]) == "2")
        #expect(try row.optionalText(columns[2]) == nil)
        #expect(#expect(throws: Refusal.self) { try row.text(columns[2]) }?.field == "c")
        #expect(#expect(throws: UndeclaredColumn.self) { try row.text(Column("备注")) }?.name == "备注")
    }

    @Test func allThatIsMissingIsNamedAtOnce() async throws {
        let columns = [Column("户号"), Column("户主"), Column("网格"), Column("电话", required: false)]
        let refusal = try await refusal(of: "\n户主,合作社\n陈,韩\n".utf8, columns: columns)
        #expect(refusal?.code == "missing-columns")
        #expect(refusal?.row == 2)
        #expect(refusal?.message.zh == "缺少列：户号、网格；表中的列是：户主、合作社")
        #expect(refusal?.message.en == "missing columns: 户号, 网格; the columns found are: 户主, 合作社")
    }

    @Test(arguments: ["a,b,a", "a,b,Ａ", "a,x,x", "甲,b,乙"])
    func aHeaderStandsOnce(_ header: String) async throws {
        let refusal = try await refusal(of: "\(header)\n1,2,3\n".utf8, columns: [Column("a", also: ["甲", "乙"])])
        #expect(refusal?.code == "duplicate-column")
        #expect(refusal?.field == header.split(separator: ",").last.map(String.init))
    }

    @Test(arguments: ["摘要,备注", "备注,摘要"])
    func `a column of its own name leaves its other names to others`(_ header: String) async throws {
        let columns = [Column("摘要", also: ["备注"])]
        let file = try Scratch("\(header)\n\(header)\n")
        let register = try await Register(path: file.path, columns: columns)
        #expect(register.ignoredColumns == ["备注"])
        #expect(try await register.rows().first?.text(columns[0]) == "摘要")
    }
}
