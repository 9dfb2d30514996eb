import Kernel

/// What somebody may be allowed to do. This is the one table of who may: the API's endpoints and whoever else asks for a
/// role ask it.
///
/// Strangers, who verify codes and book, and what everybody may who is signed in, need no permission. Which rows a clerk
/// reads and writes is the cooperative's matter, not the role's: row-level security bounds them.
public enum Permission: String, Sendable, CaseIterable {
    case readGoods
    case exportCodes
    case registerBatches
    case revokeCodes
    case recordSales
    case keepGrowers
    case addVarieties
    case addCooperatives
    case keepNames
    case grantExceptions
    case recallBatches
    case readIncome
    case enterIncome
    case readReports
    case closeBooks
    case readTours
    case planTours
    case bookDesk
    case gate
    case sendMessages
    case readKeys
    case manageKeys
    case manageAccounts
    case readAudit

    /// Who may. The administrator may everything: that is whoever sits at the server's own machine.
    public var roles: Set<Role> {
        switch self {
        case .readGoods, .exportCodes, .readIncome: [.clerk, .committee, .administrator, .auditor]
        case .keepGrowers: [.clerk, .committee, .administrator]
        case .registerBatches, .revokeCodes, .recordSales, .addVarieties: [.clerk, .administrator]
        case .addCooperatives, .grantExceptions, .recallBatches, .enterIncome, .closeBooks:
            [.committee, .administrator]
        case .readReports, .readKeys, .readAudit: [.committee, .administrator, .auditor]
        case .readTours: [.desk, .committee, .administrator, .auditor]
        case .planTours, .bookDesk, .gate, .sendMessages: [.desk, .administrator]
        case .keepNames, .manageKeys, .manageAccounts: [.administrator]
        }
    }

    public var label: Bilingual {
        switch self {
        case .readGoods:
            Bilingual(zh: "查看批次、销售、农户、地块与结账", en: "see batches, sales, growers, plots and closings of the books")
        case .exportCodes: Bilingual(zh: "取得批次的二维码标签", en: "get the label of a batch")
        case .registerBatches:
            Bilingual(
                zh: "登记采收（逐条或导入），更正、出库与撤销", en: "register harvests, one by one or as a register; correct and withdraw")
        case .revokeCodes: Bilingual(zh: "作废批次的码", en: "revoke a batch's codes")
        case .recordSales:
            Bilingual(
                zh: "登记销售（逐条或导入），更正与退货", en: "record sales, one by one or as a register; correct, take back goods")
        case .keepGrowers: Bilingual(zh: "导入农户与地块登记表", en: "import the registers of households and plots")
        case .addVarieties: Bilingual(zh: "新增品种与等级（逐条或随采收导入）", en: "add varieties and grades, alone or with harvests")
        case .addCooperatives: Bilingual(zh: "新增合作社（逐条或随农户导入）", en: "add cooperatives, alone or with households")
        case .keepNames: Bilingual(zh: "新增产品，合并名称", en: "add products, make two spellings of a name one")
        case .grantExceptions: Bilingual(zh: "批准地块产量上限的例外", en: "grant exceptions from a plot's ceiling")
        case .recallBatches: Bilingual(zh: "召回批次，结束召回", en: "recall batches, end recalls")
        case .readIncome: Bilingual(zh: "查看收入汇总与明细", en: "see income, summed and row by row")
        case .enterIncome: Bilingual(zh: "登记其他收入（逐条或导入）", en: "enter other income, one by one or as a register")
        case .readReports: Bilingual(zh: "查看其他收入条目与民生报告", en: "see entries of other income and livelihood reports")
        case .closeBooks: Bilingual(zh: "结账", en: "close the books")
        case .readTours: Bilingual(zh: "查看研学场次、预约与款项", en: "see sessions, bookings and their money")
        case .planTours: Bilingual(zh: "安排基地、课程、资源与场次", en: "plan sites, programmes, resources and sessions")
        case .bookDesk:
            Bilingual(
                zh: "办理预约、票、款项与采摘（逐条或导入）", en: "handle bookings, tickets, money and what groups pick; import bookings")
        case .gate: Bilingual(zh: "签到与处理签到冲突", en: "check groups in, settle conflicts of the gates")
        case .sendMessages: Bilingual(zh: "查看与重发通知", en: "see messages and try them again")
        case .readKeys: Bilingual(zh: "查看签名密钥", en: "see the signing keys")
        case .manageKeys: Bilingual(zh: "新建、停用签名密钥，登记失密", en: "make and retire signing keys, declare them compromised")
        case .manageAccounts: Bilingual(zh: "管理账号与令牌", en: "manage accounts and tokens")
        case .readAudit: Bilingual(zh: "查看操作记录", en: "see who did what")
        }
    }
}

extension Role {
    public func may(_ permission: Permission) -> Bool { permission.roles.contains(self) }
}
