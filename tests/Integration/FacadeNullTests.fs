/// Null in arguments and option objects of the C# façade, as laws that hold for every public member.
module LibKafka.Integration.FacadeNullTests

open System
open System.Collections.Generic
open System.Linq.Expressions
open System.Reflection
open System.Runtime.CompilerServices
open Expecto
open LibKafka
open LibKafka.Records
open LibKafka.Integration.FacadeSupport

let private facade = typeof<KafkaException>.Assembly
let private nullability = NullabilityInfoContext()
let private options = KafkaClientOptions "localhost:1"

/// Implements an interface of the caller's whose members are not called.
type Proxy() =
    inherit DispatchProxy()
    override _.Invoke(_, _) = null

// ---- Valid arguments ----

let private known: (Type * (unit -> obj)) list =
    [ typeof<string>, (fun () -> "localhost:1")
      typeof<KafkaClientOptions>, (fun () -> options)
      typeof<TopicPartition>, (fun () -> TopicPartition("t", 0))
      typeof<BrokerAddress>, (fun () -> BrokerAddress("localhost", 1))
      typeof<ConfigResource>, (fun () -> ConfigResource.Topic "t")
      typeof<TimeSpan>, (fun () -> TimeSpan.FromSeconds 1.0)
      typeof<PartitionClient>, (fun () -> new PartitionClient(options, TopicPartition("t", 0)))
      typeof<PartitionProducer>, (fun () -> new PartitionProducer(options, TopicPartition("t", 0)))
      typeof<IdempotentProducer>, (fun () -> new IdempotentProducer(options, TopicPartition("t", 0), ProducerIdentity(1L, 0s)))
      typeof<PartitionFetcher>, (fun () -> new PartitionFetcher(options, TopicPartition("t", 0)))
      typeof<GroupClient>, (fun () -> new GroupClient(options, "g"))
      typeof<ConsumerGroupClient>, (fun () -> new ConsumerGroupClient(options, "g", ConsumerGroupSubscription([ "t" ])))
      typeof<TransactionClient>, (fun () -> new TransactionClient(options, "t"))
      typeof<AdminClient>, (fun () -> new AdminClient(options))
      typeof<GroupMembership>, (fun () -> GroupMembership.None)
      typeof<PartitionAssignor>, (fun () -> PartitionAssignor.Range)
      typeof<ChoosePartition>, (fun () -> Partitioning.ByKey)
      typeof<TimeProvider>, (fun () -> TimeProvider.System)
      typeof<ICompressionCodec>, (fun () -> gzip)
      typeof<RecordBatch>, (fun () -> batch "a" 1) ]

/// A delegate that does nothing.
let private delegateOf (shape: Type) : obj =
    match shape.GetMethod "Invoke" with
    | null -> failtestf "%O cannot be called" shape
    | invoke ->
        let parameters = invoke.GetParameters() |> Array.map (fun it -> Expression.Parameter it.ParameterType)
        Expression.Lambda(shape, Expression.Default invoke.ReturnType, parameters).Compile()

/// A valid argument of a type. A value of a class that only the library makes has no content.
let private sample (shape: Type) : obj | null =
    let shape = if shape.IsByRef then nonNull (shape.GetElementType()) else shape

    match known |> List.tryFind (fun (found, _) -> found = shape), shape.GetGenericArguments() with
    | Some(_, make), _ -> make ()
    | None, _ when shape.IsValueType -> Activator.CreateInstance shape
    | None, _ when typeof<Delegate>.IsAssignableFrom shape -> delegateOf shape
    | None, [| element |] when shape.IsInterface -> Array.CreateInstance(element, 0)
    | None, [| key; value |] when shape.IsInterface -> Activator.CreateInstance(typedefof<Dictionary<_, _>>.MakeGenericType(key, value))
    | None, _ when shape.IsArray -> Array.CreateInstance(nonNull (shape.GetElementType()), 0)
    | None, _ when shape.IsInterface -> DispatchProxy.Create(shape, typeof<Proxy>)
    | _ -> RuntimeHelpers.GetUninitializedObject shape

// ---- Invalid arguments ----

let private refusesNull (shape: Type) (info: NullabilityInfo) = not shape.IsValueType && info.WriteState <> NullabilityState.Nullable

/// Structs whose default has null in place of a text that they need.
let private hollow = set [ "TopicPartition"; "BrokerAddress"; "ConfigResource" ]

/// What an element must not be, if there is such a value.
let private badElement (shape: Type) (info: NullabilityInfo) : obj option =
    if refusesNull shape info then Some(Unchecked.defaultof<obj>)
    elif hollow.Contains shape.Name then Option.ofObj (Activator.CreateInstance shape)
    else None

let private arrayOf (element: Type) (content: obj | null) : obj =
    let array = Array.CreateInstance(element, 1)
    array.SetValue(content, 0)
    array

let private entryOf (entry: Type) (key: obj | null) (value: obj | null) : obj | null = Activator.CreateInstance(entry, key, value)

