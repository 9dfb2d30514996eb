import ArgumentParser
import Documents
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
    public init?(argument: String) { self.init(typed: argument) }

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
