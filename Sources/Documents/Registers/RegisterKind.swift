import Kernel

/// The registers that a clerk keeps.
public enum RegisterKind: String, Sendable, CaseIterable, Labelled {
    case households, plots, harvest, sales, income, bookings

    /// Whether what it tells holds from a day on.
    public var isDated: Bool { self == .households || self == .plots }

    public var label: Bilingual {
        switch self {
        case .households: Bilingual(zh: "农户", en: "households")
        case .plots: Bilingual(zh: "地块", en: "plots")
        case .harvest: Bilingual(zh: "采收", en: "harvest")
        case .sales: Bilingual(zh: "销售", en: "sales")
        case .income: Bilingual(zh: "收入", en: "income")
        case .bookings: Bilingual(zh: "预约", en: "bookings")
        }
    }
}
