import Documents
import Kernel
import Orchard

extension Pages {
    /// What a browser is shown when something went wrong.
    func error(_ problem: Problem, village: Village) -> Answer {
        let language = problem.language
        let values = [
            "tone": "warn", "mark": "!", "heading": problem.title[language],
            "explanation": problem.detail?.sentence(in: language) ?? "",
            "homeLabel": Bilingual(zh: "查验溯源码", en: "Verify a code")[language],
            "toursLabel": Bilingual(zh: "研学预约", en: "Study tours")[language],
        ]
        guard
            let page = try? render(
                "error", title: problem.title[language], values, village: village, language)
        else { return plainErrorPage(problem) }
        return .html(page, status: problem.status)
    }
}

extension Bilingual {
    /// A refusal as it stands on a page by itself: English begins with a capital, and both end.
    func sentence(in language: Language) -> String {
        let text = self[language]
        guard let last = text.last else { return text }
        let isEnded = "。！？.!?".contains(last)
        let stop = isEnded ? "" : language == .chinese ? "。" : "."
        return text.prefix(1).uppercased() + text.dropFirst() + stop
    }
}
