import Codes
import Kernel
import Orchard

/// A verdict in words that a buyer understands at once.
struct VerdictText {
    let tone: String
    let mark: String
    let heading: Bilingual
    let explanation: Bilingual
    let note: Bilingual?
    let facts: [Fact]

    struct Fact {
        let name: Bilingual
        let value: Bilingual
        let day: CivilDay?
        /// A best-before day that is over.
        var isPast = false

        init(_ zh: String, _ en: String, _ value: String) {
            name = Bilingual(zh: zh, en: en)
            self.value = Bilingual(zh: value, en: value)
            day = nil
        }

        init(_ zh: String, _ en: String, _ day: CivilDay, isPast: Bool = false) {
            name = Bilingual(zh: zh, en: en)
            value = day.written
            self.day = day
            self.isPast = isPast
        }
    }

    init(_ verdict: Verdict, village: Village) {
        (tone, mark, heading, explanation) = Self.words(verdict.answer, village: village)
        let past = verdict.pastBestBefore ? verdict.body?.bestBefore?.written : nil
        note = past.map {
            Bilingual(zh: "已过最佳食用日期（\($0.zh)）", en: "Past its best-before day (\($0.en))")
        }
        facts = Self.facts(verdict)
    }

    private static func words(_ answer: Codes.Answer, village: Village) -> (String, String, Bilingual, Bilingual) {
        switch answer {
        case .genuine:
            (
                "good", "✓", Bilingual(zh: "正品", en: "Genuine"),
                Bilingual(
                    zh: "由\(village.name)签发，登记在册。请核对包装与下列信息是否一致，以防标签被复制。",
                    en:
                        "Issued by \(village.name) and on its register. If the goods differ from what is below, the label may "
                        + "have been copied.")
            )
        case .signed:
            (
                "good", "✓", Bilingual(zh: "签名有效", en: "Signed"),
                Bilingual(zh: "未联网核对登记状态。", en: "The register was not asked.")
            )
        case .recalled:
            (
                "bad", "!", Bilingual(zh: "已召回", en: "Recalled"),
                Bilingual(
                    zh: "这批产品正在召回，请不要食用，并联系卖家。", en: "This batch is being recalled. Do not eat it; contact the seller.")
            )
        case .revoked:
            (
                "bad", "!", Bilingual(zh: "已作废", en: "Revoked"),
                Bilingual(zh: "此码已被签发方作废，请不要相信这个标签。", en: "The issuer has revoked this code. Do not trust the label.")
            )
        case .unregistered:
            (
                "bad", "✗", Bilingual(zh: "未登记", en: "Not registered"),
                Bilingual(
                    zh: "签名有效，但登记册里没有此码，很可能是假冒。",
                    en: "The signature is good but the register does not know this code: it is probably counterfeit."
                )
            )
        case .forged:
            (
                "bad", "✗", Bilingual(zh: "假冒", en: "Forged"),
                Bilingual(
                    zh: "此码不是\(village.name)签发的，签名不符。请不要相信这个标签，并告诉卖家。",
                    en:
                        "\(village.name) did not issue this code: its signature is wrong. Do not trust the label; tell the seller."
                )
            )
        case .unknownKey:
            (
                "bad", "✗", Bilingual(zh: "签发方不明", en: "Unknown issuer"),
                Bilingual(zh: "此码不是\(village.name)的密钥签发的。", en: "No key of \(village.name) issued this code.")
            )
        case .malformed:
            (
                "warn", "?", Bilingual(zh: "不是溯源码", en: "Not a code"),
                Bilingual(
                    zh: "这段文字不是完整的溯源码，请重新扫描，或核对输入。",
                    en: "This text is no complete code. Scan again, or check what you typed.")
            )
        }
    }

    private static func facts(_ verdict: Verdict) -> [Fact] {
        guard let body = verdict.body else { return [] }
        var facts: [Fact] = []
        if let goods = verdict.goods {
            facts += [
                Fact("采收日期", "Harvested", goods.harvestedOn), Fact("合作社", "Cooperative", goods.cooperative),
            ]
        }
        if let day = body.bestBefore {
            facts.append(Fact("最佳食用期至", "Best before", day, isPast: verdict.pastBestBefore))
        }
        facts.append(Fact("批次号", "Batch", String(body.batch)))
        facts.append(Fact("签发日期", "Issued", body.issued))
        return facts
    }
}
