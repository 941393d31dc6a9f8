using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using PaDiM.Service.Access;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.TestSupport;

/// <summary>Clients with keys and tokens of their own.</summary>
internal static class Callers
{
    /// <summary>A key, made in the service's own store.</summary>
    public static async Task<(string Text, string Id)> KeyAsync(
        this RunningService service,
        AccessScope scope,
        string[]? categories = null,
        string? name = null
    )
    {
        var made = await service
            .Get<KeyStore>()
            .CreateAsync(
                new KeyRequest
                {
                    Name = name ?? $"{scope}",
                    Scope = scope,
                    Categories = categories,
                },
                default
            );
        return made.Succeeded(out var key, out var problem)
            ? (key.Text, key.Key.Id)
            : throw new InvalidOperationException(problem.Detail);
    }

    /// <summary>Moves the end of a key into the past, as the clock will.</summary>
    public static async Task ExpireAsync(this RunningService service, string id)
    {
        await using var db = await service.Get<IDbContextFactory<PadimDbContext>>().CreateDbContextAsync();
        var past = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        await db
            .ApiKeys.Where(key => key.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(key => key.ExpiresAt, past));
        service.Get<KeyRing>().Invalidate();
    }

    /// <summary>A client that sends a key or a token with every request.</summary>
    public static HttpClient With(this RunningService service, string credential) =>
        With(service.Http.BaseAddress!, credential);

    public static HttpClient With(Uri address, string? credential)
    {
        var http = new HttpClient { BaseAddress = address };
        if (credential is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        return http;
    }

    /// <summary>A client that calls from another address of this machine, and trusts one certificate.</summary>
    public static HttpClient From(string source, Uri address, string? thumbprint = null) =>
        new(
            new SocketsHttpHandler
            {
                SslOptions =
                {
                    RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == thumbprint,
                },
                ConnectCallback = async (context, cancellationToken) =>
                {
                    var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                    socket.Bind(new IPEndPoint(IPAddress.Parse(source), 0));
                    await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            }
        )
        {
            BaseAddress = address,
        };
}
