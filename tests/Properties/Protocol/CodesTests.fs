module LibKafka.Properties.CodesTests

open System
open System.Globalization
open System.Reflection
open Expecto
open LibKafka.Protocol

let private errors = TestData.tsvRows TestData.vectors "errors.tsv.gz"
let private apis = TestData.tsvRows TestData.vectors "apikeys.tsv.gz"

/// `NOT_LEADER_OR_FOLLOWER` and `classic` as they are called here: `NotLeaderOrFollower`, `Classic`.
let private pascal (name: string) =
    let word (word: string) = word.Substring(0, 1).ToUpperInvariant() + word.Substring(1)
    let lower = if name = name.ToUpperInvariant() then name.ToLowerInvariant() else name
    lower.Split('_', '-') |> Array.map word |> String.concat ""

/// A struct that gives a number or a text its meaning, seen from outside.
type private Meaning =
    {
        Type: Type
        /// The value of a new array's elements.
        Default: obj
        /// From what is on the wire.
        Make: obj -> obj
        /// What is on the wire.
        Code: obj -> obj
        Name: obj -> string
        /// The static members by name.
        Known: (string * obj) list
    }

let private some (value: objnull) : obj =
    match value with
    | null -> failwith "null"
    | value -> value

let private meaning (code: string) (case: Type) =
    let read (name: string) (value: obj) =
        match case.GetProperty name with
        | null -> failwith (case.Name + " has no " + name)
        | property -> some (property.GetValue value)
    { Type = case
      Default = some (Activator.CreateInstance case)
      Make = fun value -> some (Activator.CreateInstance(case, value))
      Code = read code
      Name = fun value -> string (read "Name" value)
      Known =
        [ for property in case.GetProperties(BindingFlags.Public ||| BindingFlags.Static) do
              property.Name, some (property.GetValue null) ] }

/// The code structs that are made of the value of their property `code`.
let private over (code: string) (carried: Type list) =
    [ for case in typeof<ErrorCode>.Assembly.GetExportedTypes() do
          match case.GetProperty code with
          | null -> ()
          | property ->
              let isMade =
                  case.IsValueType && case.Namespace = "LibKafka" && not (isNull (case.GetConstructor [| property.PropertyType |]))
              if isMade && List.contains property.PropertyType carried then meaning code case ]

/// Structs over a number.
let private numbers = over "Code" [ typeof<int8>; typeof<int16> ] @ over "Timestamp" [ typeof<int64> ]

/// Structs over a text.
let private texts = over "Name" [ typeof<string> ]

/// The code enums.
let private enums =
    [ for case in typeof<ErrorCode>.Assembly.GetExportedTypes() do
          if case.IsEnum && case.Namespace = "LibKafka" then case ]

/// Every value of an enum, whether it has a name or not.
let private everyValue (case: Type) : obj list =
    if case.GetEnumUnderlyingType() = typeof<int8> then
        [ for code in SByte.MinValue .. SByte.MaxValue -> Enum.ToObject(case, code) ]
    else
        [ for code in Int16.MinValue .. Int16.MaxValue -> Enum.ToObject(case, code) ]

/// Kafka's name for a value of an enum.
let private nameOf (case: Type) : obj -> string =
    match typeof<CodeName>.GetMethod("Of", [| case |]) with
    | null -> failwith ("CodeName has no names for " + case.Name)
    | method -> fun value -> string (method.Invoke(null, [| value |]))

/// Every number that the code can be; for a time the numbers around zero and both ends.
let private everyCode (meaning: Meaning) : obj list =
    match meaning.Code meaning.Default with
    | :? int8 -> [ for code in SByte.MinValue .. SByte.MaxValue -> some (box code) ]
    | :? int16 -> [ for code in Int16.MinValue .. Int16.MaxValue -> some (box code) ]
    | _ -> [ for code in [ Int64.MinValue; Int64.MaxValue ] @ [ -1000L .. 1000L ] -> some (box code) ]

let private op (name: string) (case: Type) (a: obj) (b: obj) =
    match case.GetMethod name with
    | null -> failwith (case.Name + " has no " + name)
    | method -> unbox<bool>(some (method.Invoke(null, [| a; b |])))

/// The laws of equality and order, and that the operators of C# agree with them.
let private lawful (case: Type) (a: obj) (b: obj) (same: bool) (order: int) =
    Expect.equal (a.Equals b) same "Equals"
    Expect.equal (op "op_Equality" case a b) same "=="
    Expect.equal (op "op_Inequality" case a b) (not same) "!="
    Expect.equal (sign ((a :?> IComparable).CompareTo b)) (sign order) "order"
    if same then Expect.equal (a.GetHashCode()) (b.GetHashCode()) "hash"

