namespace LibKafka.Client

open System
open System.IO
open System.Net.Security
open System.Security.Cryptography
open System.Security.Cryptography.X509Certificates

/// Files in PEM form for TLS.
type PemFiles =
    {
        /// The certificates of the authorities that may have issued a broker's certificate, and intermediate ones; none for the system's.
        Authorities: string option
        /// The client's certificate, followed by intermediate ones, for brokers that ask for it (mTLS).
        Certificate: string option
        /// The private key of the client's certificate; none if it is in the same file.
        Key: string option
        /// The password of the private key; none if it is not encrypted.
        KeyPassword: string option
    }

    /// The names of the files, without the password.
    override this.ToString() = [ this.Authorities; this.Certificate; this.Key ] |> List.choose id |> String.concat ", "

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module PemFiles =

    /// No files: the authorities that the system trusts, and no client certificate.
    let standard: PemFiles = { Authorities = None; Certificate = None; Key = None; KeyPassword = None }

/// How to use TLS: .NET's options for each host.
[<Sealed>]
type Tls internal (optionsFor: string -> SslClientAuthenticationOptions) =

    /// The options for a connection to a host: see `Tls.forHost`.
    member internal _.OptionsFor(host: string) = optionsFor host

    /// Without any details.
    override _.ToString() = "TLS"

