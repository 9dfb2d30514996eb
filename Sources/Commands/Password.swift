import ArgumentParser
import Dispatch
import Foundation
import Kernel

/// Where a password comes from: a file, the terminal without echo (asked twice), or one line of standard input.
struct PasswordOptions: ParsableArguments {
    @Option(help: .words("密码所在的文件（不再询问）。", "The file with the password, instead of asking for it.")) var passwordFile:
        String?

    func read() throws -> String {
        if let passwordFile { return try Files.text(passwordFile).trimmingCharacters(in: .newlines) }
        guard isatty(STDIN_FILENO) == 1 else {
            guard let line = readLine() else { throw Self.missing }
            return line
        }
        let first = try Self.ask(words("密码：", "Password: "))
        guard try Self.ask(words("再输一次：", "Once more: ")) == first else {
            throw Refusal(
                .invalid, "passwords-differ", field: "password", zh: "两次输入不一致", en: "the two are not the same")
        }
        return first
    }

    private static var missing: Refusal {
        Refusal(.invalid, "missing-field", field: "password", zh: "没有给出密码", en: "no password was given")
    }

    static func ask(_ prompt: String) throws -> String {
        var shown = termios()
        tcgetattr(STDIN_FILENO, &shown)
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        // Ctrl-C must not leave a terminal that shows nothing.
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: DispatchQueue(label: "password"))
        source.setEventHandler { [shown] in
            var shown = shown
            tcsetattr(STDIN_FILENO, TCSANOW, &shown)
            _exit(128 + SIGINT)
        }
        source.resume()
        Terminal.say(prompt, terminator: "")
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer {
            tcsetattr(STDIN_FILENO, TCSANOW, &shown)
            source.cancel()
            signal(SIGINT, SIG_DFL)
            Terminal.say("")
        }
        guard let line = readLine() else { throw missing }
        return line
    }
}