let private isSpecial (case: Type) (name: string) =
    match case.GetMethod name with
    | null -> false
    | method -> method.IsSpecialName

let private operation (code: int8) : AclOperation = LanguagePrimitives.EnumOfValue code

[<Tests>]
let tests =
    testList
        "codes"
        [ test "every error of the Java client is known by code, name and whether it can be retried" {
              for row in errors do
                  let error = ErrorCode(Int16.Parse(row["code"], CultureInfo.InvariantCulture))
                  Expect.equal error.Name row["name"] row["code"]
                  Expect.equal error.IsRetriable (row["retriable"] = "true") row["name"]
                  Expect.equal error.IsError (row["name"] <> "NONE") row["name"]
                  Expect.equal (error.ToString()) (row["name"] + " (" + row["code"] + ")") row["name"]
          }

          test "no other error is known" {
              let known = errors |> List.map (fun row -> row["code"]) |> set

              for code in Int16.MinValue .. Int16.MaxValue do
                  let error = ErrorCode code
                  let expected = known.Contains(code.ToString CultureInfo.InvariantCulture)
                  Expect.equal (error.Name <> "") expected (error.ToString())
                  Expect.equal (error.Description <> "") expected (error.ToString())
                  if not expected then Expect.isFalse error.IsRetriable (error.ToString())
          }

          test "an error's description is a sentence of its own" {
              let descriptions = errors |> List.map (fun row -> (ErrorCode(Int16.Parse row["code"])).Description)
              Expect.equal (List.distinct descriptions) descriptions "distinct"

              for description in descriptions do
                  Expect.isTrue (description.EndsWith '.' && description = description.Trim()) description
                  Expect.isFalse (description |> Seq.exists Char.IsControl) description
          }

          test "every API is known by number and name" {
              for row in apis do
                  let api = ApiKey(Int16.Parse(row["id"], CultureInfo.InvariantCulture))
                  Expect.equal api.Name row["name"] row["id"]

              let known = apis |> List.map (fun row -> row["name"]) |> set
              Expect.equal (set [ for code in Int16.MinValue .. Int16.MaxValue -> (ApiKey code).Name ]) (known.Add "") "no others"
          }

          testList
              "static members are the names"
              [ for meaning in numbers ->
                    test meaning.Type.Name {
                        let named =
                            [ for code in everyCode meaning do
                                  let value = meaning.Make code
                                  if meaning.Name value <> "" then pascal (meaning.Name value), value ]

                        let known = meaning.Known |> List.filter (fun (_, value) -> value.GetType() = meaning.Type)
                        Expect.isNonEmpty named "some are known"
                        Expect.equal (Map.ofList known) (Map.ofList named) "by name"
                        Expect.equal known.Length named.Length "each once"
                    }
                for meaning in texts ->
                    test meaning.Type.Name {
                        for name, value in meaning.Known do
                            Expect.equal (pascal (meaning.Name value)) name "by name"
                    } ]

          testList
              "each value of an enum, and no other, has Kafka's name"
              [ for case in enums ->
                    test case.Name {
                        let name = nameOf case

                        for value in everyValue case do
                            let expected = if Enum.IsDefined(case, value) then string value else ""
                            Expect.equal (if name value = "" then "" else pascal (name value)) expected (string value)
                    } ]

          test "an enum is as wide as its code on the wire, and all are found" {
              Expect.isNonEmpty enums "some"

              for case in enums do
                  Expect.contains [ typeof<int8>; typeof<int16> ] (case.GetEnumUnderlyingType()) case.Name

              Expect.contains enums typeof<IsolationLevel> "found"
              let overloads = typeof<CodeName>.GetMethods() |> Array.filter (fun method -> method.Name = "Of")
              Expect.equal overloads.Length enums.Length "one of names for each"
          }

          testList
              "a number stays itself, known or not"
              [ for meaning in numbers ->
                    test meaning.Type.Name {
                        for code in everyCode meaning do
                            let value = meaning.Make code
                            Expect.equal (meaning.Code value) code "code"
                            let text = Convert.ToString(code, CultureInfo.InvariantCulture)

                            match meaning.Name value with
                            | "" when meaning.Type = typeof<OffsetSpec> && unbox<int64> code >= 0L ->
                                Expect.equal (value.ToString()) ("AT_TIMESTAMP " + text) "a time"
                            | "" -> Expect.equal (value.ToString()) (meaning.Type.Name + " " + text) "unknown"
                            | name when meaning.Type = typeof<ErrorCode> ->
                                Expect.equal (value.ToString()) (name + " (" + text + ")") "known"
                            | name -> Expect.equal (value.ToString()) name "known"
                    } ]

          testList
              "equality and order are the number's"
              [ for meaning in numbers do
                    let codes = List.toArray (everyCode meaning)
                    testProperty meaning.Type.Name (fun (a: uint16) (b: uint16) ->
                        let a, b = codes[int a % codes.Length], codes[int b % codes.Length]
                        let order = (a :?> IComparable).CompareTo b
                        lawful meaning.Type (meaning.Make a) (meaning.Make b) (a = b) order
                        lawful meaning.Type (meaning.Make a) (meaning.Make a) true 0) ]

          testList
              "text stays itself, and no text is the empty one"
              [ for meaning in texts ->
                    testProperty meaning.Type.Name (fun (a: char list) (b: char list) ->
                        let a, b = String(List.toArray a), String(List.toArray b)
                        let x, y = meaning.Make a, meaning.Make b
                        Expect.equal (meaning.Name x) a "name"
                        Expect.equal (x.ToString()) a "text"
                        lawful meaning.Type x y (a = b) (String.CompareOrdinal(a, b))
                        lawful meaning.Type x (meaning.Make a) true 0

                        Expect.equal (meaning.Name meaning.Default) "" "without content"
                        lawful meaning.Type meaning.Default (meaning.Make "") true 0) ]

          test "there are some of each" {
              let names = [ for meaning in numbers @ texts -> meaning.Type.Name ]

              for name in [ "ErrorCode"; "ApiKey"; "OffsetSpec"; "GroupState" ] do
                  Expect.contains names name "found"
          }

          test "C# sees operators" {
              for case in typeof<AuthorizedOperations> :: [ for meaning in numbers @ texts -> meaning.Type ] do
                  Expect.isTrue (isSpecial case "op_Equality" && isSpecial case "op_Inequality") case.Name
          }

          test "an offset can be asked for by time" {
              Expect.equal (OffsetSpec.AtTimestamp 1_700_000_000_000L).Timestamp 1_700_000_000_000L "timestamp"
              Expect.equal (OffsetSpec.AtTimestamp 0L).Timestamp 0L "the first timestamp"

              for negative in [ -1L; -2L; -1_000L; Int64.MinValue ] do
                  let mutable told = ""

                  try
                      OffsetSpec.AtTimestamp negative |> ignore
                  with :? ArgumentOutOfRangeException as refused ->
                      told <- refused.Message

                  Expect.stringContains told (string negative) "a negative one is refused, and named"
          }

          testProperty "a set of operations contains what it was made of" (fun (codes: int8 list) (other: int8) ->
              let operations = codes |> List.map operation
              let bits = codes |> List.filter (fun code -> code >= 0y && code < 31y) |> set
              let authorized = AuthorizedOperations.Of operations
              Expect.isTrue authorized.IsKnown "known"
              Expect.equal (authorized.Contains(operation other)) (bits.Contains other) "contains"
              Expect.equal authorized.Operations (bits |> Set.toList |> List.map operation) "operations"
              Expect.equal (AuthorizedOperations.Of authorized.Operations) authorized "again")

          test "operations that were not asked for are none" {
              let authorized = AuthorizedOperations.NotAsked
              Expect.equal authorized.Bits Int32.MinValue "bits"
              Expect.isFalse authorized.IsKnown "known"
              Expect.isEmpty authorized.Operations "operations"
              Expect.equal (authorized.ToString()) "not asked" "text"
              let some = AuthorizedOperations.Of [ AclOperation.Write; AclOperation.Read; operation 20y ]
              Expect.equal (some.ToString()) "READ, WRITE, AclOperation 20" "text"
          }

          test "an operation is the bit of its number, and numbers above 30 have none" {
              let all = AuthorizedOperations 0xDF8
              let text = "READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS"
              Expect.equal (all.ToString()) text "what a topic has"
              let outside = AuthorizedOperations.Of [ operation 31y; operation 32y; operation -1y ]
              Expect.equal outside.Bits 0 "no bits"
              Expect.isFalse (AuthorizedOperations(-1).Contains(operation 31y)) "the sign is not an operation"
              Expect.isTrue (AuthorizedOperations(-1).Contains(operation 30y)) "the last bit is"
          } ]
