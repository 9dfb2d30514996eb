import ArgumentParser
import Backend
import Documents
import Kernel
import Sales

extension SaleCommand {
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("显示一笔销售，以及它的冲销和退货。", "Shows a sale, with its reversals and returns."),
            discussion: "taoyuan sale show --sale 2035")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("销售编号。", "The sale's number.")) var sale: Int64

        func run() async throws {
            let (found, corrections) = try await options.withBackend { backend in
                try await SaleStore(backend.database).show(sale, backend.local.scope)
            }
            let table = corrections.isEmpty ? "" : "\n" + Table(Shapes.saleCorrection, corrections).text
            try options.show(
                Shapes.saleHistory.json(.init(found, corrections)),
                Table(Shapes.sale, of: found).text + "\n" + found.text + table)
        }
    }
}

extension Sale {
    var text: String {
        let back = refunded == .zero ? "" : words("，已退 \(refunded.yuan) 元", ", of which \(refunded.yuan) went back")
        return Table(Shapes.soldLine, soldLines).text + words("合计 \(total.yuan) 元", "total \(total.yuan) yuan") + back
    }
}
