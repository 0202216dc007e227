/// A small HTTP server for tests.
module LibKafka.Integration.HttpService

open System.Net
open System.Threading

/// Runs a test with the address of a server that answers one request after another.
let running (answer: HttpListenerContext -> unit) (test: string -> 'T) : 'T =
    let socket, address = Loopback.refuse ()
    (socket :> System.IDisposable).Dispose()
    use listener = new HttpListener()
    listener.Prefixes.Add $"http://localhost:{address.Port}/"
    listener.Start()

    let rec serve () =
        match
            (try
                ValueSome(listener.GetContext())
             with _ ->
                 ValueNone)
        with
        | ValueNone -> ()
        | ValueSome context ->
            answer context
            context.Response.Close()
            serve ()

    Thread(serve, IsBackground = true).Start()
    test $"http://localhost:{address.Port}"
