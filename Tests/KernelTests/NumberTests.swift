import Foundation
import Kernel
import Testing

@Suite struct FixedDecimalTests {
    @Test(
        arguments: [
            ("12", 12, 0), ("8.50", 850, 2), ("-3", -3, 0), ("−3", -3, 0), ("－３．５", -35, 1), ("1,234.5", 12345, 1),
            ("1,234,567", 1_234_567, 0), ("１，２３４", 1234, 0), ("0.000001", 1, 6), ("007", 7, 0),
            ("999999999999999", 999_999_999_999_999, 0),
        ] as [(String, Int64, Int)])
    func reads(_ text: String, _ digits: Int64, _ places: Int) {
        #expect(FixedDecimal(text)?.digits == digits)
        #expect(FixedDecimal(text)?.places == places)
    }

    @Test(arguments: [
        "", "-", ".", ".5", "5.", "1.2.3", "1,23", "1234,567", "12,34,567", "1,234,5", "1,23.4", "1.234,5", "--1", "1-",
        "1e5", "+1", "1 000",
        "0x10", "NaN", "inf", "一百", "½", "١٢", "1.0000000", "1000000000000000", String(repeating: "9", count: 10_000),
    ])
    func refuses(_ text: String) {
        #expect(FixedDecimal(text) == nil)
    }

    @Test func scalesExactlyOrNotAtAll() {
        #expect(FixedDecimal("1.5")?.scaled(by: 500) == 750)
        #expect(FixedDecimal("0.001")?.scaled(by: 500) == nil)
        #expect(FixedDecimal("0.002")?.scaled(by: 500) == 1)
        #expect(FixedDecimal("999999999999999")?.scaled(by: 1_000_000) == nil)
        #expect(FixedDecimal("-1.25")?.scaled(by: 100) == -125)
    }
}

@Suite struct MoneyTests {
    @Test(
        arguments: [
            ("8.5", 850), ("147.63", 14763), ("￥1,200", 120_000), ("¥0.01", 1), ("1200元", 120_000), ("-3.20", -320),
            ("０．５", 50),
            ("0", 0), ("100000000000", 10_000_000_000_000),
        ] as [(String, Int64)])
    func reads(_ text: String, _ fen: Int64) throws {
        #expect(try Money(yuan: text).fen == fen)
    }

    @Test(arguments: [
        ("", "not-an-amount"), ("元", "not-an-amount"), ("￥", "not-an-amount"), ("0.001", "not-an-amount"),
        ("十元", "not-an-amount"),
        ("1.2万", "amount-in-wan"), ("$5", "not-an-amount"), ("100000000000.01", "amount-too-large"),
        ("-100000000000.01", "amount-too-large"),
        (String(repeating: "9", count: 400), "not-an-amount"),
    ])
    func refuses(_ text: String, _ code: String) {
        #expect(#expect(throws: Refusal.self) { try Money(yuan: text) }?.code == code)
    }

    @Test(
        arguments: [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (14763, "147.63"), (-120_000, "-1200.00")]
            as [(Int64, String)])
    func describes(_ fen: Int64, _ text: String) throws {
        #expect(Money(fen: fen).description == text)
        #expect(try Money(yuan: text).fen == fen)
    }

    @Test func addsAndOrders() {
        #expect(Money(fen: 3) + Money(fen: -5) == Money(fen: -2))
        #expect(Money.zero < Money(fen: 1))
    }
}

@Suite struct WeightTests {
    @Test(
        arguments: [
            ("1250kg", 1_250_000), ("2500斤", 1_250_000), ("2500市斤", 1_250_000), ("800g", 800), ("800 克", 800),
            ("1.2吨", 1_200_000),
            ("30公斤", 30_000), ("30千克", 30_000), ("0.002斤", 1), ("12.5 KG", 12_500), ("１２．５斤", 6250),
            ("1,250kg", 1_250_000), ("100000吨", 100_000_000_000),
        ] as [(String, Int64)])
    func reads(_ text: String, _ grams: Int64) throws {
        #expect(try Weight(text).grams == grams)
    }

    @Test(arguments: [
        ("", "not-a-weight"), ("12", "not-a-weight"), ("kg", "not-a-weight"), ("斤", "not-a-weight"),
        ("0.5g", "not-a-weight"),
        ("0.001斤", "not-a-weight"), ("12磅", "not-a-weight"), ("0kg", "weight-not-positive"),
        ("-3kg", "weight-not-positive"),
        ("100000.001吨", "weight-too-large"), (String(repeating: "9", count: 999) + "kg", "not-a-weight"),
    ])
    func refuses(_ text: String, _ code: String) {
        #expect(#expect(throws: Refusal.self) { try Weight(text) }?.code == code)
    }

