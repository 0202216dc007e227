namespace LibKafka.Protocol

open System
open LibKafka.Wire

/// The names of configs.
[<RequireQualifiedAccess>]
module ConfigName =

    /// Parts of the names of secret configs.
    let private secretWords = [ "password"; "passphrase"; "secret" ]

    /// The configs of Kafka's type PASSWORD without such a part.
    let private secretNames =
        [ "sasl.jaas.config"
          "ssl.keystore.key"
          "ssl.keystore.certificate.chain"
          "ssl.truststore.certificates"
          "delegation.token.master.key" ]

    /// Whether the value of the config is a secret, which texts show as `[secret]`: a config of Kafka's type PASSWORD, also with the prefix of a
    /// listener, or any other whose name contains `password`, `passphrase` or `secret`.
    let isSecret (name: string) : bool =
        not (isAbsent name)
        && (secretWords |> List.exists (fun word -> name.Contains(word, StringComparison.OrdinalIgnoreCase))
            || secretNames |> List.exists (fun ending -> name.EndsWith(ending, StringComparison.OrdinalIgnoreCase)))

    /// The value of the config as a text shows it: `[secret]` if it is not empty, and secret by its name or because the broker calls it sensitive.
    let shown (isSensitive: bool) (name: string) (value: string) : string =
        if value <> "" && (isSensitive || isSecret name) then SecretText.Hidden else value
