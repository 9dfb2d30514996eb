import Access
import Foundation
import Income
import Kernel
import Orchard
import Sales
import Tours

/// What the register keeps in words for programs, as people read it. What is kept stays as it is.
public struct Recorded: Sendable {
    public let language: Language

    public init(_ language: Language) {
        self.language = language
    }

    private func words(_ zh: String, _ en: String) -> String { Bilingual(zh: zh, en: en)[language] }

    /// An action of the audit, such as `batch.register`.
    public func action(_ action: String) -> String { words(Self.actions[action] ?? action, action) }

    /// The action of a text: itself, or what it is called in Chinese.
    @Sendable public static func action(named text: String) -> String {
        actions.filter { $0.value == text }.map(\.key).min() ?? text
    }

    /// What an action was done to.
    public func subject(_ subject: String, of action: String) -> String {
        if action.hasPrefix("import."), let kind = RegisterKind(rawValue: subject) { return kind.label[language] }
        // Tokens that were given no name are called by their role.
        if action == "token.create", let role = Role(rawValue: subject) { return role.label[language] }
        if action == "session.guess", subject == AccountStore.unknownName {
            return words("没有这个用户名", "no such username")
        }
        return subject
    }

    /// What happened to a booking, such as `checked_in`.
    public func event(_ what: String) -> String { words(Self.events[what] ?? what, what.replacing("_", with: " ")) }

    /// Who did it, such as `account:li`.
    public func actor(_ actor: String) -> String {
        let parts = actor.split(separator: ":", maxSplits: 1).map(String.init)
        if parts.count == 2, let kind = Self.actorKinds[parts[0]] { return words("\(kind) \(parts[1])", actor) }
        return words(Self.actors[actor] ?? actor, actor)
    }

    /// The actor of a text: itself, or as `actor` says it in Chinese.
    @Sendable public static func actor(named text: String) -> String {
        let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
        if parts.count == 2, let kind = actorKinds.first(where: { $0.value == parts[0] })?.key {
            return "\(kind):\(parts[1])"
        }
        return actors.first { $0.value == text }?.key ?? text
    }

    /// An event's figures; what can't be read is none.
    public static func object(_ figures: String) -> JSON { (try? JSON(parsing: Array(figures.utf8))) ?? [:] }

    /// An event's figures as one line: `金额 510.00 元，原因 抽检`.
    /// - Parameter figures: an object in JSON.
    public func figures(_ figures: String, day: CivilDay?) -> String {
        let members = (try? Self.object(figures).members) ?? []
        let order = Dictionary(uniqueKeysWithValues: Self.figureNames.enumerated().map { ($1.name, $0) })
        let sorted = members.sorted { (order[$0.key] ?? .max, $0.key) < (order[$1.key] ?? .max, $1.key) }
        let told = sorted.map { member in
            guard let figure = Self.figureNames.first(where: { $0.name == member.key }) else {
                return "\(member.key) \(Self.plain(member.value))"
            }
            let label = words(figure.zh, figure.en)
            let text = figure.text(member.value, self)
            return label.isEmpty ? text : "\(label) \(text)"
        }
        return ((day.map { ["\($0)"] } ?? []) + told).joined(separator: words("，", ", "))
    }

    private struct FigureName: Sendable {
        let name: String
        let zh: String
        let en: String
        var text: @Sendable (JSON, Recorded) -> String = { value, _ in plain(value) }
    }

