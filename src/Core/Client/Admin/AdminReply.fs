namespace LibKafka.Client

open LibKafka.Protocol

/// A topic to create.
type NewTopic =
    {
        Name: string
        /// -1 for the broker's default.
        Partitions: int
        /// -1 for the broker's default.
        ReplicationFactor: int16
        /// Configs that differ from the broker's defaults, such as `cleanup.policy`.
        Configs: (string * string) list
    }

/// What has configs: a topic, a broker by its id, a group, and so on.
type ConfigResource =
    { Type: ConfigResourceType
      Name: string }

    /// A one-line description.
    override this.ToString() = CodeName.Of this.Type + " " + this.Name

/// Why one item of an administrative call was not done.
[<RequireQualifiedAccess>]
type AdminFault =
    /// The broker's error code and message.
    | Refused of ErrorCode * remark: string option
    /// No broker could be asked, or the response was lost; then it may have been done.
    | Fault of ClientFault
    /// The response does not mention it.
    | NotAnswered

    /// A one-line description.
    override this.ToString() =
        match this with
        | Refused(code, remark) -> Explained.code code remark
        | Fault fault -> fault.ToString()
        | NotAnswered -> "the response does not mention it"

[<RequireQualifiedAccess>]
module internal AdminFault =

    /// The value, unless the code is an error.
    let check (code: ErrorCode) (remark: string option) (value: 'Value) : Result<'Value, AdminFault> =
        if code.IsError then Error(AdminFault.Refused(code, remark)) else Ok value

/// The reply to an administrative call about several items. The result has one entry for each item, in the order given. The exchanges include
/// those that found the brokers to ask.
[<Sealed>]
type AdminReply<'Item, 'Value>(exchanges: ExchangeInfo list, result: ('Item * Result<'Value, AdminFault>) list) =
    inherit Reply<('Item * Result<'Value, AdminFault>) list>(result)
    override _.Exchanges = exchanges

/// The reply to an administrative call without items. The exchanges include those that found the brokers to ask.
[<Sealed>]
type AdminAnswer<'Value>(exchanges: ExchangeInfo list, result: Result<'Value, AdminFault>) =
    inherit Reply<Result<'Value, AdminFault>>(result)
    override _.Exchanges = exchanges