    @Test func describesInBothUnits() {
        #expect(Weight(grams: 1_250_000).description == "1250 kg (2500 斤)")
        #expect(Weight(grams: 1).description == "0.001 kg (0.002 斤)")
        #expect(Weight(grams: 7) - Weight(grams: 2) + Weight(grams: 1) == Weight(grams: 6))
    }
}

@Suite struct PriceTests {
    @Test(
        arguments: [
            ("8.50/斤", 850, 500, "8.50/斤"), ("17/kg", 1700, 1000, "17.00/kg"), ("17/公斤", 1700, 1000, "17.00/kg"),
            ("17 / KG", 1700, 1000, "17.00/kg"),
            ("68/箱2.5kg", 6800, 2500, "68.00/箱2.5kg"), ("￥68元/箱5斤", 6800, 2500, "68.00/箱2.5kg"),
            ("68/box2.5kg", 6800, 2500, "68.00/箱2.5kg"),
        ] as [(String, Int64, Int64, String)])
    func reads(_ text: String, _ fen: Int64, _ grams: Int64, _ description: String) throws {
        let price = try Price(text)
        #expect(price.fen == fen)
        #expect(price.basisGrams == grams)
        #expect(price.description == description)
        #expect(try Price(description) == price)
    }

    @Test(arguments: [
        "", "8.50", "8.50/", "/斤", "8.50/磅", "8.505/斤", "-1/斤", "1000000.01/斤", "68/箱", "68/箱0kg", "68/箱1001kg",
        "8/斤/斤",
    ])
    func refuses(_ text: String) {
        #expect(#expect(throws: Refusal.self) { try Price(text) }?.kind == .invalid)
    }

    @Test func boxesNeedTheirWeightAndOthersTakeNone() {
        #expect(throws: Refusal.self) { try Price(fen: 1, basis: .box) }
        #expect(throws: Refusal.self) { try Price(fen: 1, basis: .jin, boxGrams: 500) }
    }

    /// By `Decimal`: thousandths of the price per kilogram, or boxes counted, with Foundation's rounding.
    @Test(arguments: Price.Basis.allCases)
    func roundsHalfUpAsDecimalDoes(_ basis: Price.Basis) throws {
        var generator = SplitMix(seed: 20_250_803)
        for _ in 0..<20_000 {
            let boxGrams = Int64.random(in: 1...30_000, using: &generator)
            let boxes = Int64.random(in: 0...900, using: &generator)
            let fen = Int64.random(in: 0...5000, using: &generator)
            let loose = Int64.random(in: 0...9_000_000, using: &generator)
            let (price, grams, kilogramFen) =
                switch basis {
                case .jin: (try Price(fen: fen, basis: .jin), loose, Decimal(fen) * 2)
                case .kilogram: (try Price(fen: fen, basis: .kilogram), loose, Decimal(fen))
                case .box: (try Price(fen: fen, basis: .box, boxGrams: boxGrams), boxGrams * boxes, Decimal(0))
                }
            var exact = basis == .box ? Decimal(boxes) * Decimal(fen) : kilogramFen * Decimal(grams) / 1000
            var rounded = Decimal()
            NSDecimalRound(&rounded, &exact, 0, .plain)
            let amount = try price.amount(for: Weight(grams: grams)).fen
            guard Decimal(amount) == rounded else {
                Issue.record("\(grams) g at \(price): \(amount), not \(rounded)")
                return
            }
        }
    }

    @Test(
        arguments: [
            (250, 1, 1), (249, 1, 0), (750, 1, 2), (500, 850, 850), (11_100 / 2, 1330, 14763), (-250, 1, 0),
            (-750, 1, -1), (-751, 1, -2),
            (-500, 850, -850),
        ] as [(Int64, Int64, Int64)])
    func roundsHalfUpAtTheEdge(_ grams: Int64, _ fen: Int64, _ amount: Int64) throws {
        #expect(try Price(fen: fen, basis: .jin).amount(for: Weight(grams: grams)) == Money(fen: amount))
    }

    @Test func refusesAmountsThatAreTooLargeAndBrokenBoxes() throws {
        let dear = try Price(fen: 100_000_000, basis: .jin)
        #expect(
            #expect(throws: Refusal.self) { try dear.amount(for: Weight(grams: Weight.limit)) }?.code
                == "amount-too-large")
        #expect(throws: Refusal.self) { try dear.amount(for: Weight(grams: .max)) }
        let box = try Price(fen: 6800, basis: .box, boxGrams: 2500)
        #expect(try box.amount(for: Weight(grams: 7500)) == Money(fen: 20_400))
        #expect(#expect(throws: Refusal.self) { try box.amount(for: Weight(grams: 7501)) }?.code == "not-whole-boxes")
    }
}

struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