[<RequireQualifiedAccess>]
module Tls =

    /// A copy of the options for a host. What they refer to is shared, as .NET intends.
    let internal copyFor (host: string) (options: SslClientAuthenticationOptions) : SslClientAuthenticationOptions =
        let copy =
            SslClientAuthenticationOptions(
                AllowRenegotiation = options.AllowRenegotiation,
                AllowTlsResume = options.AllowTlsResume,
                AllowRsaPkcs1Padding = options.AllowRsaPkcs1Padding,
                AllowRsaPssPadding = options.AllowRsaPssPadding,
                ApplicationProtocols = options.ApplicationProtocols,
                CertificateChainPolicy = options.CertificateChainPolicy,
                CertificateRevocationCheckMode = options.CertificateRevocationCheckMode,
                CipherSuitesPolicy = options.CipherSuitesPolicy,
                ClientCertificateContext = options.ClientCertificateContext,
                ClientCertificates = options.ClientCertificates,
                EnabledSslProtocols = options.EnabledSslProtocols,
                EncryptionPolicy = options.EncryptionPolicy,
                LocalCertificateSelectionCallback = options.LocalCertificateSelectionCallback,
                RemoteCertificateValidationCallback = options.RemoteCertificateValidationCallback
            )

        copy.TargetHost <- host
        copy

    // Without a policy, .NET downloads certificates that are missing in the chain from the addresses that the peer's certificate names. Neither
    // the deadline nor cancellation would apply to that, and the peer is not authenticated yet.
    let private withoutDownloads (options: SslClientAuthenticationOptions) : X509ChainPolicy =
        X509ChainPolicy(
            DisableCertificateDownloads = true,
            RevocationMode = options.CertificateRevocationCheckMode,
            RevocationFlag = X509RevocationFlag.ExcludeRoot
        )

    // The host, if the options do not name one, in the form that TLS demands: without the dot at the end that makes a name absolute.
    let private nameOf (host: string) (options: SslClientAuthenticationOptions) : string =
        let name =
            match options.TargetHost with
            | null
            | "" -> host
            | named -> named

        if name.Length > 1 && name.EndsWith '.' then name.Substring(0, name.Length - 1) else name

    let private withDetails (certificate: X509Certificate) : X509Certificate2 =
        match certificate with
        | :? X509Certificate2 as detailed -> detailed
        | plain -> new X509Certificate2(plain)

    // The certificate for which the client has the private key. A callback is asked before anything is known of the broker, as .NET asks it
    // first. It may choose none then, and .NET asks it again during the handshake.
    let private ownCertificate (options: SslClientAuthenticationOptions) (given: X509Certificate list) : X509Certificate2 option =
        let candidates =
            match options.LocalCertificateSelectionCallback with
            | null -> given
            | select ->
                let selected = select.Invoke(options, string options.TargetHost, X509CertificateCollection(Array.ofList given), null, [||])
                Option.toList (Option.ofObj selected)

        candidates |> List.map withDetails |> List.tryFind _.HasPrivateKey

    // For a certificate without a context, .NET makes one during the handshake, and downloads the issuers that are missing in its chain from the
    // addresses that it names.
    let private makeContextOffline (options: SslClientAuthenticationOptions) =
        let given =
            match options.ClientCertificates with
            | null -> []
            | certificates -> List.ofSeq (Seq.cast<X509Certificate> certificates)

        match ownCertificate options given with
        | None -> ()
        | Some own ->
            let others = X509Certificate2Collection(given |> List.map withDetails |> Array.ofList)
            options.ClientCertificateContext <- SslStreamCertificateContext.Create(own, others, true)
            options.LocalCertificateSelectionCallback <- null

    /// The options as they are used for a connection to a host.
    let internal forHost (host: string) (options: SslClientAuthenticationOptions) : SslClientAuthenticationOptions =
        let copy = copyFor (nameOf host options) options

        if isNull copy.CertificateChainPolicy then
            copy.CertificateChainPolicy <- withoutDownloads options

        if isNull copy.ClientCertificateContext then makeContextOffline copy

        copy

    /// Options from a function of the host. Each connection uses a copy of them, with the host in `TargetHost` if that is null or empty, and
    /// with a `CertificateChainPolicy` that downloads no missing certificates if there is none. A policy of the caller's is used as it is; with
    /// .NET's defaults it downloads them. Revocation lists are downloaded only if the options ask for it.
    ///
    /// A connection resumes the TLS session of an earlier one with the same host name and the same options, which saves most of the handshake,
    /// unless `AllowTlsResume` is false. On Linux, .NET cannot do that with a broker that is known by its IP address.
    ///
    /// Nor are issuers of the client's own certificate downloaded: of `ClientCertificates` the first that has a private key is used, with the
    /// others as its intermediate certificates, or the one that `LocalCertificateSelectionCallback` selects before the handshake. If the callback
    /// selects one only during the handshake, when it has the broker's certificate, .NET downloads the missing issuers of that one. A
    /// `ClientCertificateContext` is used as it is.
    let ofFunction (optionsFor: string -> SslClientAuthenticationOptions) : Tls = Tls(fun host -> forHost host (optionsFor host))

    /// The same options for every broker: see `ofFunction`. They must not be changed afterwards.
    let ofOptions (options: SslClientAuthenticationOptions) : Tls = Tls(fun host -> forHost host options)

    /// The authorities that the system trusts, with a check of the host's name, and without a client certificate.
    let standard: Tls = ofOptions (SslClientAuthenticationOptions())

    let private certificatesIn (file: string) : X509Certificate2Collection =
        let certificates = X509Certificate2Collection()
        certificates.ImportFromPemFile file

        if certificates.Count = 0 then
            raise (CryptographicException("there is no certificate in the file"))

        certificates

    // A certificate is trusted if its chain ends in one of these that is self-signed. The others help to build the chain.
    let private trusting (file: string) : X509ChainPolicy =
        let policy =
            X509ChainPolicy(
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true
            )

        let authorities = certificatesIn file
        policy.CustomTrustStore.AddRange authorities
        policy.ExtraStore.AddRange authorities
        policy

    let private identity (file: string) (key: string option) (password: string option) : SslStreamCertificateContext =
        let key = Option.defaultValue file key

        use fromPem =
            match password with
            | Some password -> X509Certificate2.CreateFromEncryptedPemFile(file, password.AsSpan(), key)
            | None -> X509Certificate2.CreateFromPemFile(file, key)

        // Windows does not accept a key that is only in memory, as one from a PEM file is, but accepts one from a PKCS#12 file.
        let own = X509CertificateLoader.LoadPkcs12(fromPem.Export X509ContentType.Pkcs12, null)

        // Offline: certificates that are not in the file are not downloaded.
        SslStreamCertificateContext.Create(own, certificatesIn file, true)

    /// Options from PEM files, which are read now. The fault `InvalidSetting` names a file that cannot be used.
    let readPemFiles (files: PemFiles) : Result<SslClientAuthenticationOptions, ClientFault> =
        let reading (file: string option) (read: string -> 'T) : Result<'T option, ClientFault> =
            try
                Ok(Option.map read file)
            with error ->
                Error(ClientFault.InvalidSetting("Tls", Option.defaultValue "" file + ": " + error.Message))

        match reading files.Authorities trusting, reading files.Certificate (fun file -> identity file files.Key files.KeyPassword) with
        | Error fault, _
        | _, Error fault -> Error fault
        | Ok None, Ok None when files.Key.IsSome -> Error(ClientFault.InvalidSetting("Tls", "there is a key but no certificate"))
        | Ok authorities, Ok identity ->
            let options = SslClientAuthenticationOptions()
            authorities |> Option.iter (fun policy -> options.CertificateChainPolicy <- policy)
            identity |> Option.iter (fun context -> options.ClientCertificateContext <- context)
            Ok options

    /// What shows that a file has changed: its last write time and its length, or nothing if it cannot be seen.
    let private stampOf (file: string) : struct (DateTime * int64) =
        let info = FileInfo file
        if info.Exists then struct (info.LastWriteTimeUtc, info.Length) else struct (DateTime.MinValue, -1L)

    let private stampsOf (files: PemFiles) = [ files.Authorities; files.Certificate; files.Key ] |> List.choose id |> List.map stampOf

    /// TLS with options from PEM files. They are read now, and again before a connection is made if the last write time or the length of one of
    /// them has changed, so that certificates and keys can be replaced while the program runs. Open connections keep theirs. If the changed files
    /// cannot be used, because one is missing or half written, or the key does not belong to the certificate, the connection is made with what was
    /// read before, and the next one looks again. The fault `InvalidSetting` names a file that cannot be used now: see `readPemFiles`.
    ///
    /// Write a new file elsewhere and rename it. A certificate and its key in one file are replaced together.
    let ofPemFiles (files: PemFiles) : Result<Tls, ClientFault> =
        // The stamps are taken before the files are read. If a file is written meanwhile, they differ the next time.
        let read () =
            let stamps = stampsOf files
            readPemFiles files |> Result.map (fun options -> stamps, options)

        read ()
        |> Result.map (fun first ->
            // A reference to an immutable value, which is read and written atomically. Two threads may read the files at once, which does no harm.
            let current = ref first

            let optionsNow () =
                let stamps, options = current.Value

                if stampsOf files = stamps then
                    options
                else
                    match read () with
                    | Ok changed ->
                        current.Value <- changed
                        snd changed
                    | Error _ -> options

            Tls(fun host -> forHost host (optionsNow ())))
