import ArgumentParser
import Foundation
import Kernel

/// The argument parser's help and complaints in Chinese. It speaks English only, in patterns that are replaced here;
/// what it quotes, our own help among it, is in the user's language already.
enum ParserTalk {
    /// - Parameter columns: how wide help is; nil for the terminal's width.
    static func chinese(_ error: any Error, columns: Int? = nil) -> String {
        // So wide that nothing is folded: the parser counts Chinese characters as one column.
        let text = Taoyuan.fullMessage(for: error, columns: 10_000)
        guard text.hasPrefix("OVERVIEW: ") else { return replacing(complaints, in: text) }
        let width = max(columns ?? Terminal.columns, 40)
        return replacing(help, in: text).split(separator: "\n", omittingEmptySubsequences: false)
            .map { isProse($0) ? fold(String($0), to: width) : String($0) }.joined(separator: "\n")
    }

    private static let complaints = [
        (#"^Error: "#, "错误："), (#"^Help:  "#, "说明："), (#"^Usage: "#, "用法："),
        (#"^  See '(.*)' for more information\.$"#, "  详见“$1”。"),
        (#"Missing expected argument '(.*)'$"#, "缺少 $1"), (#"Missing one of: '(.*)'$"#, "缺少其中之一：$1"),
        (#"Unknown option '(.*)'\. Did you mean '(.*)'\?$"#, "没有选项 $1；是不是 $2？"),
        (#"Unknown option '(.*)'$"#, "没有选项 $1"),
        // A value that begins with - is taken for another option.
        (#"Missing value for '(-[^ ]*)( .*)?'$"#, "$1$2 后面缺少内容（以 - 开头的内容要写成 $1=…）"),
        (#"Missing value for '(.*)'$"#, "$1 后面缺少内容"),
        (#"The option '(.*)' does not take any value, but '(.*)' was specified\.$"#, "选项 $1 不带内容，却给了“$2”"),
        (#"Unexpected argument '(.*)'$"#, "无法识别的参数“$1”"),
        (#"(\d+) unexpected arguments: '(.*)'$"#, "$1 个无法识别的参数：$2"),
        (#"The value '(.*)' is invalid for '(.*?)': "#, "“$1”不能用于 $2："),
        (#"The value '(.*)' is invalid for '(.*?)'"#, "“$1”不能用于 $2"),
        (#"\. Please provide one of '(.*)'\.$"#, "，可用：$1"),
        (#"\. Please provide one of the following:$"#, "，可用："),
        (#"Missing required subcommand\.$"#, "缺少子命令"), (#"Invalid option: (.*)$"#, "选项 $1 写法不对"),
        (#"Can't generate completion scripts for '(.*)'\.$"#, "不能为“$1”生成补全脚本。"),
        (#"Can't autodetect a supported shell\.$"#, "认不出所用的 shell。"),
        (
            #"^Please use --generate-completion-script=<shell> with one of:$"#,
            "请用 --generate-completion-script=<shell>，可选："
        ),
        (#"' and '|' or '|', '"#, "、"), (#"<subcommand>"#, "<子命令>"), (#"<options>"#, "<选项>"),
    ]

    private static let help = [
        (#"^OVERVIEW: "#, "说明："), (#"^USAGE: "#, "用法："), (#"^ARGUMENTS:$"#, "参数："), (#"^OPTIONS:$"#, "选项："),
        (#"^SUBCOMMANDS:$"#, "子命令："), (#"^(.+) SUBCOMMANDS:$"#, "$1："),
        (#"^  See '(.*)' for detailed help\.$"#, "  详见“$1”。"), (#"  Show help information\.$"#, "  显示帮助。"),
        (#"  Show the version\.$"#, "  显示版本。"), (#" ?\(values: ([^()]*); default: ([^()]*)\)$"#, "（可选：$1；默认 $2）"),
        (#" ?\(values: ([^()]*)\)$"#, "（可选：$1）"), (#" ?\(default: ([^()]*)\)$"#, "（默认 $1）"),
        (#"<subcommand>"#, "<子命令>"), (#"<options>"#, "<选项>"),
    ]

    private static func replacing(_ table: [(pattern: String, chinese: String)], in text: String) -> String {
        table.reduce(text) { text, entry in
            text.replacingOccurrences(of: "(?m)" + entry.pattern, with: entry.chinese, options: .regularExpression)
        }
    }

    /// What may be folded: neither the synopsis nor an example.
    private static func isProse(_ line: Substring) -> Bool {
        !line.hasPrefix("用法：") && !line.trimmed.hasPrefix("taoyuan ")
    }

    /// Where the parser's help of an option begins.
    private static let helpColumn = 26
    private static let closing: Set<Character> = ["，", "。", "；", "：", "、", "）", "”", "？", ".", ",", ")"]
    private static let opening: Set<Character> = ["（", "“", "("]

    /// Breaks a line between Chinese characters or at spaces.
    static func fold(_ line: String, to width: Int) -> String {
        guard line.terminalWidth > width else { return line }
        let indent = line.hasPrefix("  ") ? String(repeating: " ", count: helpColumn) : ""
        var folded = ""
        var used = 0
        for piece in pieces(of: line) {
            let taken = piece.terminalWidth
            // A space at the end of a line needs no room.
            let needed = piece.hasSuffix(" ") ? taken - 1 : taken
            if used + needed > width, used > indent.count {
                while folded.last == " " { folded.removeLast() }
                folded += "\n" + indent
                used = indent.count
            }
            folded += piece
            used += taken
        }
        return folded
    }

    private static func pieces(of line: String) -> [String] {
        var pieces: [String] = []
        var last: Character?
        for character in line {
            let isWide = String(character).terminalWidth > 1 || last.map { String($0).terminalWidth > 1 } == true
            let mayBreak = last == " " && character != " " || isWide
            if pieces.isEmpty
                || mayBreak && !closing.contains(character) && last.map({ opening.contains($0) }) != true
            {
                pieces.append("")
            }
            pieces[pieces.count - 1].append(character)
            last = character
        }
        return pieces
    }
}
