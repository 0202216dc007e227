namespace LibKafka.Client

open System
open System.Net.Security
open System.Security.Cryptography
open System.Security.Cryptography.X509Certificates

/// Files in PEM form that TLS is made of.
type PemFiles =
    {
        /// Certificates of the authorities that a broker's certificate may come from, and those between; none for the system's own.
        Authorities: string option
        /// The client's certificate, those between it and its authority behind it, for brokers that ask for one (mTLS).
        Certificate: string option
        /// The private key of the client's certificate; none where it stands in the same file.
        Key: string option
        /// What the private key is encrypted with; none where it is not.
        KeyPassword: string option
    }

    /// The names of the files, and nothing of the password.
    override this.ToString() = [ this.Authorities; this.Certificate; this.Key ] |> List.choose id |> String.concat ", "

/// How TLS is spoken: options for each host, as .NET has them.
[<Sealed>]
type Tls internal (optionsFor: string -> SslClientAuthenticationOptions) =

    /// The options for a connection to a host.
    member internal _.OptionsFor(host: string) = optionsFor host

    /// Nothing of what is in it.
    override _.ToString() = "TLS"

[<RequireQualifiedAccess>]
module Tls =

    /// The same options for another host. What they refer to is shared, as .NET means it to be.
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

    /// Options that a function gives for each host. They are used as they are.
    let ofFunction (optionsFor: string -> SslClientAuthenticationOptions) : Tls = Tls optionsFor

    /// The same options for every broker: a copy of them for each connection, with the broker's host in `TargetHost` where that is null or
    /// empty. They are not to be changed from then on.
    let ofOptions (options: SslClientAuthenticationOptions) : Tls =
        Tls(fun host -> if String.IsNullOrEmpty options.TargetHost then copyFor host options else options)

    /// What the system trusts, the host's name checked, and no certificate of the client's own.
    let standard: Tls = ofOptions (SslClientAuthenticationOptions())

    let private certificatesIn (file: string) : X509Certificate2Collection =
        let certificates = X509Certificate2Collection()
        certificates.ImportFromPemFile file

        if certificates.Count = 0 then
            raise (CryptographicException("there is no certificate in the file"))

        certificates

    // A certificate is trusted where its chain ends in one of these that signs itself; the others help to get there.
    let private trusting (file: string) : X509ChainPolicy =
        let policy = X509ChainPolicy(TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck)
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

        // Windows takes no key for TLS that is in memory alone, as one from a PEM file is; one from a PKCS#12 file it does.
        let own = X509CertificateLoader.LoadPkcs12(fromPem.Export X509ContentType.Pkcs12, null)

        // Offline: a chain that is not in the file is not fetched from anywhere.
        SslStreamCertificateContext.Create(own, certificatesIn file, true)

    /// Options made of PEM files, which are read now. The fault `InvalidSetting` names a file that cannot be used.
    let readPemFiles (files: PemFiles) : Result<SslClientAuthenticationOptions, ClientFault> =
        let reading (file: string option) (read: string -> 'T) : Result<'T option, ClientFault> =
            try
                Ok(Option.map read file)
            with error ->
                Error(ClientFault.InvalidSetting("Tls", Option.defaultValue "" file + ": " + error.Message))

        match reading files.Authorities trusting, reading files.Certificate (fun file -> identity file files.Key files.KeyPassword) with
        | Error fault, _
        | _, Error fault -> Error fault
        | Ok None, Ok None when files.Key.IsSome -> Error(ClientFault.InvalidSetting("Tls", "there is a key and no certificate to it"))
        | Ok authorities, Ok identity ->
            let options = SslClientAuthenticationOptions()
            authorities |> Option.iter (fun policy -> options.CertificateChainPolicy <- policy)
            identity |> Option.iter (fun context -> options.ClientCertificateContext <- context)
            Ok options

    /// TLS with options made of PEM files: see `readPemFiles`.
    let ofPemFiles (files: PemFiles) : Result<Tls, ClientFault> = readPemFiles files |> Result.map ofOptions