    private static let figureNames: [FigureName] = [
        FigureName(name: "fen", zh: "", en: "", text: { $1.yuan($0) }),
        FigureName(name: "kept_fen", zh: "收取", en: "kept", text: { $1.yuan($0) }),
        FigureName(name: "granted_fen", zh: "减免", en: "granted", text: { $1.yuan($0) }),
        FigureName(name: "due_fen", zh: "应退", en: "to go back", text: { $1.yuan($0) }),
        FigureName(name: "grams", zh: "", en: "", text: weight),
        FigureName(name: "grams_before", zh: "原", en: "was", text: weight),
        FigureName(name: "grade", zh: "等级", en: "grade"),
        FigureName(name: "grade_before", zh: "原等级", en: "grade before"),
        FigureName(name: "slip", zh: "采收单号", en: "slip"),
        FigureName(name: "slip_before", zh: "原采收单号", en: "slip before"),
        FigureName(name: "picker", zh: "采收人", en: "picker"),
        FigureName(name: "picker_before", zh: "原采收人", en: "picker before"),
        FigureName(name: "movement", zh: "出库", en: "movement"),
        FigureName(name: "line", zh: "行", en: "line"),
        FigureName(name: "goods", zh: "", en: "", text: word(SaleCorrection.Goods.self)),
        FigureName(name: "replaces", zh: "重新登记销售", en: "replaces sale"),
        FigureName(name: "people", zh: "人数", en: "people"),
        FigureName(name: "people_before", zh: "原人数", en: "people before"),
        FigureName(name: "household", zh: "户号", en: "household"),
        FigureName(name: "household_before", zh: "原户号", en: "household before"),
        FigureName(name: "cooperative", zh: "合作社", en: "cooperative"),
        FigureName(name: "cooperative_before", zh: "原合作社", en: "cooperative before"),
        FigureName(name: "head", zh: "户主", en: "head"),
        FigureName(name: "head_before", zh: "原户主", en: "head before"),
        FigureName(name: "grid_cell", zh: "网格", en: "grid cell"),
        FigureName(name: "grid_cell_before", zh: "原网格", en: "grid cell before"),
        FigureName(name: "support_class", zh: "帮扶类别", en: "support class"),
        FigureName(name: "support_class_before", zh: "原帮扶类别", en: "support class before"),
        FigureName(name: "name_before", zh: "原名", en: "was called"),
        FigureName(name: "brand", zh: "品牌", en: "brand"),
        FigureName(name: "brand_before", zh: "原品牌", en: "brand before"),
        FigureName(name: "product", zh: "作物", en: "crop"),
        FigureName(name: "product_before", zh: "原作物", en: "crop before"),
        FigureName(name: "mu", zh: "面积（亩）", en: "mu"),
        FigureName(name: "mu_before", zh: "原面积（亩）", en: "mu before"),
        FigureName(name: "booked", zh: "预约人数", en: "booked"),
        FigureName(name: "arrived", zh: "已到", en: "arrived"),
        FigureName(name: "over", zh: "超出容量", en: "beyond the capacity"),
        FigureName(name: "undone", zh: "撤销", en: "taken back", text: word(BookingState.self)),
        FigureName(name: "state", zh: "状态", en: "state", text: word(BookingState.self)),
        FigureName(name: "check_in", zh: "签到", en: "check-in"),
        FigureName(name: "conflict", zh: "待处理", en: "conflict"),
        FigureName(name: "why", zh: "", en: "", text: word(GateConflict.Why.self)),
        FigureName(name: "verdict", zh: "", en: "") { value, told in
            switch value {
            case "accepted": told.words("认可", "accepted")
            case "dismissed": told.words("不认可", "dismissed")
            default: plain(value)
            }
        },
        FigureName(name: "session", zh: "场次", en: "session"),
        FigureName(name: "sessions", zh: "场次", en: "sessions"),
        FigureName(name: "sessions_before", zh: "原场次", en: "sessions before"),
        FigureName(name: "time", zh: "开始", en: "starts"),
        FigureName(name: "capacity", zh: "名额", en: "capacity"),
        FigureName(name: "sale", zh: "销售", en: "sale"),
        FigureName(name: "sales", zh: "销售", en: "sales"),
        FigureName(name: "corrects", zh: "更正第", en: "corrects entry"),
        FigureName(name: "how", zh: "方式", en: "by"),
        FigureName(name: "payment", zh: "第", en: "payment"),
        FigureName(name: "day_before", zh: "原日期", en: "day before"),
        FigureName(name: "bookings", zh: "预约数", en: "bookings"),
        FigureName(name: "by", zh: "由", en: "by") { value, told in
            value == .string("village") ? told.words("村里", "the village") : plain(value)
        },
        FigureName(name: "source", zh: "来源", en: "source", text: word(IncomeSource.self)),
        FigureName(name: "role", zh: "", en: "", text: word(Role.self)),
        FigureName(name: "resource", zh: "", en: "", text: word(TourResource.Kind.self)),
        FigureName(name: "extra", zh: "项目", en: "extra"),
        FigureName(name: "algorithm", zh: "算法", en: "algorithm"),
        FigureName(name: "season", zh: "年份", en: "season"),
        FigureName(name: "year", zh: "年份", en: "year"),
        FigureName(name: "read", zh: "读到行数", en: "rows read"),
        FigureName(name: "recorded", zh: "新记录", en: "recorded"),
        FigureName(name: "updated", zh: "已更新", en: "updated"),
        FigureName(name: "refused", zh: "被拒", en: "refused"),
        FigureName(name: "attempts", zh: "试过次数", en: "attempts"),
        FigureName(name: "messages", zh: "消息数", en: "messages"),
        FigureName(name: "tokens", zh: "令牌数", en: "tokens"),
        FigureName(name: "error", zh: "错误", en: "error"),
        FigureName(name: "name_kind", zh: "种类", en: "kind", text: word(NameKind.self)),
        FigureName(name: "meant", zh: "并入", en: "into"),
        FigureName(name: "guesses", zh: "错误次数", en: "wrong passwords"),
        FigureName(name: "reason", zh: "原因", en: "reason"),
        // What the audit told before there were figures.
        FigureName(name: "detail", zh: "", en: ""),
    ]

