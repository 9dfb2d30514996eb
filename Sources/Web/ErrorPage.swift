import Documents
import Kernel
import Orchard

extension Pages {
    /// What a browser is shown when something went wrong.
    func error(_ problem: Problem, village: Village) -> Answer {
        let language = problem.language
        let values = [
            "tone": "warn", "mark": "!", "heading": problem.title[language],
            "explanation": problem.detail?[language] ?? "",
            "homeLabel": Bilingual(zh: "查验溯源码", en: "Verify a code")[language],
        ]
        guard
            let page = try? render(
                "error", title: problem.title[language], values, village: village, language)
        else { return plainErrorPage(problem) }
        return .html(page, status: problem.status)
    }
}
