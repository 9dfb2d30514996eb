/// The fields of a form as `tours-field.mustache` names them: with what was typed, and beside one what is wrong.
struct FormFields {
    let typed: [String: String]
    /// The field that was refused, and why.
    let wrong: String?
    let message: String?

    func input(
        _ name: String, _ label: String, type: String = "text", max: Int, isRequired: Bool = true,
        isNumber: Bool = false, autocomplete: String = "off", hint: String? = nil
    ) -> [String: Any] {
        var values: [String: Any] = [
            "isInput": true, "type": type, "max": "\(max)", "isRequired": isRequired, "isNumber": isNumber,
            "autocomplete": autocomplete,
        ]
        if let hint { values["hint"] = hint }
        return field(name, label, values)
    }

    func area(_ name: String, _ label: String, max: Int) -> [String: Any] {
        field(name, label, ["isArea": true, "max": "\(max)"])
    }

    /// - Parameter choose: what stands there before anything is chosen; nil chooses the first.
    func select(
        _ name: String, _ label: String, _ options: [(value: String, text: String)], choose: String? = nil
    ) -> [String: Any] {
        let all = (choose.map { [("", $0)] } ?? []) + options
        let options: [[String: Any]] = all.map { value, text in
            ["value": value, "text": text, "isChosen": typed[name] == value]
        }
        return field(name, label, ["isSelect": true, "options": options, "isRequired": choose != nil])
    }

    private func field(_ name: String, _ label: String, _ rest: [String: Any]) -> [String: Any] {
        var values = rest
        values["name"] = name
        values["label"] = label
        values["value"] = typed[name] ?? ""
        if wrong == name { values["error"] = message }
        return values
    }
}
