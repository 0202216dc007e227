namespace LibKafka.Integration

open System
open System.IO
open System.Net
open System.Net.Security
open System.Security.Authentication
open System.Security.Cryptography
open System.Security.Cryptography.X509Certificates

/// The purpose of a certificate.
[<RequireQualifiedAccess>]
type Purpose =
    /// A broker with these names: IP addresses or host names.
    | Broker of names: string list
    | Client of name: string

/// A certificate authority made by the tests, and the certificates that it signs.
[<Sealed>]
type Authority(name: string) =
    let key = ECDsa.Create ECCurve.NamedCurves.nistP256

    let certificate =
        let request = CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256)
        request.CertificateExtensions.Add(X509BasicConstraintsExtension(true, false, 0, true))
        request.CertificateExtensions.Add(X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true))
        request.CertificateExtensions.Add(X509SubjectKeyIdentifierExtension(request.PublicKey, false))
        request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears -2, DateTimeOffset.UtcNow.AddYears 2)

    /// The authority's own certificate.
    member _.Pem = certificate.ExportCertificatePem()

    /// A certificate with its key, valid between these days from now.
    member _.Issue(purpose: Purpose, ?from: float, ?until: float, ?extension: X509Extension) : X509Certificate2 =
        use own = ECDsa.Create ECCurve.NamedCurves.nistP256

        let subject, usage =
            match purpose with
            | Purpose.Broker names -> "CN=" + names.Head, "1.3.6.1.5.5.7.3.1"
            | Purpose.Client name -> "CN=" + name, "1.3.6.1.5.5.7.3.2"

        let request = CertificateRequest(subject, own, HashAlgorithmName.SHA256)
        request.CertificateExtensions.Add(X509BasicConstraintsExtension(false, false, 0, true))
        request.CertificateExtensions.Add(X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true))
        request.CertificateExtensions.Add(
            X509EnhancedKeyUsageExtension(
                OidCollection()
                |> (fun oids ->
                    oids.Add(Oid usage) |> ignore
                    oids),
                false
            )
        )

        match purpose with
        | Purpose.Broker names ->
            let alternatives = SubjectAlternativeNameBuilder()

            for name in names do
                match IPAddress.TryParse name with
                | true, NonNull address -> alternatives.AddIpAddress address
                | _ -> alternatives.AddDnsName name

            request.CertificateExtensions.Add(alternatives.Build())
        | Purpose.Client _ -> ()

        extension |> Option.iter request.CertificateExtensions.Add
        let day (days: float) = DateTimeOffset.UtcNow.AddDays days
        let serial = RandomNumberGenerator.GetBytes 16
        use signed = request.Create(certificate, day (defaultArg from -1.0), day (defaultArg until 1.0), serial)
        use whole = signed.CopyWithPrivateKey own
        // Through PKCS#12, because Windows cannot use a key for TLS that is only in memory.
        X509CertificateLoader.LoadPkcs12(whole.Export X509ContentType.Pkcs12, null)

[<RequireQualifiedAccess>]
module PrivateKey =

    let private keyOf (certificate: X509Certificate2) : ECDsa =
        match certificate.GetECDsaPrivateKey() with
        | null -> failwith "every certificate that the tests make has a key"
        | key -> key

    /// A certificate's key.
    let pem (certificate: X509Certificate2) : string = (keyOf certificate).ExportPkcs8PrivateKeyPem()

    /// A certificate's key, encrypted.
    let encryptedPem (certificate: X509Certificate2) (password: string) : string =
        let how = PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 2000)
        (keyOf certificate).ExportEncryptedPkcs8PrivateKeyPem(password.AsSpan(), how)

/// A folder of PEM files for one test, which is deleted with it.
[<Sealed>]
type PemFolder() =
    let folder = Directory.CreateTempSubdirectory "libkafka-pem-"

    /// The path of a new file with this content.
    member _.Add(name: string, content: string) : string =
        let path = Path.Combine(folder.FullName, name)
        File.WriteAllText(path, content)
        path

    interface IDisposable with
        member _.Dispose() = folder.Delete true

/// The broker's side of TLS.
[<RequireQualifiedAccess>]
module BrokerTls =

    /// Presents this certificate and speaks one version. If there is an authority, it requires a client certificate from it, whose subject is
    /// passed to `seen`.
    let options (certificate: X509Certificate2) (version: SslProtocols) (clients: Authority option) (seen: string -> unit) =
        // Offline, so that the broker does not download the issuer of its own certificate.
        let own = SslStreamCertificateContext.Create(certificate, null, true)
        let options = SslServerAuthenticationOptions(ServerCertificateContext = own, EnabledSslProtocols = version)

        match clients with
        | None -> ()
        | Some authority ->
            // Without downloads, so that tests can count those of the client.
            let policy =
                X509ChainPolicy(
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    RevocationMode = X509RevocationMode.NoCheck,
                    DisableCertificateDownloads = true
                )

            policy.CustomTrustStore.Add(X509Certificate2.CreateFromPem(authority.Pem.AsSpan())) |> ignore
            options.ClientCertificateRequired <- true
            options.CertificateChainPolicy <- policy

            options.RemoteCertificateValidationCallback <-
                RemoteCertificateValidationCallback(fun _ certificate _ errors ->
                    match certificate with
                    | null -> false
                    | certificate ->
                        seen certificate.Subject
                        errors = SslPolicyErrors.None)

        options

    /// For the scripted broker.
    let over (options: SslServerAuthenticationOptions) (stream: Stream) : Stream =
        let secure = new SslStream(stream)
        secure.AuthenticateAsServer options
        secure
