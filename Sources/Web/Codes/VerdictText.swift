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
    let facts: [(name: Bilingual, value: String)]

    init(_ verdict: Verdict, village: Village) {
        (tone, mark, heading, explanation) = Self.words(verdict.answer, village: village)
        note =
            verdict.pastBestBefore
            ? Bilingual(zh: "已过最佳食用日期。", en: "It is past its best-before day.") : nil
        facts = Self.facts(verdict)
    }

    private static func words(_ answer: Codes.Answer, village: Village) -> (String, String, Bilingual, Bilingual) {
        switch answer {
        case .genuine:
            (
                "good", "✓", Bilingual(zh: "正品", en: "Genuine"),
                Bilingual(
                    zh: "此码由\(village.name)签发并登记在册。若包装与下列信息不符，请当心被复制的标签。",
                    en: "This code was issued by \(village.name) and is on its register. If the goods differ from what is "
                        + "below, the label may have been copied.")
            )
        case .signed:
            (
                "good", "✓", Bilingual(zh: "签名有效", en: "Signed"),
                Bilingual(zh: "未联网核对登记状态。", en: "The register was not asked.")
            )
        case .recalled:
            (
                "bad", "!", Bilingual(zh: "已召回", en: "Recalled"),
                Bilingual(zh: "这批产品正在召回，请不要食用，并联系卖家。", en: "This batch is being recalled. Do not eat it; contact the seller.")
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
                    zh: "签名有效，但登记册里没有此码，很可能是假冒。", en: "The signature is good but the register does not know this code: it is probably counterfeit."
                )
            )
        case .forged:
            (
                "bad", "✗", Bilingual(zh: "假冒", en: "Forged"),
                Bilingual(zh: "此码不是\(village.name)签发的，签名不符。", en: "\(village.name) did not issue this code: its signature is wrong.")
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
                    zh: "这段文字不是完整的溯源码，请重新扫描，或核对输入。", en: "This text is no complete code. Scan again, or check what you typed.")
            )
        }
    }

    private static func facts(_ verdict: Verdict) -> [(name: Bilingual, value: String)] {
        guard let body = verdict.body else { return [] }
        var facts: [(name: Bilingual, value: String)] = []
        if let goods = verdict.goods {
            facts += [
                (Bilingual(zh: "产品", en: "Product"), "\(goods.product) · \(goods.variety)"),
                (Bilingual(zh: "等级", en: "Grade"), goods.grade),
                (Bilingual(zh: "采收日期", en: "Harvested"), goods.harvestedOn.description),
                (Bilingual(zh: "合作社", en: "Cooperative"), goods.cooperative),
            ]
        }
        facts.append((Bilingual(zh: "批次号", en: "Batch"), String(body.batch)))
        facts.append((Bilingual(zh: "签发日期", en: "Issued"), body.issued.description))
        if let day = body.bestBefore {
            facts.append((Bilingual(zh: "最佳食用期至", en: "Best before"), day.description))
        }
        return facts
    }
}