/// A dictionary with one entry whose value is null.
let private dictionaryOf (key: Type) (value: Type) : obj =
    match Activator.CreateInstance(typedefof<Dictionary<_, _>>.MakeGenericType(key, value)) with
    | :? System.Collections.IDictionary as dictionary ->
        dictionary.Add(nonNull (sample key), null)
        dictionary
    | _ -> failtest "a dictionary was expected"

/// Collections of a type with one invalid element each.
let private badCollections (shape: Type) (info: NullabilityInfo) : obj list =
    match shape.GetElementType(), shape.GetGenericArguments(), info.GenericTypeArguments with
    | NonNull element, _, _ when shape.IsArray && not (isNull info.ElementType) ->
        [ for bad in Option.toList (badElement element (nonNull info.ElementType)) -> arrayOf element bad ]
    | _, [| entry |], [| entryInfo |] when
        shape.IsInterface && entry.IsGenericType && entry.GetGenericTypeDefinition() = typedefof<KeyValuePair<_, _>>
        ->
        let parts = entry.GetGenericArguments()
        let infos = entryInfo.GenericTypeArguments

        [ for bad in Option.toList (badElement parts[0] infos[0]) -> arrayOf entry (entryOf entry bad (sample parts[1]))
          for bad in Option.toList (badElement parts[1] infos[1]) -> arrayOf entry (entryOf entry (sample parts[0]) bad) ]
    | _, [| element |], [| elementInfo |] when shape.IsInterface ->
        [ for bad in Option.toList (badElement element elementInfo) -> arrayOf element bad ]
    | _, [| key; value |], [| _; valueInfo |] when shape.IsInterface && refusesNull value valueInfo -> [ dictionaryOf key value ]
    | _ -> []

// ---- Trials ----

/// A parameter or a property that was given an invalid value, and what is wrong with the way it was refused; none if nothing is.
type private Trial = { Place: string; IsElement: bool; Complaint: string option }

/// The exception of an invocation.
let private thrownBy (invoke: unit -> unit) : exn | null =
    try
        invoke ()
        null
    with :? TargetInvocationException as outer ->
        outer.InnerException

let private trial (place: string) (parameter: string | null) (isElement: bool) (invoke: unit -> unit) : Trial =
    let complaint =
        match thrownBy invoke with
        | :? ArgumentException as error when not isElement && not (error :? ArgumentNullException) -> Some(error.GetType().Name)
        | :? ArgumentException as error when error.ParamName = parameter -> None
        | :? ArgumentException as error -> Some("names " + string error.ParamName)
        | null -> Some "accepts it"
        | other -> Some(other.ToString())

    { Place = place + (if isElement then ", an element" else ""); IsElement = isElement; Complaint = complaint }

/// Gives invalid values to one place, whose nullability is known.
let private trialsOf
    (place: string)
    (parameter: string | null)
    (shape: Type)
    (info: NullabilityInfo)
    (give: obj | null -> unit)
    : Trial list =
    [ if refusesNull shape info then trial place parameter false (fun () -> give null)

      for bad in badCollections shape info do
          trial place parameter true (fun () -> give bad) ]

/// Members with spans, which reflection cannot pass.
let private byHand: Map<string, obj | null -> unit> =
    let nullText: string = Unchecked.defaultof<string>

    let addWithoutTopic () =
        match sample typeof<TransformOutput> with
        | :? TransformOutput as output -> output.Add(nullText, NullableSpan(), NullableSpan(), 0L, ReadOnlySpan.Empty)
        | other -> failtestf "%O" other

    Map.ofList
        [ "KafkaHeader..ctor(name)", (fun _ -> KafkaHeader(nullText, NullableSpan()) |> ignore)
          "TransformOutput.Add(topic)", (fun _ -> addWithoutTopic ()) ]

let private trialsOfParameters (declaring: Type) (found: MethodBase) (invoke: (obj | null)[] -> unit) : Trial list =
    let parameters = found.GetParameters()
    let isSpan (it: ParameterInfo) = it.ParameterType.IsByRefLike
    let hasSpan = parameters |> Array.exists isSpan

    let give (place: string) (index: int) (bad: obj | null) =
        match byHand.TryFind place with
        | Some give when hasSpan ->
            try
                give bad
            with error ->
                raise (TargetInvocationException error)
        | _ when hasSpan -> raise (TargetInvocationException(NotSupportedException "it must be tried by hand"))
        | _ -> invoke (parameters |> Array.mapi (fun i it -> if i = index then bad else sample it.ParameterType))

    [ for index, parameter in Array.indexed parameters do
          if not (isSpan parameter || parameter.ParameterType.IsByRef) then
              let place = declaring.Name + "." + found.Name + "(" + parameter.Name + ")"
              yield! trialsOf place parameter.Name parameter.ParameterType (nullability.Create parameter) (give place index) ]

let private trialsOfProperty (declaring: Type) (property: PropertyInfo) : Trial list =
    let target = sample declaring
    let give bad = property.SetValue(target, bad)
    trialsOf (declaring.Name + "." + property.Name) "value" property.PropertyType (nullability.Create property) give

