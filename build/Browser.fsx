// Opens the documentation site in headless Chromium, over the DevTools protocol.
#load "Docs.fsx"

open System
open System.Diagnostics
open System.IO
open System.Net
open System.Net.Http
open System.Net.Sockets
open System.Net.WebSockets
open System.Text
open System.Text.Json
open System.Text.Json.Nodes
open System.Text.RegularExpressions
open System.Threading
open Programs
open Docs

// ---- A web server ----

let private freePort () =
    use listener = new TcpListener(IPAddress.Loopback, 0)
    listener.Start()
    (listener.LocalEndpoint :?> IPEndPoint).Port

let private mediaTypes =
    dict
        [ ".html", "text/html; charset=utf-8"
          ".css", "text/css"
          ".js", "text/javascript"
          ".json", "application/json"
          ".svg", "image/svg+xml"
          ".png", "image/png" ]

/// Serves the files of a folder until it is disposed of. Returns its address too.
let private serve (folder: string) : HttpListener * string =
    let address = $"http://localhost:{freePort ()}/"
    let listener = new HttpListener()
    listener.Prefixes.Add address
    listener.Start()

    let answer (context: HttpListenerContext) =
        let file = Path.Combine(folder, Uri.UnescapeDataString(context.Request.Url.AbsolutePath).TrimStart '/')

        if File.Exists file then
            let found, media = mediaTypes.TryGetValue(Path.GetExtension file)
            context.Response.ContentType <- if found then media else "application/octet-stream"
            context.Response.OutputStream.Write(File.ReadAllBytes file)
        else
            context.Response.StatusCode <- 404

        context.Response.Close()

    let rec loop () =
        match
            (try
                Some(listener.GetContext())
             with _ ->
                 None)
        with
        | Some context ->
            (try
                answer context
             with :? HttpListenerException ->
                 ())
            loop ()
        | None -> ()

    Thread(loop, IsBackground = true).Start()
    listener, address

// ---- Chromium ----

/// A page of a browser. Messages of the protocol are numbered; events have no number.
type private Tab(socket: ClientWebSocket) =
    let buffer = Array.zeroCreate<byte>(1 <<< 16)
    let events = Collections.Generic.List<JsonNode>()
    let mutable last = 0

    let receive () : JsonNode =
        use limit = new CancellationTokenSource(TimeSpan.FromSeconds 30.0)
        use text = new MemoryStream()

        let rec read () =
            let received = socket.ReceiveAsync(ArraySegment buffer, limit.Token).Result
            text.Write(buffer, 0, received.Count)
            if not received.EndOfMessage then read ()

        read ()
        JsonNode.Parse(text.ToArray())

    /// Calls a method, and returns its result.
    member _.Call(method: string, parameters: JsonObject) : JsonNode =
        last <- last + 1
        let id = last
        let message =
            JsonObject([ "id", JsonValue.Create id :> JsonNode; "method", JsonValue.Create method; "params", parameters ] |> dict)
        let bytes = Encoding.UTF8.GetBytes(message.ToJsonString())
        socket.SendAsync(ArraySegment bytes, WebSocketMessageType.Text, true, CancellationToken.None).Wait()

        let rec wait () =
            let answer = receive ()

            match answer["id"] with
            | null ->
                events.Add answer
                wait ()
            | found when found.GetValue<int>() = id -> answer["result"]
            | _ -> wait ()

        wait ()

    /// Waits for an event that no earlier call has taken.
    member _.Await(method: string) =
        while not (events.Exists(fun event -> string event["method"] = method)) do
            events.Add(receive ())

    /// The events since the last time.
    member _.Take() : JsonNode list =
        let taken = List.ofSeq events
        events.Clear()
        taken

let private arguments (pairs: (string * JsonNode) list) = JsonObject(dict pairs)
let private text (value: string) : JsonNode = JsonValue.Create value

