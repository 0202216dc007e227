namespace LibKafka.Protocol

open LibKafka.Wire

/// A message together with its bytes.
type RawMessage<'T> =
    { Value: 'T
      Bytes: Bytes }

    /// The text of the message.
    override this.ToString() = string (box this.Value)

/// APIs for callers that have the bytes of a request, or want those of a response.
[<RequireQualifiedAccess>]
module RawApi =

    let private codec (typed: Codec<'T>) =
        { new Codec<RawMessage<'T>>(typed.MinSize) with
            member _.Shape = typed.Shape
            member _.Write(writer, message) =
                if isAbsent message then writer.Fail Problem.NullNotAllowed
                writer.Raw message.Bytes.Span


            member _.Read reader =
                let start = reader.Offset
                let value = typed.Read reader
                let length = reader.Offset - start
                reader.Restart(start, reader.Decoded)
                { Value = value; Bytes = reader.Slice length }

            member _.Project message = message
            member _.Visit(visitor, message) = typed.Visit(visitor, message.Value)
            member _.Build source = { Value = typed.Build source; Bytes = Bytes.empty } }

    let private schema (typed: Schema<'T>) : Schema<RawMessage<'T>> =
        Schema.define
            { new Definition<RawMessage<'T>>() with
                member _.Default = { Value = typed.Default; Bytes = Bytes.empty }
                member _.At version = codec (typed.At version) }

    let private message (typed: Message<'T>) : Message<RawMessage<'T>> =
        { Name = typed.Name; Versions = typed.Versions; FlexibleSince = typed.FlexibleSince; Schema = schema typed.Schema }

    /// The API whose requests are sent as their `Bytes`, unchanged, and whose responses come with theirs. `Message.decode` makes such a request
    /// from bytes, and a fault if they are not valid.
    let ofApi (api: Api<'Request, 'Response>) : Api<RawMessage<'Request>, RawMessage<'Response>> =
        { Key = api.Key
          Request = message api.Request
          Response = message api.Response
          Throttle = api.Throttle |> Option.map (fun throttle -> _.Value >> throttle)
          Answered = api.Answered |> Option.map (fun isAnswered -> _.Value >> isAnswered) }
