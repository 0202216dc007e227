namespace LibKafka.Wire

open System
open System.Globalization
open System.Text

/// Writes a value as one readable line: `{Name: "orders", Partitions: [{Index: 0, ErrorCode: NOT_LEADER_OR_FOLLOWER (6)}]}`.
[<Sealed>]
type internal TextVisitor(hidesSecrets: bool) =
    inherit Visitor()
    let text = StringBuilder()
    let mutable separator = ""
    let mutable meaning = ""
    // Whether the next value must be hidden.
    let mutable isHidden = false

    let write (value: string) =
        if meaning = "" then
            text.Append value |> ignore
        else
            text.Append(meaning).Append(" (").Append(value).Append(')') |> ignore

        meaning <- ""

    let separate () =
        text.Append separator |> ignore
        separator <- ", "

    let quote (value: string) =
        text.Append '"' |> ignore

        for letter in value do
            match letter with
            | '"' -> text.Append "\\\"" |> ignore
            | '\\' -> text.Append @"\\" |> ignore
            | letter when Char.IsControl letter -> text.Append("\\u").Append((int letter).ToString "x4") |> ignore
            | letter -> text.Append letter |> ignore

        text.Append '"' |> ignore

    override _.Bool value = write (if value then "true" else "false")

    override _.Integer value = write (value.ToString CultureInfo.InvariantCulture)

    override _.Float64 value = write (value.ToString("R", CultureInfo.InvariantCulture))

    override _.Uuid value = write (value.ToString())
    override _.Secret() = isHidden <- hidesSecrets

    override _.String value =
        if isHidden && value <> "" then write SecretText.Hidden else quote value
        isHidden <- false

    override _.Bytes value =
        write (if isHidden && value.Length > 0 then SecretText.Hidden else "0x" + value.ToString())
        isHidden <- false

    override _.Null() =
        write "null"
        isHidden <- false

    override _.LostNull() = write "null"
    override _.Meaning name = meaning <- name

    override _.BeginStruct() =
        text.Append '{' |> ignore
        separator <- ""

    override _.EndStruct() =
        text.Append '}' |> ignore
        separator <- ", "

    override _.BeginField name =
        separate ()
        text.Append(name).Append(": ") |> ignore

    override _.EndField() = separator <- ", "

    override _.BeginArray _ =
        text.Append '[' |> ignore
        separator <- ""

    override _.BeginElement _ = separate ()

    override _.EndArray() =
        text.Append ']' |> ignore
        separator <- ", "

    override _.ToString() = text.ToString()

/// Follows the path through a value and collects what it meets there, in wire order.
[<AbstractClass>]
type internal PathVisitor<'T>(root: string) =
    inherit Visitor()
    let trail = Trail root
    let found = Collections.Generic.List<'T>()

    member _.Trail = trail
    member _.Add(item: 'T) = found.Add item
    member _.Found = List.ofSeq found

    override _.BeginField name = trail.Field name
    override _.EndField() = trail.Leave()
    override _.BeginElement index = trail.Element index
    override _.EndElement() = trail.Leave()

/// Collects the paths of the fields that a version cannot carry.
[<Sealed>]
type internal LossVisitor(root: string) =
    inherit PathVisitor<string>(root)

    override this.LostNull() = this.Add(this.Trail.ToString())

    override this.Lost name =
        this.Trail.Field name
        this.Add(this.Trail.ToString())
        this.Trail.Leave()

/// Collects the fields that hold record batches.
[<Sealed>]
type internal RecordsVisitor(root: string) =
    inherit PathVisitor<string * Bytes>(root)

    override this.Records value = this.Add(this.Trail.ToString(), value)

[<RequireQualifiedAccess>]
module internal Text =

    let private write (hidesSecrets: bool) (codec: Codec<'T>) (value: 'T) : string =
        let visitor = TextVisitor hidesSecrets
        codec.Visit(visitor, value)
        visitor.ToString()

    /// The value as one readable line without its secrets.
    let show (codec: Codec<'T>) (value: 'T) : string = write true codec value

    /// The value as one readable line, with its secrets.
    let showWithSecrets (codec: Codec<'T>) (value: 'T) : string = write false codec value