/// The value of a JavaScript expression, as text.
let private evaluate (tab: Tab) (expression: string) : string =
    let answer =
        tab.Call(
            "Runtime.evaluate",
            arguments [ "expression", text expression; "awaitPromise", JsonValue.Create true; "returnByValue", JsonValue.Create true ]
        )

    match answer["exceptionDetails"] with
    | null -> string answer["result"].["value"]
    | problem -> failwith (problem.ToJsonString())

let private chromium = [ "chromium"; "chromium-browser"; "google-chrome" ] |> List.tryFind isOnPath

let private startBrowser (program: string) : Process =
    let profile = Path.Combine(artifacts, "browser")
    if Directory.Exists profile then Directory.Delete(profile, true)

    let options =
        [ "--headless"
          "--remote-debugging-port=0"
          "--user-data-dir=" + profile
          "--window-size=1400,1000"
          "--hide-scrollbars"
          // The sandbox does not work for root.
          if Environment.UserName = "root" then "--no-sandbox"
          "about:blank" ]

    Process.Start(ProcessStartInfo(program, options, RedirectStandardError = true))

/// The port on which a browser that was just started listens.
let private debuggingPort (browser: Process) : string =
    use limit = new CancellationTokenSource(TimeSpan.FromSeconds 60.0)

    let rec port () =
        match browser.StandardError.ReadLineAsync(limit.Token).AsTask().Result with
        | null -> failwith $"{browser.StartInfo.FileName} has ended"
        | line ->
            match Regex.Match(line, "DevTools listening on ws://[^:]+:(\\d+)/") with
            | found when found.Success -> found.Groups[1].Value
            | _ -> port ()

    let port = port ()
    // So that the pipe does not fill.
    browser.StandardError.ReadToEndAsync() |> ignore
    port

let private connect (browser: Process) : Tab =
    use http = new HttpClient()
    let targets = JsonNode.Parse(http.GetStringAsync($"http://localhost:{debuggingPort browser}/json/list").Result).AsArray()
    let page = targets |> Seq.find (fun target -> string target["type"] = "page")
    let socket = new ClientWebSocket()
    socket.ConnectAsync(Uri(string page["webSocketDebuggerUrl"]), CancellationToken.None).Wait()
    let tab = Tab socket

    for domain in [ "Page"; "Runtime"; "Log"; "Network" ] do
        tab.Call(domain + ".enable", JsonObject()) |> ignore

    tab

// ---- Checks ----

let private isError (event: JsonNode) =
    match string event["method"] with
    | "Runtime.exceptionThrown"
    | "Network.loadingFailed" -> true
    | "Log.entryAdded" -> string event["params"].["entry"].["level"] = "error"
    | "Runtime.consoleAPICalled" -> string event["params"].["type"] = "error"
    | _ -> false

let private visit (tab: Tab) (address: string) =
    tab.Take() |> ignore
    tab.Call("Page.navigate", arguments (List.singleton ("url", text address))) |> ignore
    tab.Await "Page.loadEventFired"

/// What is wrong with a page as it is shown: errors, no heading, text that is wider than its column, code without colours.
let private problems (tab: Tab) (page: string) : string list =
    let facts =
        evaluate
            tab
            """(() => {
                const content = document.querySelector("#content");
                const isPlain = code => ![...code.querySelectorAll("span")].some(
                    span => getComputedStyle(span).color !== getComputedStyle(code).color);
                const code = [...content.querySelectorAll("code[lang=csharp], code[lang=fsharp]")];
                return [
                    content.querySelector("h1, h2") ? "" : "no heading",
                    document.querySelectorAll("#fsdocs-main-menu .nav-item").length > 5 ? "" : "no menu",
                    content.scrollWidth > content.clientWidth + 1 ? "wider than its column" : "",
                    code.some(isPlain) ? "code without colours" : "",
                ].filter(problem => problem).join("\n");
            })()"""

    let shown = [ for problem in facts.Split('\n', StringSplitOptions.RemoveEmptyEntries) -> $"{page}: {problem}" ]
    let errors = tab.Take() |> List.filter isError |> List.map _.ToJsonString()
    shown @ [ for error in errors -> $"{page}: {error.Substring(0, min 400 error.Length)}" ]

