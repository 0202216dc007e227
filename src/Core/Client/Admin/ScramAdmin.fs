namespace LibKafka.Client

open System
open System.Security.Cryptography
open LibKafka.Wire
open LibKafka.Protocol

/// What brokers keep of a user's password for one SCRAM mechanism (KIP-554, RFC 5802). The password itself is not sent. Keep `SaltedPassword` as
/// secret as the password.
type ScramCredential =
    {
        Mechanism: ScramMechanism
        /// The iterations of the hash function. Kafka accepts 4,096 to 16,384.
        Iterations: int32
        Salt: Bytes
        SaltedPassword: Bytes
    }

    /// Without the secret, as in `SCRAM-SHA-256 with 4096 iterations`.
    override this.ToString() = CodeName.Of this.Mechanism + " with " + FieldText.count (int64 this.Iterations) "iteration"

[<RequireQualifiedAccess>]
module ScramCredential =

    /// The iterations that Kafka's own tools use unless told otherwise.
    [<Literal>]
    let StandardIterations = 4096

    // The most that Kafka accepts (KIP-554).
    let private mostIterations = 16384

    let private hashOf (mechanism: ScramMechanism) : Scram.Hash =
        match mechanism with
        | ScramMechanism.ScramSha256 -> Scram.sha256
        | ScramMechanism.ScramSha512 -> Scram.sha512
        | other -> raise (ArgumentException("there is no SCRAM mechanism " + string (int other), nameof mechanism))

    /// The credential of a password with this salt. An ArgumentException if the password or the salt is empty, the password has no form in UTF-8, the
    /// mechanism is unknown, or the iterations are not within what Kafka accepts.
    let withSalt (salt: Bytes) (mechanism: ScramMechanism) (iterations: int) (password: string) : ScramCredential =
        if iterations < Scram.fewestIterations || iterations > mostIterations then
            raise (
                ArgumentOutOfRangeException(
                    nameof iterations,
                    "Kafka accepts " + string Scram.fewestIterations + " to " + string mostIterations + " iterations"
                )
            )

        if password = "" then
            raise (ArgumentException("the password is empty", nameof password))
        if salt.Length = 0 then
            raise (ArgumentException("the salt is empty", nameof salt))

        let salted = Scram.Secret(hashOf mechanism, password).Salted(salt.ToArray(), iterations)
        { Mechanism = mechanism; Iterations = iterations; Salt = salt; SaltedPassword = Bytes salted }

    /// The credential of a password with a random salt: see `withSalt`.
    let ofPassword (mechanism: ScramMechanism) (iterations: int) (password: string) : ScramCredential =
        withSalt (Bytes(RandomNumberGenerator.GetBytes 32)) mechanism iterations password

/// A change of one SCRAM credential of a user.
[<RequireQualifiedAccess>]
type ScramChange =
    /// Sets the user's credential for the mechanism, whether there is one or not.
    | Upsert of user: string * ScramCredential
    | Delete of user: string * ScramMechanism

    /// The user.
    member this.User =
        match this with
        | Upsert(user, _)
        | Delete(user, _) -> user

    /// Without the secret, as in `alice: SCRAM-SHA-256 with 4096 iterations`.
    override this.ToString() =
        match this with
        | Upsert(user, credential) -> user + ": " + credential.ToString()
        | Delete(user, mechanism) -> user + ": " + CodeName.Of mechanism + " deleted"

/// SCRAM users (KIP-554).
[<RequireQualifiedAccess>]
module internal ScramAdmin =

    let private usersIn (response: DescribeUserScramCredentials.Response) =
        response.Results
        |> List.map (fun result -> result.User, AdminFault.check result.Error result.ErrorMessage result.Credentials)
        |> AdminFault.check response.Error response.ErrorMessage

    let describe (brokers: AdminBrokers) (users: string list) operation =
        let request: DescribeUserScramCredentials.Request = { Users = Some [ for name in List.distinct users -> { Name = name } ] }
        AdminRequest.askChecked (brokers.ConnectAny operation) operation users DescribeUserScramCredentials.api request id usersIn

    let list (brokers: AdminBrokers) operation =
        AdminRequest.answer (brokers.ConnectAny operation) operation DescribeUserScramCredentials.api { Users = None } usersIn

    let alter (brokers: AdminBrokers) (changes: ScramChange list) operation =
        let deletion change : AlterUserScramCredentials.Deletion option =
            match change with
            | ScramChange.Delete(user, mechanism) -> Some { Name = user; Mechanism = mechanism }
            | ScramChange.Upsert _ -> None

        let upsertion change : AlterUserScramCredentials.Upsertion option =
            match change with
            | ScramChange.Upsert(user, credential) ->
                Some
                    { Name = user
                      Mechanism = credential.Mechanism
                      Iterations = credential.Iterations
                      Salt = credential.Salt
                      SaltedPassword = credential.SaltedPassword }
            | ScramChange.Delete _ -> None

        let request: AlterUserScramCredentials.Request =
            { Deletions = List.choose deletion changes; Upsertions = List.choose upsertion changes }

        let users = changes |> List.map _.User

        AdminRequest.ask (brokers.ConnectController operation) operation users AlterUserScramCredentials.api request id (fun response ->
            response.Results |> List.map (fun result -> result.User, AdminFault.check result.Error result.ErrorMessage ()))