/// Replaces type parameters by types that they allow.
let private closed (make: Type[] -> 'T) (parameters: Type[]) : 'T =
    let argument (parameter: Type) : Type =
        match parameter.GetGenericParameterConstraints() with
        | [||] -> typeof<KafkaResult>
        | constraints when constraints[0].IsGenericParameter -> typeof<KafkaResult>
        | constraints -> constraints[0]

    make (Array.map argument parameters)

let private types: Type list =
    [ for it in facade.GetExportedTypes() do
          if not (it.IsInterface || it.IsEnum || it.IsByRefLike || typeof<Delegate>.IsAssignableFrom it) then
              if it.IsGenericTypeDefinition then
                  closed (fun arguments -> it.MakeGenericType arguments) (it.GetGenericArguments())
              else
                  it ]

/// Whether a member is written in the façade. The compiler makes the equality of records.
let private isWritten (found: MethodBase) = not (found.IsSpecialName || found.Name.Contains '<' || found.Name = "Equals")

let private trials: Lazy<Trial list> =
    lazy
        (let own = BindingFlags.Public ||| BindingFlags.Instance ||| BindingFlags.Static ||| BindingFlags.DeclaredOnly

         [ for declaring in types do
               for constructor in declaring.GetConstructors() do
                   yield! trialsOfParameters declaring constructor (fun arguments -> constructor.Invoke arguments |> ignore)

               for found in declaring.GetMethods own do
                   if isWritten found then
                       let found =
                           if found.IsGenericMethodDefinition then
                               closed (fun arguments -> found.MakeGenericMethod arguments) (found.GetGenericArguments())
                           else
                               found

                       let receiver = if found.IsStatic || declaring.IsAbstract then null else sample declaring
                       yield! trialsOfParameters declaring found (fun arguments -> found.Invoke(receiver, arguments) |> ignore)

               for property in declaring.GetProperties own do
                   match property.GetSetMethod() with
                   | null -> ()
                   | _ -> yield! trialsOfProperty declaring property ])

let private complaints (trials: Trial list) : string list =
    [ for it in trials do
          match it.Complaint with
          | Some complaint -> it.Place + ": " + complaint
          | None -> () ]

let private laws =
    testList
        "is refused at once, by the name of the parameter"
        [ testCase "in every argument and property" (fun () ->
              let tried = trials.Value |> List.filter (fun it -> not it.IsElement)
              Expect.isGreaterThan tried.Length 300 "places that were tried"
              Expect.equal (complaints tried) [] "places that accept null")

          testCase "within every list and dictionary" (fun () ->
              let tried = trials.Value |> List.filter _.IsElement
              Expect.isGreaterThan tried.Length 60 "places that were tried"
              Expect.equal (complaints tried) [] "places that accept null within") ]

let private partitions =
    testCase "a partition without a topic, or with a negative number, is refused in the same way" (fun () ->
        use group = new GroupClient(options, "g")

        let cases: (string * (unit -> obj)) list =
            [ "partitions", (fun () -> group.FetchOffsets [ TopicPartition("", 0) ])
              "partition", (fun () -> group.FetchOffset(TopicPartition("t", -1)))
              "offsets", (fun () -> group.CommitOffsets(GroupMembership.None, dict [ TopicPartition("t", -1), CommittedOffset 1L ])) ]

        for name, call in cases do
            Expect.throwsC (call >> ignore) (fun error ->
                match error with
                | :? ArgumentException as error -> Expect.equal error.ParamName name "the parameter"
                | other -> failtestf "%O" other))

// The lowest value of a type, which few settings allow.
let private lowest: (Type * ValueType) list =
    let one (value: #ValueType) = value.GetType(), value :> ValueType
    [ one TimeSpan.MinValue; one Int16.MinValue; one Int32.MinValue; one Int64.MinValue; one Double.MinValue ]

let private ranges =
    testCase "a property that is set to a number or a time out of range is named" (fun () ->
        let own = BindingFlags.Public ||| BindingFlags.Instance ||| BindingFlags.DeclaredOnly

        let refusals =
            [ for declaring in types do
                  for property in declaring.GetProperties own do
                      let shape =
                          match Nullable.GetUnderlyingType property.PropertyType with
                          | null -> property.PropertyType
                          | inner -> inner

                      match property.GetSetMethod(), lowest |> List.tryFind (fun (found, _) -> found = shape) with
                      | null, _
                      | _, None -> ()
                      | _, Some(_, value) ->
                          let target = sample declaring

                          match thrownBy (fun () -> property.SetValue(target, value)) with
                          | :? ArgumentOutOfRangeException as error ->
                              declaring.Name + "." + property.Name, declaring.Name + "." + string error.ParamName
                          | _ -> () ]

        Expect.isGreaterThan refusals.Length 35 "properties with a range"
        Expect.equal (refusals |> List.filter (fun (property, named) -> property <> named)) [] "properties that are not named")

[<Tests>]
let tests = testList "façade, null" [ laws; partitions; ranges ]
