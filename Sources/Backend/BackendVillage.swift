import Database
import Kernel
import Orchard
import Postgres

extension Backend {
    /// Puts right what a village or its brand is called.
    /// - Parameters:
    ///   - name: nil leaves it as it is.
    ///   - brand: nil leaves it as it is.
    ///   - village: which one, where there are several.
    ///   - sharesName: whether another village may have that name.
    /// - Returns: the village as it is then.
    public static func rename(
        _ configuration: Configuration, name: String?, brand: String?, village: String? = nil, sharesName: Bool = false
    ) async throws -> Village {
        let backend = try await open(configuration, village: village)
        let renamed = await Result {
            let place = try await Place.find(configuration, for: .command, making: false) { _ in }
            let changed = await Result {
                let owner = Pool(try place.ownerLogin(), size: 1)
                let changed = await Result {
                    try await VillageStore.rename(
                        backend.local.scope, name: name, brand: brand, sharesName: sharesName, owner: owner)
                }
                await owner.close()
                try changed.get()
            }
            await place.embedded?.close()
            try changed.get()
            return try await VillageStore.load(backend.village.id, backend.database)
        }
        await backend.close()
        return try renamed.get()
    }
}
