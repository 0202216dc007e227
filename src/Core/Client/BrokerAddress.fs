namespace LibKafka.Client

open System
open System.Globalization
open System.Net

/// The address of a broker.
type BrokerAddress =
    {
        /// A host name or an IP address; an IPv6 address without brackets.
        Host: string
        Port: int
    }

    /// As in `kafka-1:9092` or `[::1]:9092`.
    override this.ToString() =
        if this.Host.Contains ':' then
            "[" + this.Host + "]:" + string this.Port
        else
            this.Host + ":" + string this.Port

[<RequireQualifiedAccess>]
module BrokerAddress =

    /// The port of an address that names none: the one that Kafka's documentation uses.
    [<Literal>]
    let StandardPort = 9092

    let private portOf (text: string) : int option =
        match Int32.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture) with
        | true, port when port > 0 && port <= 65535 -> Some port
        | _ -> None

    // A host name or an IPv4 address. A URI's scheme is a common mistake.
    let private isName (host: string) : bool =
        host <> "" && host |> Seq.forall (fun letter -> not (Char.IsWhiteSpace letter || ":/[]@,".Contains letter))

    let private isIPv6 (host: string) : bool = host.Contains ':' && fst (IPAddress.TryParse host)

    // The host, and the text after it.
    let private divided (text: string) : (string * string) option =
        if text.StartsWith '[' then
            match text.IndexOf ']' with
            | close when close > 0 && isIPv6 (text.Substring(1, close - 1)) -> Some(text.Substring(1, close - 1), text.Substring(close + 1))
            | _ -> None
        else
            let colon = text.IndexOf ':'
            let host = if colon < 0 then text else text.Substring(0, colon)
            if isName host then Some(host, text.Substring host.Length) else None

    /// Parses an address such as `kafka-1:9092`, `kafka-1` or `[::1]:9092`; an error says why the text is not one. Without a port, it is 9092.
    let parse (text: string) : Result<BrokerAddress, string> =
        let text = text.Trim()

        match divided text with
        | Some(host, "") -> Ok { Host = host; Port = StandardPort }
        | Some(host, rest) when rest.StartsWith ':' && (portOf (rest.Substring 1)).IsSome ->
            Ok { Host = host; Port = (portOf (rest.Substring 1)).Value }
        | _ -> Error("'" + text + "' is not of the form host:port, such as kafka-1:9092 or [::1]:9092")

    /// Parses a list of addresses such as `kafka-1:9092, kafka-2`. Blanks around them and empty entries are ignored.
    let parseList (text: string) : Result<BrokerAddress list, string> =
        let add (entry: string) rest =
            match parse entry, rest with
            | Ok address, Ok addresses -> Ok(address :: addresses)
            | Error reason, _ -> Error reason
            | _, Error reason -> Error reason

        match text.Split(',', StringSplitOptions.RemoveEmptyEntries ||| StringSplitOptions.TrimEntries) |> List.ofArray with
        | [] -> Error "no broker is named: name at least one, such as kafka-1:9092"
        | entries -> List.foldBack add entries (Ok [])
