import Income
import Kernel
import Tours

/// The sentences of a report. Every number in them is one of its figures.
public struct LivelihoodText: Sendable {
    public struct Section: Sendable {
        public let heading: String
        public let paragraphs: [String]

        /// - Parameter sentences: those that have nothing to say are empty.
        init(_ heading: String, _ sentences: String...) {
            self.heading = heading
            paragraphs = sentences.filter { !$0.isEmpty }
        }
    }

    public let title: String
    /// The days it is on.
    public let period: String
    public let sections: [Section]
    /// Whose report it is, and of what day: below the text, as official documents have it.
    public let signature: [String]
    /// Which report this is, of which village and days, made when and by whom.
    public let imprint: String
}

extension LivelihoodReport {
    public func text(_ language: Language) -> LivelihoodText {
        let period = figures.period
        let days = [period.from, period.to].map { $0.written(language) }
        let (moment, who) = (madeAt.minute, LivelihoodWords.person(actor, language))
        let (village, year) = (figures.village, period.year)
        switch language {
        case .chinese:
            let words = ChineseSentences(figures: figures)
            return LivelihoodText(
                title: "\(village)\(year)年民生篇", period: "（\(days[0])至\(days[1])）",
                sections: [
                    .init("一、特色产业与品牌", words.harvest + words.sales, words.brand, words.balance),
                    .init("二、红色研学", words.tours, words.visitors), .init("三、集体收入", words.income),
                    .init("四、农户增收", words.households),
                ],
                signature: ["\(village)村民委员会", CivilDay(of: madeAt).written(.chinese)],
                imprint: "本篇编号第\(id)号，反映\(village)\(days[0])至\(days[1])的情况，数据取自\(moment)（北京时间）的账册，"
                    + "由\(who)生成。凭编号可随时重现，数字不变。")
        case .english:
            let words = EnglishSentences(figures: figures)
            return LivelihoodText(
                title: "\(village): livelihood report \(year)", period: "\(days[0]) to \(days[1])",
                sections: [
                    .init("1. Products and brand", words.harvest + " " + words.sales, words.brand, words.balance),
                    .init("2. Study tours", words.tours, words.visitors), .init("3. Income", words.income),
                    .init("4. Households", words.households),
                ],
                signature: ["Village committee of \(village)", CivilDay(of: madeAt).written(.english)],
                imprint:
                    "This is report no. \(id) on \(village), \(days[0]) to \(days[1]), from the books as they stood at "
                    + "\(moment) (Asia/Shanghai), drawn up by \(who). Under this number it can be shown again at any "
                    + "time, figure by figure.")
        }
    }
}

/// What sentences of either language are made of.
protocol LivelihoodSentences {
    var figures: LivelihoodFigures { get }
}

extension LivelihoodSentences {
    /// The kinds of unit that came, most people first.
    var kindsByPeople: [(kind: UnitKind, people: Int64)] {
        UnitKind.allCases.map { kind in
            (kind, figures.visits.filter { $0.unitKind == kind }.reduce(0) { $0 + $1.people })
        }.filter { $0.people > 0 }.sorted { $0.people > $1.people }
    }

    /// The month to which most people came, the first of equals.
    var busiestMonth: (month: Int, people: Int64)? {
        (1...12).map { month in
            (month, figures.visits.filter { $0.month == month }.reduce(0) { $0 + $1.people })
        }.filter { $0.1 > 0 }.max { $0.1 < $1.1 }.map { ($0.0, $0.1) }
    }

    /// The sources that brought something or took it, the largest first, with their shares.
    var sourcesByAmount: [(source: IncomeSource, fen: Int64, share: Int64?)] {
        let all = IncomeSource.allCases
        let shares = LivelihoodRules.shares(all.map { figures.income($0).this })
        return all.enumerated().map { ($1, figures.income($1).this, shares?[$0]) }.filter { $0.1 != 0 }
            .sorted { $0.1 > $1.1 }
    }

    var unbalanced: [LivelihoodFigures.Product] { figures.products.filter { $0.balance.differenceGrams != 0 } }

    /// Where the year's harvest of all products went, what is nothing left out.
    var whereabouts: [(name: Bilingual, grams: Int64)] {
        let parts: [(Bilingual, KeyPath<LivelihoodFigures.Balance, Int64>)] = [
            (Bilingual(zh: "销售", en: "sold"), \.soldGrams), (Bilingual(zh: "损耗", en: "lost"), \.lossGrams),
            (Bilingual(zh: "自用", en: "used"), \.ownUseGrams), (Bilingual(zh: "赠送", en: "given away"), \.giftGrams),
            (Bilingual(zh: "更正", en: "corrected"), \.correctionGrams),
            (Bilingual(zh: "期末库存", en: "in stock"), \.stockGrams),
        ]
        return parts.map { name, part in
            (name, figures.products.reduce(0) { $0 + $1.balance[keyPath: part] })
        }.filter { $0.grams != 0 }
    }

    var harvested: Int64 { figures.products.reduce(0) { $0 + $1.harvestedGrams.this } }

    func average(_ fen: Int64, of households: Int64) -> Int64 {
        households > 0 ? LivelihoodRules.rounded(Int128(fen), by: Int128(households)) : 0
    }
}
