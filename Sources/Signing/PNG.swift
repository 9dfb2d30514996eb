import CPNG

/// Black and white pictures through libpng.
enum PNG {
    /// - Parameter ink: a byte a pixel, row by row from the top: 0 is white, 1 black.
    static func encode(ink: [UInt8], width: Int, height: Int) throws -> [UInt8] {
        guard width > 0, height > 0, ink.count == width * height else { throw CryptoError("PNG size") }
        var image = png_image()
        image.version = png_uint_32(PNG_IMAGE_VERSION)
        image.width = png_uint_32(width)
        image.height = png_uint_32(height)
        // Two colours in a palette make a picture of one bit a pixel.
        image.format = png_uint_32(PNG_FORMAT_FLAG_COLORMAP)
        image.colormap_entries = 2
        let palette: [UInt8] = [255, 0]
        // One bit a pixel, a filter byte a row, and room for the headers even if nothing could be compressed.
        let limit = height * (width / 8 + 2) + 1024
        return try [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            var size = png_alloc_size_t(limit)
            let isWritten = png_image_write_to_memory(
                &image, buffer.baseAddress, &size, 0, ink, png_int_32(width), palette)
            guard isWritten != 0 else { throw CryptoError("png_image_write_to_memory") }
            count = Int(size)
        }
    }
}
