import Kernel

/// What every register asks of a row that may be, or may have been, what is recorded already.
extension Refusal {
    /// The row says what an entry says that is not known to be it; it waits until somebody tells.
    public static func isItThis(_ code: String, field: String, zh: String, en: String) -> Refusal {
        Refusal(
            .conflict, code, field: field,
            zh: zh + "；就是这一笔请用 --changed correct（changed=correct），是另一笔请用 --changed new（changed=new）",
            en: en
                + ": if this is it, say --changed correct (changed=correct), if it is another, --changed new (changed=new)"
        )
    }

    /// The row says what was recorded before somebody put it right: who is right can't be told from here.
    /// - Parameter back: the commands that put it back.
    public static func olderContent(field: String, zh: String, en: String, back: Bilingual) -> Refusal {
        Refusal(
            .conflict, "corrected-since", field: field,
            zh: zh + "，登记簿还是更正前的内容；账对就改登记簿，登记簿对就用 \(back.zh) 更正回来",
            en: en
                + ", and the register holds the older content: mend the register, or if it is right, put it back with "
                + back.en)
    }
}
