import ArgumentParser
import Kernel
import Messages
import Orchard
import Registers
import Sales
import Tours

import enum Batches.Withdrawal

/// One of a few words that an option takes: in English or in Chinese, whichever language the program speaks.
public protocol FixedWord: ExpressibleByArgument, CaseIterable, RawRepresentable<String>, Labelled {}

extension FixedWord {
    /// Reads `own-use`, `own_use` and `自用`; of a longer Chinese word its beginning too, where no other begins so: `退回` for
    /// `退回入库`.
    public init?(argument: String) {
        let english = argument.lowercased().replacing("-", with: "_")
        let whole = Self.allCases.first { $0.rawValue == english || $0.label.zh == argument }
        let begun = argument.count > 1 ? Self.allCases.filter { $0.label.zh.hasPrefix(argument) } : []
        guard let word = whole ?? (begun.count == 1 ? begun.first : nil) else { return nil }
        self = word
    }

    var typed: String { rawValue.replacing("_", with: "-") }

    public static var allValueStrings: [String] { allCases.map(\.typed) + allCases.map(\.label.zh) }
}

extension Withdrawal: FixedWord {}

extension SaleCorrection.Goods: FixedWord {}

extension NameKind: FixedWord {}

extension BookingState: FixedWord {}

extension MoneyState: FixedWord {}

extension Message.State: FixedWord {}

extension ChangedRows: FixedWord {
    public var label: Bilingual {
        switch self {
        case .correct: Bilingual(zh: "更正", en: "correct")
        case .new: Bilingual(zh: "另一笔", en: "new")
        }
    }
}
