namespace LibKafka.Topics

open System
open LibKafka.Client

/// Settings that a caller has given.
[<RequireQualifiedAccess>]
module internal Checked =

    /// The settings, or ArgumentException that names the parameter.
    let orThrow (parameter: string) (settings: Result<'Settings, ClientFault>) : 'Settings =
        match settings with
        | Ok settings -> settings
        | Error fault -> raise (ArgumentException(fault.ToString(), parameter))

    /// The settings, or the fault `InvalidSetting` for the first rule that is broken. A rule says whether it is kept, and else what is wrong.
    let byRules (rules: (string * bool * string) list) (settings: 'Settings) : Result<'Settings, ClientFault> =
        match rules |> List.tryFind (fun (_, isKept, _) -> not isKept) with
        | Some(name, _, reason) -> Error(ClientFault.InvalidSetting(name, reason))
        | None -> Ok settings
