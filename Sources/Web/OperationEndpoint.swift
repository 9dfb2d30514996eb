import Documents
import Kernel
import Operations

extension Site {
    /// The endpoint of an operation.
    func endpoint<Asked: Operation>(_ operation: Asked.Type) -> Endpoint {
        Endpoint(
            .post, Asked.path, Asked.about.en, access: .whoMay(Asked.permission),
            pathParameters: Asked.places.map { .init($0.name, $0.schema, $0.help.en) },
            body: .json(.object(Asked.body.map(\.field))), outcomes: [.init(201, "Done", Asked.shape)]
        ) { call in
            let input = JSON.object(try call.path.members + call.body.members)
            let answer = try await carryOut(call, try await Asked.plan(input, backend), Asked.shape)
            Asked.isDone(in: backend)
            return answer
        }
    }
}