    private static func word<Word: RawRepresentable<String> & Labelled & SendableMetatype>(
        _ type: Word.Type
    ) -> @Sendable (JSON, Recorded) -> String {
        { value, told in (try? value.string).flatMap(Word.init(rawValue:))?.label[told.language] ?? plain(value) }
    }

    @Sendable private static func weight(_ value: JSON, _ told: Recorded) -> String {
        (try? value.int64).map { "\(Weight(grams: $0))" } ?? plain(value)
    }

    private func yuan(_ value: JSON) -> String {
        guard let fen = try? value.int64 else { return Self.plain(value) }
        let yuan = Money(fen: fen).yuan
        return words("\(yuan) 元", "\(yuan) yuan")
    }

    private static func plain(_ value: JSON) -> String {
        switch value {
        case .string(let text): text
        case .integer(let number): "\(number)"
        default: value.text
        }
    }

    private static let actorKinds = ["account": "账号", "token": "令牌"]
    private static let actors = [
        "local": "本机", "clock": "到期自动", "waiting-list": "候补自动", "public": "公众", "group": "团队",
        "journal": "签到记录", "list": "名单", "demo": "演示", "jobs": "后台工作",
    ]

    private static let events = [
        "requested": "申请", "held": "保留名额", "confirmed": "确认", "waitlisted": "候补", "expired": "过期",
        "cancelled": "取消", "no_show": "未到", "arrived": "到达", "completed": "完成", "changed": "更改",
        "moved": "改场次", "paid": "付款", "refund_decided": "决定退款", "refunded": "退款", "picked": "采摘",
        "checked_in": "签到", "checked_in_twice": "重复签到", "imported": "导入", "undone": "撤销",
        "voided": "作废",
        "check_in_undone": "撤销签到", "gate_conflict": "入口待处理", "gate_settled": "入口处理",
        "adjusted": "调整费用", "payment_reversed": "撤销收款或退款",
    ]

    private static let actions: [String: String] = {
        var actions = [
            "account.create": "建立账号", "account.password": "更换密码", "account.disable": "停用账号", "account.enable": "启用账号",
            "session.open": "登录", "session.close": "退出", "session.guess": "密码错误", "token.create": "生成令牌",
            "token.revoke": "作废令牌", "token.forget": "清除早已结束的令牌", "booking.forget": "清除来访者联系方式",
            "cooperative.add": "添加合作社", "grade.add": "添加等级", "product.add": "添加产品",
            "variety.add": "添加品种", "household.change": "更改农户", "plot.change": "更改地块", "plot.override": "登记采收例外",
            "batch.register": "登记批次", "batch.correct": "更正批次", "batch.void": "作废批次", "batch.undo": "撤销出库",
            "sale.reverse": "冲销销售", "sale.return": "登记退货", "sale.number": "补录销售单号",
            "batch.own_use": "批次自用", "batch.loss": "批次损耗", "batch.gift": "批次赠送", "code.revoke": "作废溯源码",
            "recall.open": "开始召回", "recall.end": "结束召回", "key.create": "生成密钥", "key.import": "接管密钥",
            "key.retire": "停用密钥", "key.compromise": "标记密钥泄露", "village.origin": "换用站点",
            "village.change": "改正村名或品牌", "sale.record": "登记销售",
            "income.enter": "登记收入", "books.close": "结账", "name.merge": "合并名称", "report.livelihood": "生成民生篇",
            "tour.site.add": "添加基地",
            "tour.site.change": "更改基地", "tour.site.close": "定休息日", "tour.site.open": "取消休息日",
            "tour.programme.add": "添加课程", "tour.programme.change": "更改课程", "tour.extra.add": "添加附加项目",
            "tour.extra.remove": "去掉附加项目", "tour.resource.add": "添加资源", "tour.resource.change": "更改资源",
            "tour.session.add": "安排场次", "tour.session.change": "更改场次", "tour.session.close": "停止预约",
            "tour.session.reopen": "重新开放预约", "tour.session.cancel": "取消场次", "tour.session.move": "场次改期",
            "message.retry": "重发消息",
        ]
        for (what, chinese) in events { actions["booking.\(what)"] = "预约\(chinese)" }
        for kind in RegisterKind.allCases { actions["import.\(kind)"] = "导入\(kind.label.zh)" }
        return actions
    }()
}
