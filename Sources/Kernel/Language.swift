/// The two languages in which the program talks.
public enum Language: String, Sendable, CaseIterable {
    case chinese = "zh"
    case english = "en"

    /// The first of the two that a BCP 47 or POSIX locale text names (`zh-CN,zh;q=0.9`, `zh_CN.UTF-8`), or nil.
    public init?(preferredIn text: String) {
        for part in text.split(separator: ",") {
            let tag = part.drop(while: { $0 == " " }).prefix(2).lowercased()
            if let language = Language(rawValue: tag) {
                self = language
                return
            }
        }
        return nil
    }
}

/// A text in both languages; every sentence a user reads is one of these.
public struct Bilingual: Sendable, Hashable {
    public let zh: String
    public let en: String

    public init(zh: String, en: String) {
        self.zh = zh
        self.en = en
    }

    public subscript(language: Language) -> String {
        language == .chinese ? zh : en
    }
}

/// One of a few words, with what people call it.
public protocol Labelled {
    var label: Bilingual { get }
}
