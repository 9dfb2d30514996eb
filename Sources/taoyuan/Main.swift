import Commands
import Web

@main
enum Main {
    static func main() async {
        await Taoyuan.main { try await Web.serve($0, host: $1, port: $2, isListening: $3) }
    }
}
