extension QRCode {
    /// Modules a side with the quiet zone.
    private var side: Int { width + 2 * Self.quietZone }

    /// Dark modules of a row of the picture, as half-open runs, in modules from the picture's left edge.
    private func darkRuns(row: Int) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for x in 0..<side where isDark(x: x - Self.quietZone, y: row - Self.quietZone) {
            if let last = runs.last, last.upperBound == x {
                runs[runs.count - 1] = last.lowerBound..<x + 1
            } else {
                runs.append(x..<x + 1)
            }
        }
        return runs
    }

    /// A black and white PNG with the quiet zone.
    ///
    /// - Parameter modulePixels: the side of a module, 1 to 64 pixels; what is outside becomes the nearest.
    /// - Throws: `CryptoError`, for want of memory.
    public func png(modulePixels: Int = 8) throws -> [UInt8] {
        let scale = min(max(modulePixels, 1), 64)
        let pixels = side * scale
        var ink = [UInt8](repeating: 0, count: pixels * pixels)
        for row in 0..<side {
            for run in darkRuns(row: row) {
                for line in row * scale..<(row + 1) * scale {
                    for x in run.lowerBound * scale..<run.upperBound * scale { ink[line * pixels + x] = 1 }
                }
            }
        }
        return try PNG.encode(ink: ink, width: pixels, height: pixels)
    }

    /// An SVG document with the quiet zone, one unit a module, without a size of its own.
    ///
    /// - Parameter title: what a screen reader says and a browser shows on hovering.
    public func svg(title: String? = nil) -> String {
        var path = ""
        for row in 0..<side {
            for run in darkRuns(row: row) {
                path += "M\(run.lowerBound) \(row)h\(run.count)v1h-\(run.count)z"
            }
        }
        let escaped = title?.unicodeScalars.map(Self.escape).joined()
        let label = escaped.map { "<title>\($0)</title>" } ?? ""
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(side) \(side)" role="img" \
            shape-rendering="crispEdges">\(label)<path fill="#fff" d="M0 0h\(side)v\(side)H0z"/>\
            <path d="\(path)"/></svg>

            """
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "&": "&amp;"
        case "<": "&lt;"
        case ">": "&gt;"
        // No control character but tab and line ends may stand in XML.
        case "\u{0}"..<" " where !"\t\n\r".unicodeScalars.contains(scalar): "\u{FFFD}"
        default: String(scalar)
        }
    }

    /// Lines of half blocks, two modules above each other in a character, with the quiet zone.
    ///
    /// - Parameters:
    ///   - inverted: false for a terminal that writes light on dark, where the blocks draw the light modules; true for
    ///     dark on light, where they draw the dark ones. Most readers take either, some do not.
    ///   - colours: sets black on white itself, right on every terminal of 256 colours; `inverted` has no say then.
    public func terminal(inverted: Bool = false, colours: Bool = false) -> String {
        let drawsDark = inverted || colours
        var lines = ""
        for row in stride(from: 0, to: side, by: 2) {
            if colours { lines += "\u{1B}[38;5;16;48;5;231m" }
            for x in 0..<side {
                let upper = isDark(x: x - Self.quietZone, y: row - Self.quietZone) == drawsDark
                let lower = isDark(x: x - Self.quietZone, y: row + 1 - Self.quietZone) == drawsDark
                lines += upper ? (lower ? "█" : "▀") : (lower ? "▄" : " ")
            }
            lines += colours ? "\u{1B}[0m\n" : "\n"
        }
        return lines
    }
}