let private screenshot (tab: Tab) (page: string) =
    let folder = Path.Combine(artifacts, "screenshots")
    Directory.CreateDirectory folder |> ignore
    let image = tab.Call("Page.captureScreenshot", JsonObject())
    let name = Path.ChangeExtension(page, ".png").Replace('/', '-')
    File.WriteAllBytes(Path.Combine(folder, name), Convert.FromBase64String(string image["data"]))

/// What is wrong with the page that is shown if the window is as wide as a phone's, and a picture of it.
let private problemsOnPhone (tab: Tab) (page: string) : string list =
    let size = [ "width", 390; "height", 844; "deviceScaleFactor", 1 ]
    let metrics = arguments [ for name, value in size -> name, JsonValue.Create value :> JsonNode ]
    metrics["mobile"] <- JsonValue.Create true
    tab.Call("Emulation.setDeviceMetricsOverride", metrics) |> ignore
    let width = evaluate tab "document.documentElement.scrollWidth"
    screenshot tab ("phone-" + page)
    tab.Call("Emulation.clearDeviceMetricsOverride", JsonObject()) |> ignore
    if int width > 390 then [ $"{page}: {width} pixels wide on a phone of 390" ] else []

/// The first address that the search finds for some words.
let private searchFor (tab: Tab) (words: string) : string =
    evaluate
        tab
        (sprintf
            """(async () => {
                document.querySelector("#search-btn").click();
                const box = document.querySelector("dialog input");
                box.value = %s;
                box.dispatchEvent(new Event("input"));
                for (let wait = 0; wait < 600 && !document.querySelector("dialog li a"); wait++)
                    await new Promise(done => setTimeout(done, 50));
                return document.querySelector("dialog li a")?.href ?? "";
            })()"""
            (JsonSerializer.Serialize words))

/// Words, and the page that the search must find first for them.
let private searches =
    [ "three outcomes", "concepts/three-outcomes.html"
      "CallTimeout", "libkafka-client-clientsettings.html#CallTimeout"
      "TopicProducer", "libkafka-topicproducer.html" ]

/// Pages whose names of types and members must be links to the reference.
let private unlinked (tab: Tab) (address: string) : string list =
    [ for page in [ "concepts.html"; "how-to/groups.html"; "errors.html"; "guarantees.html" ] do
          visit tab (address + page)
          let count = evaluate tab "document.querySelectorAll('#content a[href*=\"reference/\"] > code').length"
          if count = "0" then $"{page} has no link to the reference" ]

let private checkIn (tab: Tab) (address: string) (pages: string list) : string list =
    let opened =
        pages
        |> List.collect (fun page ->
            visit tab (address + page)
            let found = problems tab page
            screenshot tab page
            found @ problemsOnPhone tab page)

    let searched =
        searches
        |> List.choose (fun (words, expected) ->
            visit tab (address + "index.html")
            let found = searchFor tab words
            screenshot tab ("search-" + words)
            if found.EndsWith expected then
                None
            else
                Some $"the search for '{words}' finds '{found}' first and not {expected}")

    opened @ searched @ unlinked tab address

/// Opens pages of the site that has been built. Returns the script's exit code.
let private openPages (program: string) (pages: string list) : int =
    step "Open the pages in Chromium" (fun () ->
        let server, address = serve site
        use _ = server
        use browser = startBrowser program

        let found =
            try
                checkIn (connect browser) address pages
            finally
                browser.Kill(entireProcessTree = true)

        List.iter say found
        say $"   {pages.Length} pages, {found.Length} problems; screenshots are in artifacts/screenshots."
        if found.IsEmpty then 0 else 1)

/// Some pages of the API reference: the list, a class of the core, and one of the façade.
let private api =
    [ "reference/index.html"; "reference/libkafka-client-partitionproducer.html"; "reference/libkafka-groupconsumer.html" ]

/// Builds the site and opens its pages. Returns the script's exit code.
let checkSite () : int =
    match chromium with
    | Some program -> openPages program (buildSite () @ api)
    | None ->
        complain "docs --check needs Chromium, and none is on the PATH. On Debian: apt-get install chromium"
        1
